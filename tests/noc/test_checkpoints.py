"""What the NOC's database holds of checkpoints is what a box's packet is held against."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from edge_noc.disk import Disk
from edge_noc.intake import Arrived, Intake

from edged.evidence import witnessed
from edged.evidence.errors import EvidenceBroken
from edged.record.witness import Statement, fingerprint, public_text, sign

TOOL = Path(__file__).parents[2] / "config" / "noc" / "checkpoints.py"
STREAM = "f43f8e97-9d6a-46ef-92e4-8fd032032bff"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def message(sequence: int, kind: str = "ledger.checkpoint", changed: Mapping[str, object] | None = None) -> bytes:
    statement = Statement(STREAM, sequence - 1, f"{sequence:064x}")
    data = {
        **{"stream": STREAM, "at": sequence - 1, "row_hash": statement.row_hash, "version": "0.5.0"},
        **{"key": fingerprint(public_text(KEY)), "public_key": public_text(KEY), "signature": sign(KEY, statement)},
    }
    frame = {"id": f"{STREAM}:{sequence}", "stream": STREAM, "sequence": sequence, "tier": 0}
    time = f"2026-11-22T10:{sequence:02}:00.000Z"
    return json.dumps({**frame, "type": f"edge.{kind}.v1", "time": time, "data": {**data, **(changed or {})}}).encode()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """As the consumer writes it."""
    intake, disk = Intake("noc-1"), Disk(tmp_path / "noc.db")
    bodies = [message(2), message(3, "wan.failover"), message(4), message(5)]
    arrived = [Arrived("edge/v1/clinic/room-1/evt/log", body, False, 100.0 + at) for at, body in enumerate(bodies)]
    other = Arrived("edge/v1/clinic/room-2/evt/log", message(6), False, 99.0)
    disk.write(intake, intake.take([*arrived, other], 1.0))
    disk.close()
    return tmp_path / "noc.db"


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *words], capture_output=True, text=True, timeout=30)


def test_the_checkpoints_of_one_site_are_a_witness(db: Path) -> None:
    done = tool("--db", str(db), "--site", "clinic/room-1")
    assert done.returncode == 0, done.stderr
    witness = witnessed.read(done.stdout.encode())
    assert witness.site == "clinic/room-1"
    assert [each.statement.at for each in witness.checkpoints] == [1, 3, 4]
    assert witness.keys == {fingerprint(public_text(KEY))}
    assert [each.time[11:16] for each in witness.checkpoints] == ["10:02", "10:04", "10:05"]


def test_a_witness_says_when_the_noc_heard_of_each_by_its_own_clock(db: Path) -> None:
    found = json.loads(tool("--db", str(db), "--site", "clinic/room-1").stdout)["checkpoints"]
    assert [each["arrived"] for each in found] == [f"1970-01-01T00:01:{at}.000Z" for at in (40, 42, 43)]


def test_every_sites_keys_are_listed_for_whoever_compares_them(db: Path) -> None:
    done = tool("--db", str(db), "--keys")
    key = fingerprint(public_text(KEY))
    assert done.stdout.splitlines() == [
        f"clinic/room-1  {key}  2026-11-22T10:02:00.000Z  2026-11-22T10:05:00.000Z",
        f"clinic/room-2  {key}  2026-11-22T10:06:00.000Z  2026-11-22T10:06:00.000Z",
    ]


def test_a_site_nobody_heard_of_is_said(db: Path) -> None:
    done = tool("--db", str(db), "--site", "clinic/room-9")
    assert done.returncode == 1
    assert "nothing is held" in done.stderr


@pytest.mark.parametrize("words", [("--site", "a/b"), ("--keys",)])
def test_a_database_that_is_none_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "noc.db"
    assert tool("--db", str(path), *words).returncode == 2
    path.write_bytes(b"no database at all" * 100)
    done = tool("--db", str(path), *words)
    assert done.returncode == 2
    assert "not a database" in done.stderr


@pytest.mark.parametrize(
    "changed", [{"at": 2}, {"row_hash": "00" * 32}, {"public_key": public_text(Ed25519PrivateKey.generate())}]
)
def test_a_checkpoint_somebody_changed_in_the_database_is_no_witness(db: Path, changed: dict[str, object]) -> None:
    with closing(sqlite3.connect(db)) as base, base:
        base.execute("UPDATE message SET body = ? WHERE sequence = 4", (message(4, changed=changed),))
    done = tool("--db", str(db), "--site", "clinic/room-1")
    with pytest.raises(EvidenceBroken, match="checkpoint 2 of the witness file"):
        witnessed.read(done.stdout.encode())
