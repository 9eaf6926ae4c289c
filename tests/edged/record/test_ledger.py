"""The ledger on a disk that lies: a write may be refused, or kept and called refused, and the daemon may die at any
moment.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edged.clock import ClockQuality
from edged.core.events import Channel
from edged.record.chain import first_break
from edged.record.database import FILE_NAME
from edged.record.envelope import Stamp
from edged.record.ledger import Ledger
from edged.record.ledger_file import LedgerFile
from edged.record.memory import Bounds
from edged.record.recorded import Recorded
from edged.record.retention import Volume
from tests.edged.record.scene import ORIGIN, log_event, tier_event
from tests.edged.record.test_store import chain

NOW = Stamp(1_767_225_600.0, 100.0, ClockQuality.SYNCED, "b00t")
BOUNDS = Bounds(Volume(10_000, 64 << 20), held=1000)

Write = Callable[..., None]
TRUE_WRITE, TRUE_FORGET = LedgerFile.write, LedgerFile.forget_after


class Disk:
    """Lies as told: `lies` are taken one by one, one for each write; afterwards it tells the truth."""

    def __init__(self, lies: list[str]) -> None:
        self.lies = lies
        self._write: Write = TRUE_WRITE
        self._forget: Write = TRUE_FORGET

    def under(self, monkeypatch: pytest.MonkeyPatch) -> "Disk":
        def write(file: LedgerFile, *what: Any) -> None:
            self._lie(lambda: self._write(file, *what))

        def forget_after(file: LedgerFile, row: int) -> None:
            self._lie(lambda: self._forget(file, row))

        monkeypatch.setattr(LedgerFile, "write", write)
        monkeypatch.setattr(LedgerFile, "forget_after", forget_after)
        return self

    def _lie(self, act: Callable[[], None]) -> None:
        lie = self.lies.pop(0) if self.lies else "true"
        if lie != "refused":
            act()
        if lie != "true":
            raise sqlite3.OperationalError("disk I/O error, says the disk")


def opened(directory: Path) -> Ledger:
    ledger = Ledger(directory, origin=ORIGIN, bounds=BOUNDS)
    ledger.open()
    return ledger


def killed(ledger: Ledger) -> None:
    ledger._journal.close()
    ledger._file.close()


def torn(directory: Path) -> None:
    """The database is gone, and its write-ahead log with it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{directory / FILE_NAME}{suffix}").unlink(missing_ok=True)


class Given:
    """What a ledger gave out, and what it owes us."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[str, int], bytes] = {}
        self.owed: list[Recorded] = []
        self.acknowledged: set[bytes] = set()

    def take(self, rows: list[Recorded]) -> None:
        for row in rows:
            assert self.bodies.setdefault((row.stream, row.sequence), row.body) == row.body, "a number given twice"
        self.owed += rows

    def acknowledge_the_last(self, ledger: Ledger) -> None:
        last = self.owed[-1]
        ledger.acknowledged(last.stream, last.sequence)
        self.acknowledged |= {r.body for r in self.owed if r.stream == last.stream and r.sequence <= last.sequence}

    def after_death(self, ledger: Ledger) -> None:
        """Of what only memory had, a tier event the NOC has not is in the journal."""
        held = {
            row.recorded.body
            for row in ledger._memory.held.values()
            if not row.recorded.durable or row.recorded.body in self.acknowledged
        }
        self.owed = [row for row in self.owed if row.body not in held]

    def after_tearing(self) -> None:
        self.owed = [r for r in self.owed if r.channel is Channel.TIER and r.body not in self.acknowledged]


@example(lies=["true", "true", "kept", "refused", "refused"], steps=["kill", "kill", "append", "ack", "kill"])
@example(lies=["true"] * 2 + ["refused", "kept", "kept"], steps=["append", "append", "kill", "stop"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lies=st.lists(st.sampled_from(["true", "refused", "kept"]), max_size=14),
    steps=st.lists(st.sampled_from(["append", "append", "retry", "ack", "kill", "stop", "tear"]), max_size=14),
)
def test_whatever_the_disk_says_each_event_is_kept_once_in_order_under_one_number(
    monkeypatch: pytest.MonkeyPatch, lies: list[str], steps: list[str]
) -> None:
    disk, made = Disk(list(lies)).under(monkeypatch), Given()
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        ledger = opened(directory)
        for n, step in enumerate([*steps, "append", "retry", "retry"]):
            match step:
                case "append":
                    made.take(ledger.append([tier_event(n=n), log_event(n=n)], NOW, b"%d" % n))
                case "retry":
                    ledger.settle()
                case "ack" if made.owed:
                    made.acknowledge_the_last(ledger)
                case "kill" | "stop" | "tear":
                    ledger.close() if step == "stop" else killed(ledger)
                    made.after_death(ledger)
                    if step == "tear":
                        torn(directory)
                        made.after_tearing()
                    ledger = opened(directory)
        disk.lies.clear()
        ledger.settle()
        assert ledger.status().durable
        killed(ledger)
        check(directory, made)


def check(directory: Path, made: Given) -> None:
    ledger = opened(directory)
    kept = ledger.recent(10_000)
    found = {(row.stream, row.sequence): row for row in kept}
    assert [found[row.stream, row.sequence].body for row in made.owed] == [row.body for row in made.owed]
    for row in kept:  # others may be there: called refused, or held by a killed daemon, and kept all the same
        assert made.bodies.get((row.stream, row.sequence), row.body) == row.body
    order = [found[row.stream, row.sequence].row for row in made.owed]
    assert order == sorted(order)
    for stream, sequence in made.bodies:
        here, gone = (stream, sequence) in found, ledger.why_gone(stream, sequence, sequence)
        assert here != bool(gone), "what is not here has its tombstone, what is here has none"
    assert first_break(chain(directory)) is None
    assert not list(directory.glob("*.corrupt-*"))
    killed(ledger)


def test_a_write_kept_and_called_refused_is_not_written_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk([]).under(monkeypatch)
    ledger = opened(tmp_path)
    first = ledger.append([log_event(n=1)], NOW, None)
    disk.lies = ["kept", "kept"]
    second = ledger.append([log_event(n=2)], NOW, None)
    third = ledger.append([log_event(n=3)], NOW, None)
    assert [row.durable for row in (*first, *second, *third)] == [True, False, False]
    ledger.settle()
    assert [(r.stream, r.sequence) for r in ledger.recent(10)] == [
        (first[0].stream, 1),
        (second[0].stream, 1),
        (second[0].stream, 2),
    ]
    assert ledger.pending(Channel.LOG, 0, 10) == ledger.recent(10)
    ledger.close()


def test_a_ledger_put_in_the_place_of_ours_is_set_aside_and_what_is_held_or_in_the_journal_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("theirs", "ours"):
        ledger = opened(tmp_path / name)
        ours = ledger.append([tier_event(whose=name), log_event()], NOW, None)
        ledger.close()
    disk = Disk([]).under(monkeypatch)
    ledger = opened(tmp_path / "ours")
    disk.lies = ["refused"]
    held = ledger.append([tier_event(n=1)], NOW, None)
    (tmp_path / "theirs" / FILE_NAME).replace(tmp_path / "ours" / FILE_NAME)
    (row,) = ledger.append([tier_event(n=2)], NOW, None)
    assert (row.stream, row.sequence) == (held[0].stream, 2)
    ledger.settle()
    assert ledger.status().durable
    assert [r.body for r in ledger.recent(10)] == [ours[0].body, held[0].body, row.body]
    assert [file.name for file in (tmp_path / "ours").glob("*.corrupt-*")] == [f"{FILE_NAME}.corrupt-1"]
    ledger.close()
