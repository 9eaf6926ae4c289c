from typing import Any

import pytest
from pydantic import ValidationError

from probes.phone_settings import PhoneSettings, RegistrarSettings


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ({"host": "10.77.0.60"}, "sip:10.77.0.60:5060"),
        ({"host": "10.77.0.60", "user": "direct"}, "sip:direct@10.77.0.60:5060"),
        ({"host": "10.77.0.60", "user": "17", "domain": "pbx.example.org"}, "sip:17@pbx.example.org"),
        ({"host": "fd77::60", "port": 5070}, "sip:[fd77::60]:5070"),
        ({"host": "fe80::60%eth0"}, "sip:[fe80::60]:5060"),  # a zone means nothing to the peer (RFC 6874)
        ({"host": "10.77.0.60", "transport": "tcp"}, "sip:10.77.0.60:5060;transport=tcp"),
    ],
)
def test_the_line_s_uri(given: dict[str, Any], uri: str) -> None:
    assert PhoneSettings.model_validate(given).uri == uri


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"host": "phone.example.org"}, "no IP address"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"transport": "tls"}, "'udp' or 'tcp'"),
        ({"source": "fd77::10"}, "different IP versions"),
        ({"user": "a\r\nVia: x"}, "no user part"),
        ({"caller": "a b"}, "no user part"),
        ({"domain": "a>b"}, "no domain"),
        ({"timeout_s": 60}, "less than or equal to 32"),
        ({"also_alive": [200]}, "greater than or equal to 300"),
        ({"fail_to_dead": 2}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PhoneSettings.model_validate({"host": "10.77.0.60"} | change)


LINE = {"host": "10.77.0.61", "aor": "sip:17@pbx.example.org"}


@pytest.mark.parametrize(
    ("given", "aor", "uri", "login"),
    [
        ({}, "sip:17@pbx.example.org", "sip:pbx.example.org", "17"),
        ({"aor": "17@pbx.example.org:5070"}, "sip:17@pbx.example.org:5070", "sip:pbx.example.org:5070", "17"),
        ({"aor": "direct@[fd77::1]", "user": "ct 2"}, "sip:direct@[fd77::1]", "sip:[fd77::1]", "ct 2"),
    ],
)
def test_whose_registration_is_asked_and_by_whom(given: dict[str, Any], aor: str, uri: str, login: str) -> None:
    settings = RegistrarSettings.model_validate(LINE | given)
    assert (settings.aor, settings.uri, settings.login) == (aor, uri, login)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aor": "pbx.example.org"}, "no SIP address of record"),
        ({"aor": "sips:17@pbx.example.org"}, "no SIP address of record"),
        ({"aor": "17@pbx.example.org>\r\nContact: *"}, "no SIP address of record"),
        ({"aor": "17@pbx.example.org:99999"}, "no SIP address of record"),
        ({"user": 'a"b'}, "cannot be quoted"),
        ({"user": "a\r\nContact: *"}, "cannot be quoted"),
        ({"password": "x", "password_file": __file__}, "either password or password_file"),
        ({"password_file": "/nowhere/password"}, "not point to a file"),
        ({"host": "fd77::61"}, "different IP versions"),
        ({"transport": "tls"}, "'udp' or 'tcp'"),
        ({"interval_s": 0}, "greater than or equal to 1"),
        ({"intervall_s": 5}, "Extra inputs"),
    ],
)
def test_a_mistake_in_the_registrar_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PhoneSettings.model_validate({"host": "10.77.0.60", "source": "10.77.0.10", "registrar": LINE | change})


def test_a_password_shows_in_no_representation() -> None:
    settings = PhoneSettings.model_validate({"host": "10.77.0.60", "registrar": LINE | {"password": "hunter2"}})
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
