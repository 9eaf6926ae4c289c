import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edged.record.canonical import canonical
from edged.record.witness import DOMAIN, Statement, check, fingerprint, public_text, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STATEMENT = Statement("f43f8e97-9d6a-46ef-92e4-8fd032032bff", 17, "ab" * 32)


def test_a_statement_is_the_owners_and_nothing_else_is() -> None:
    signature = sign(KEY, STATEMENT)
    assert check(public_text(KEY), STATEMENT, signature)
    for other in (
        Statement("f43f8e97-9d6a-46ef-92e4-8fd032032bfe", 17, "ab" * 32),
        Statement(STATEMENT.stream, 18, "ab" * 32),
        Statement(STATEMENT.stream, 17, "ac" * 32),
    ):
        assert not check(public_text(KEY), other, signature)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert not check(public_text(stranger), STATEMENT, signature)


def test_a_signature_for_something_else_does_not_fit() -> None:
    bare = canonical({"at": 17, "row_hash": "ab" * 32, "stream": STATEMENT.stream})
    assert STATEMENT.spelled() == DOMAIN + bare
    for message in (bare, b"edged-command-v1\n" + bare):
        assert not check(public_text(KEY), STATEMENT, base64.b64encode(KEY.sign(message)).decode())


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", "é", public_text(KEY)[:-1], " " + public_text(KEY)])
def test_what_is_no_key_signed_nothing(text: str) -> None:
    assert not check(text, STATEMENT, sign(KEY, STATEMENT))
    assert not check(public_text(KEY), STATEMENT, text)
    with pytest.raises(ValueError):
        fingerprint(text)


def test_a_key_has_one_spelling() -> None:
    one = base64.b64encode(bytes(31) + b"\x01").decode()
    other = one[:-2] + chr(ord(one[-2]) + 1) + "="  # a bit nobody reads
    assert base64.b64decode(one) == base64.b64decode(other)
    assert fingerprint(one)
    with pytest.raises(ValueError):
        fingerprint(other)
