from typing import get_args

import pytest

from wan.credentials import HASHES, AuthProtocol, Community, PrivProtocol, User, master_key


def test_passwords_become_keys_as_the_rfc_says() -> None:
    """RFC 3414 A.3.2. The other hashes are proved by a real agent in test_snmp.py."""
    assert master_key("maplesyrup", "SHA-1").hex() == "9fb5cc0381497b3793528939ff788d5d79145211"


def test_an_empty_password_makes_no_key() -> None:
    with pytest.raises(ValueError, match="empty"):
        master_key("", "SHA-256")


def test_secrets_stay_out_of_reprs() -> None:
    user = User("edged", "SHA-256", "auth-secret", "AES-128", "priv-secret")
    assert "secret" not in repr(user) + repr(Community("community-secret"))


def test_every_protocol_that_may_be_configured_is_known() -> None:
    from wan.snmp import AUTH_PROTOCOLS, PRIV_PROTOCOLS

    assert set(get_args(AuthProtocol)) == set(HASHES) == set(AUTH_PROTOCOLS)
    assert set(get_args(PrivProtocol)) == set(PRIV_PROTOCOLS)
