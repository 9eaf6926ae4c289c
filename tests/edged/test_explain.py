"""What a configuration makes edged do, said plainly: above all what shares a fate, and what nobody has written yet."""

from pathlib import Path

import pytest

from edged.config import load
from edged.explain import explanation

LEAST = """
[site]
tenant = "clinic"
name = "room-1"
{site}
[links.fiber]
interface = "eth0"
targets = [{{ kind = "icmp", address = "192.0.2.1" }}]
role = "primary"
[links.lte]
interface = "eth1"
targets = [{{ kind = "icmp", address = "192.0.2.2" }}]
role = "backup"
{lte}
[ups.rack]
host = "127.0.0.1"
load = "network"
[ups.desk]
host = "127.0.0.1"
load = "workstation"
"""
PHONE = '[phone]\nhost = "192.0.2.9"\n'
SHIPPED = Path(__file__).parents[2] / "config"


def explained(tmp_path: Path, more: str = "", *, site: str = "", lte: str = "") -> list[str]:
    (path := tmp_path / "edged.toml").write_text(LEAST.format(site=site, lte=lte) + more)
    return [line.strip() for line in explanation(load(path))]


def test_rule12_a_phone_that_dies_with_the_lines_is_said_to(tmp_path: Path) -> None:
    shared = explained(tmp_path, PHONE + 'rides_on = ["fiber"]\nfed_by = ["rack", "desk"]\n')
    assert "shared fate with link fiber, ups rack: it never counts as a fallback (rule 12)" in shared
    alone = explained(tmp_path, PHONE + 'fed_by = ["desk"]\n')
    assert not [line for line in alone if "shared fate" in line]


def test_c1_each_room_has_its_line(tmp_path: Path) -> None:
    rooms = '[rooms.ct-1]\n[rooms.ct-1.phone]\nhost = "192.0.2.8"\nrides_on = ["lte"]\n[rooms.mr-2]\n'
    lines = explained(tmp_path, PHONE + rooms)
    assert [line.split(":")[0] for line in lines if line.startswith("room ")] == ["room       ct-1", "room       mr-2"]
    (own,) = [line for line in lines if line.startswith("phone      ct-1: ")]
    assert lines[lines.index(own) + 1].startswith("shared fate with link lte")


@pytest.mark.parametrize(
    ("lte", "says"),
    [
        ("", "whether by another carrier than lte cannot be said (its mcc_mnc or asn is missing)"),
        ('mcc_mnc = "310-260"', "its carrier is compared with the backup's"),
        ("asn = 64500", "its carrier is compared with the backup's"),
    ],
)
def test_c3_whether_the_carriers_can_be_compared(tmp_path: Path, lte: str, says: str) -> None:
    (key := tmp_path / "mobile.key").write_text("k" * 32)
    lines = explained(tmp_path, f'[mobile]\nkey_file = "{key}"\n', lte=lte)
    (line,) = [line for line in lines if line.startswith("mobile ")]
    assert line.endswith(says)


def test_t5_a_script_that_nobody_has_written_yet_is_noted(tmp_path: Path) -> None:
    note = "NOTE: the script for tier 4 is still the shipped one; the facility has to write its own (T5)"
    lines = explained(tmp_path)
    assert note in lines
    assert [line for line in lines if line.startswith("protocol ") and line.endswith("(as shipped)")]
    text = (SHIPPED / "protocol.toml").read_text()
    assert "Stop the injector." in text
    (own := tmp_path / "protocol.toml").write_text(text.replace("Stop the injector.", "Stop the pump."))
    lines = explained(tmp_path, site=f'protocol_file = "{own}"')
    assert note not in lines
    assert [line for line in lines if line.startswith("protocol ") and line.endswith(f"({own})")]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "black box  the last 64 MiB of what was observed, for edged replay"),
        ("[blackbox]\nkeep_mib = 0\n", "black box  off: what was decided cannot be judged again"),
        ("", "nobody else keeps the seals: no broker"),
        ('[broker]\nhost = "noc"\n', "the NOC keeps the seals"),
    ],
)
def test_what_is_kept_to_prove_and_to_replay(tmp_path: Path, more: str, says: str) -> None:
    assert [line for line in explained(tmp_path, more) if line.endswith(says)]
