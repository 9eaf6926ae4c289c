from typing import Any

import pytest
from pydantic import ValidationError

from probes.phone_settings import PhoneSettings


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ({"host": "10.77.0.60"}, "sip:10.77.0.60:5060"),
        ({"host": "10.77.0.60", "user": "direct"}, "sip:direct@10.77.0.60:5060"),
        ({"host": "10.77.0.60", "user": "17", "domain": "pbx.example.org"}, "sip:17@pbx.example.org"),
        ({"host": "fd77::60", "port": 5070}, "sip:[fd77::60]:5070"),
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
