import tomllib

import pytest
from pydantic import BaseModel, ValidationError

from ups.settings import LoadPriority, UpsSettings, UpsTable, by_server


class Config(BaseModel):
    ups: UpsTable = {}


def load(text: str) -> dict[str, UpsSettings]:
    return Config.model_validate(tomllib.loads(text)).ups


TWO_ON_ONE = """
[ups.network]
host = "10.77.0.50"
covers = ["router", "ont", "switch"]
[ups.network.rated]
full_load_s = 300
half_load_s = 840

[ups.desk]
host = "10.77.0.50"
name = "workstation"
covers = ["workstation", "monitor"]
load = "workstation"

[ups.remote]
host = "nut.example.org"
tls = true
tls_ca_file = "/etc/edged/nut-ca.pem"
credentials_file = "/run/credentials/edged.service/nut"
"""


def test_upses_of_one_server_share_a_connection() -> None:
    servers = by_server(load(TWO_ON_ONE))
    assert [(server.settings.peer, list(server.upses)) for server in servers] == [
        ("10.77.0.50:3493", ["network", "desk"]),
        ("nut.example.org:3493", ["remote"]),
    ]
    assert servers[0].upses["desk"].load is LoadPriority.WORKSTATION
    assert servers[0].upses["network"].covers == ("router", "ont", "switch")


def test_no_ups_at_all_is_a_configuration() -> None:
    assert load("") == {}
    assert by_server({}) == ()


def test_an_ipv6_server_is_named_in_brackets() -> None:
    assert UpsSettings(host="fd00::50").peer == "[fd00::50]:3493"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[ups.a]", "host"),
        ('[ups.a]\nhost = "x y"', "host"),
        ('[ups.a]\nhost = "h"\nport = 0', "port"),
        ('[ups.a]\nhost = "h"\nunknown = 1', "unknown"),
        ('[ups.a]\nhost = "h"\nname = "two words"', "name"),
        ('[ups.a]\nhost = "h"\nload = "printer"', "load"),
        ('[ups.a]\nhost = "h"\npoll_s = 0.01', "poll_s"),
        ('[ups.a]\nhost = "h"\npoll_s = nan', "poll_s"),
        ('[ups.a]\nhost = "h"\nslow_poll_s = 0.5', "slow_poll_s must not be below poll_s"),
        ('[ups.a]\nhost = "h"\ntls_ca_file = "/x"', "without tls = true"),
        ('[ups.a]\nhost = "h"\nrated = { full_load_s = 900, half_load_s = 300 }', "half_load_s must be longer"),
        (
            '[ups.a]\nhost = "h"\n[ups.b]\nhost = "h"\npoll_s = 2',
            "ups.b and ups.a share the server h:3493 but differ in poll_s",
        ),
        ('[ups.a]\nhost = "h"\n[ups.b]\nhost = "h"\nname = "a"', "ups.b and ups.a are the same UPS on h:3493"),
    ],
)
def test_a_mistake_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load(text)
    assert complaint in str(caught.value)
