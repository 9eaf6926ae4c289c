"""Every mistake names file, key and value; a good file says what will run."""

from pathlib import Path

import pytest

from edged.config import ConfigError, load
from edged.core.plan import LinkRole
from edged.explain import explanation

LEAST = """
[site]
tenant = "clinic"
name = "room-1"
[links.only]
interface = "eth0"
targets = [{ kind = "icmp", address = "192.0.2.1" }]
"""
SHIPPED = Path(__file__).parents[2] / "config" / "edged.toml"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "edged.toml"
    path.write_text(text)
    return path


def test_one_link_is_enough_and_what_is_not_watched_is_said(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, LEAST))
    assert loaded.config.plan().links[0].role is LinkRole.PRIMARY
    assert "  NOT watched: backup link, router, ups, media, phone, mobile, qos, broker" in explanation(loaded)


def test_the_shipped_configuration_is_good_and_uses_every_part() -> None:
    loaded = load(SHIPPED)
    assert loaded.config.plan().unwatched() == ("mobile",)  # its key must lie there first
    assert len(loaded.hash) == 16


def test_no_site_takes_the_name_under_which_the_noc_speaks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"site\.name: a site cannot be called"):
        load(write(tmp_path, LEAST.replace("room-1", "noc")))


TWO = '[links.two]\nsource = "10.0.0.3"\ntargets = '
ROUTER = '[router]\nhost = "h"\nversion = "2c"\n'


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("[typo]\na = 1", "typo: unknown key"),
        ("[site.extra]\na = 1", "site.extra: unknown key"),
        ('[broker]\nhost = "noc"\nport = 99999', "broker.port: Input should be less than or equal to 65535"),
        ("[broker]\n", "broker.host: missing"),
        ('[broker]\nhost = "noc"\nalso = ["noc-2"]', "broker.also[0]: a broker is host:port, not 'noc-2'"),
        ('[broker]\nhost = "noc"\n[broker.links.dsl]\nmonthly_mb = 9', "broker.links.dsl: there is no such link"),
        ('[commands.keys.a]\nrole = "operate"\nallow = ["prove"]', "commands.keys.a: it needs either public_key or"),
        ('[commands.keys.a]\npublic_key = "AA=="\nrole = "operate"\nallow = ["qos_off"]', "commands.keys.a.allow[0]"),
        ("[telemetry]\nkeep_mib = 0", "telemetry.keep_mib: Input should be greater than or equal to 1"),
        ('[links.two]\nsource = "10.0.0.300"\ntargets = []', "links.two.source: value is not a valid IPv4"),
        ('[links.two]\ntargets = [{ kind = "icmp", address = "x.org" }]', "links.two.targets[0].address: give an IP"),
        (TWO + '[{ kind = "smell", address = "192.0.2.1" }]', "targets[0]: Input tag 'smell'"),
        (
            TWO + '[{ kind = "icmp", address = "192.0.2.1" }]',
            'links: one of them must have role = "primary", not 2 (only, two)',
        ),
        ('[metrics]\naddress = "0.0.0.0"', "metrics: metrics are served on a loopback address only"),
        ("[tiers]\nphone_within_s = 300", "tiers.phone_within_s: Input should be less than or equal to 120 "),
        (ROUTER, "router: version \"2c\" needs community"),
        (ROUTER + 'community_file = "/nonexistent"', "router: router: community_file /nonexistent"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_key_and_value(tmp_path: Path, wrong: str, says: str) -> None:
    path = write(tmp_path, f"{LEAST}\n{wrong}\n")
    with pytest.raises(ConfigError) as error:
        load(path)
    assert f"{path}: " in str(error.value)
    assert says in str(error.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST.replace('"clinic"', '"Two Words"') + "[typo]\na = 1\n[broker]\nport = 0\n")
    with pytest.raises(ConfigError) as error:
        load(path)
    assert len(error.value.mistakes) == 4


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    text = '[router]\nhost = "h"\nversion = "3"\nuser = "u"\nauth_password = ["hush"]\npriv_password = 7\n'
    with pytest.raises(ConfigError) as error:
        load(write(tmp_path, LEAST + text))
    assert "hush" not in str(error.value)
    assert "router.auth_password" in str(error.value)


@pytest.mark.parametrize("content", [b"[site\n", b"\xff\xfe", b"site = 1"])
def test_what_is_no_configuration_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "edged.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=str(path)):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")
