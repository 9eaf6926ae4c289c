"""The ledger on a disk that lies: a write may be refused, or kept and called refused, and the daemon may die at any
moment.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
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
    ledger._file.close()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lies=st.lists(st.sampled_from(["true", "refused", "kept"]), max_size=14),
    steps=st.lists(st.sampled_from(["append", "append", "retry", "ack", "kill", "stop"]), max_size=14),
)
def test_whatever_the_disk_says_each_event_is_kept_once_in_order_under_one_number(
    monkeypatch: pytest.MonkeyPatch, lies: list[str], steps: list[str]
) -> None:
    disk = Disk(list(lies)).under(monkeypatch)
    given_out: dict[tuple[str, int], bytes] = {}
    must_keep: list[Recorded] = []
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        ledger = opened(directory)
        for n, step in enumerate([*steps, "append", "retry", "retry"]):
            match step:
                case "append":
                    for row in ledger.append([tier_event(n=n), log_event(n=n)], NOW, b"%d" % n):
                        assert given_out.setdefault((row.stream, row.sequence), row.body) == row.body
                        must_keep.append(row)
                case "retry":
                    ledger.settle()
                case "ack" if must_keep:
                    ledger.acknowledged(must_keep[-1].stream, must_keep[-1].sequence)
                case "kill":
                    held = {*ledger._memory.held}
                    killed(ledger)
                    must_keep = [row for row in must_keep if row.row not in held]
                    ledger = opened(directory)
                case "stop":
                    ledger.close()
                    held = {*ledger._memory.held}
                    must_keep = [row for row in must_keep if row.row not in held]
                    ledger = opened(directory)
        disk.lies.clear()
        ledger.settle()
        assert ledger.status().durable
        killed(ledger)
        ledger = opened(directory)
        kept = ledger.recent(10_000)
        killed(ledger)
        found = {(row.stream, row.sequence): row for row in kept}
        assert [found[row.stream, row.sequence].body for row in must_keep] == [row.body for row in must_keep]
        for row in kept:  # others may be there: called refused, or held by a killed daemon, and kept all the same
            assert given_out.get((row.stream, row.sequence), row.body) == row.body
        order = [found[row.stream, row.sequence].row for row in must_keep]
        assert order == sorted(order)
        streams = dict.fromkeys(row.stream for row in kept)
        for stream in streams:
            assert [r.sequence for r in kept if r.stream == stream] == list(
                range(1, 1 + sum(r.stream == stream for r in kept))
            )
        assert first_break(chain(directory)) is None
        assert not list(directory.glob("*.corrupt-*"))


def test_a_write_kept_and_called_refused_is_not_written_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk([]).under(monkeypatch)
    ledger = opened(tmp_path)
    first = ledger.append([tier_event(n=1)], NOW, None)
    disk.lies = ["kept", "kept"]
    second = ledger.append([tier_event(n=2)], NOW, None)
    third = ledger.append([tier_event(n=3)], NOW, None)
    assert [row.durable for row in (*first, *second, *third)] == [True, False, False]
    ledger.settle()
    assert [(r.stream, r.sequence) for r in ledger.recent(10)] == [
        (first[0].stream, 1),
        (second[0].stream, 1),
        (second[0].stream, 2),
    ]
    assert ledger.pending(Channel.TIER, 0, 10) == ledger.recent(10)
    ledger.close()


def test_a_ledger_put_in_the_place_of_ours_is_set_aside_and_what_is_held_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ours", "theirs"):
        ledger = opened(tmp_path / name)
        ledger.append([tier_event(whose=name)], NOW, None)
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
    assert [r.body for r in ledger.recent(10)] == [held[0].body, row.body]
    assert [file.name for file in (tmp_path / "ours").glob("*.corrupt-*")] == [f"{FILE_NAME}.corrupt-1"]
    ledger.close()
