"""The ledger: what `edged.record.memory` knows, brought to the file and kept in step with it through every refusal of
the disk.

Blocking, single-threaded; `edged.record.store` gives it a thread of its own.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import TypeVar

import structlog

from edged.core.events import Channel, Event
from edged.record.change import Change
from edged.record.database import cause_of
from edged.record.envelope import Origin, Stamp
from edged.record.errors import RecordBroken
from edged.record.journal import Journal
from edged.record.ledger_file import REFUSALS, LedgerFile
from edged.record.memory import Bounds, Memory
from edged.record.mending import Mending
from edged.record.numbering import Row
from edged.record.past import Checkpoint
from edged.record.recorded import (
    Acknowledgement,
    DiskCause,
    Gone,
    KeptCommand,
    Opening,
    Recorded,
    RecordStatus,
    Stretch,
    Tip,
    Tombstone,
)
from edged.record.reserve import folded, stones
from edged.record.retention import Victims
from edged.record.space import Space
from edged.record.tombstones import Tombstones, cut, end_of
from edged.record.witness_event import seals_the_row_before

log = structlog.get_logger()

GRAVE = 3
"""Tier events from here on are signed at once (`edged.record.witness_sealing`)."""

T = TypeVar("T")


class Ledger:
    def __init__(self, directory: Path, *, origin: Origin, bounds: Bounds) -> None:
        self._file, self._memory, self._bounds = LedgerFile(directory), Memory(origin, bounds), bounds
        self._cause = DiskCause.NONE
        self._journal, self._space = Journal(directory), Space(directory, bounds.floor_bytes)
        self._mending = Mending(self._file, self._journal, self._memory)
        self._fold_cursor = 0  # rows up to this one were folded
        self._grave = 0
        self._told: set[Tombstone] = set()  # parts of ranges that were not told as a whole yet

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────
    def open(self) -> Opening:
        """Raises RecordMisused when another process writes here; a disk that refuses is an answer, not an error."""
        self.settle()
        aside = self._file.set_aside[-1] if self._file.set_aside else None
        cause = DiskCause.CORRUPT if aside else self._cause
        return Opening(self._memory.spans.current.stream, self._mending.fresh, aside, cause)

    def settle(self) -> None:
        """Writes what the file does not have yet, if the disk lets it."""
        if self._ready():
            self._write([])

    def close(self) -> None:
        self.settle()
        self._journal.close()
        self._file.close()

    def status(self) -> RecordStatus:
        memory = self._memory
        return RecordStatus(
            durable=self._cause is DiskCause.NONE and not memory.held,
            cause=self._cause,
            heads=memory.spans.heads(),
            pending_tier=len(memory.pending[Channel.TIER]),
            pending_log=len(memory.pending[Channel.LOG]),
            in_memory=len(memory.held),
            kept_rows=memory.volume.rows,
            kept_bytes=memory.volume.bytes,
            evicted=memory.evicted,
            dropped=memory.dropped,
            set_aside=len(self._file.set_aside),
            coalesced=memory.coalesced,
            reserve_pct=round(100 * memory.reserve.bytes / self._bounds.reserve_bytes, 1),
            low_space=self._space.low,
            journal=self._journal.works,
            rescued=self._mending.rescued,
            grave=self._grave,
        )

    # ── recording ──────────────────────────────────────────────────────────────────────────────────────
    def append(self, events: Sequence[Event], now: Stamp, checkpoint: bytes | None) -> list[Recorded]:
        """One transaction. An event the disk refuses comes back with `durable` False; one there is no room for, not at
        all.

        Raises RecordMisused, and records nothing, if an event cannot be said in JSON.
        """
        ready = self._ready()
        rows = self._memory.numbered(events, now)
        if checkpoint is not None:
            self._memory.remember(Checkpoint(checkpoint, now.wall_s))
        written = ready and self._write(rows)
        if not written and self._cause is DiskCause.CORRUPT and self._ready():  # set aside: a fresh file takes them
            rows = self._memory.numbered(events, now)
            written = self._write(rows)
        if not written:
            rows = self._hold(events, now)
        elif tier := _tier(rows):
            self._journal.take(tier, alone=False)
        self._grave += sum(row.recorded.tier >= GRAVE for row in _tier(rows))
        return [row.recorded for row in rows]

    def _hold(self, events: Sequence[Event], now: Stamp) -> list[Row]:
        rows = self._memory.hold(events, now)
        if rows:
            self._journal.begin(rows[0].recorded.stream)
        taken = self._journal.take(_tier(rows), alone=True)
        safe = {row.recorded.row: row for row in self._memory.vouch(taken)}
        return [safe.get(row.recorded.row, row) for row in rows]

    def _write(self, new: Sequence[Row]) -> bool:
        """The held rows, `new` ones and changed values; `new` rows become part of the ledger only if it succeeds."""
        memory = self._memory
        if not new and not memory.has_changed:
            return True
        try:
            change = self._change_file(new)
            oldest = self._file.oldest_row() if change.victims.rows and len(memory.spans.spans) > 1 else None
        except REFUSALS as error:
            self._refused(error)
            return False
        memory.adopt(new)
        memory.wrote(change)
        if oldest is not None:
            memory.forget_streams_before(oldest)
        self._took(change)
        return True

    def _change_file(self, new: Sequence[Row]) -> Change:
        change = self._memory.change(new, self._victims())
        try:
            self._file.write(change)
        except sqlite3.Error as error:
            if cause_of(error) is not DiskCause.FULL:
                raise
            self._file.recycle()
            self._file.write(change)
        return change

    def _victims(self) -> Victims:
        memory = self._memory
        kept, unused = memory.evictable, self._file.reclaimable_bytes
        if self._space.look(monotonic(), kept_bytes=kept.bytes, unused=unused) and self._space.low:
            self._file.give_back()
        bound = self._space.bound(self._bounds.kept)
        victims = self._file.victims(kept, bound, memory.pending, memory.durable_row)
        if memory.reserve.bytes <= self._bounds.reserve_bytes:
            return victims
        run = self._file.tier_rows(memory.reserve.run_after(self._fold_cursor), memory.spans)
        return victims.and_folded(folded(run))

    # ── a disk that refuses ────────────────────────────────────────────────────────────────────────────
    def _took(self, change: Change) -> None:
        if self._cause is not DiskCause.NONE:
            log.info("the disk takes events again", rows=len(change.rows))
            self._cause = DiskCause.NONE
        self._journal.vouched((row.recorded.stream, row.recorded.sequence) for row in change.rows)
        for stone in stones(change.victims.folded):
            self._journal.settle(stone.stream, stone.first, end_of(stone))
        if change.victims.folded:
            self._fold_cursor = change.victims.folded[-1].row
            log.warning("the reserve for tier events is full, folded", rows=len(change.victims.folded))
        if change.streams:
            names = [span.stream for span in self._memory.spans.spans]
            self._journal.forget_all_but({*names, *self._memory.tombstones.streams()})
            for name in names:
                self._journal.begin(name)

    def _refused(self, error: sqlite3.Error | OSError | RecordBroken) -> None:
        cause = cause_of(error)
        if cause is not self._cause:
            log.error("the disk refuses events", cause=cause.value, why=str(error), held=len(self._memory.held))
        self._cause = cause
        if cause is not DiskCause.FULL:
            self._file.disconnect()  # after a failed fsync nothing is known of what was written: read it again
        if cause is DiskCause.CORRUPT:
            self._lose_the_past(error)

    def _lose_the_past(self, why: Exception) -> None:
        try:
            self._file.put_aside(why)
        except OSError as error:
            log.error("cannot set the ledger aside", why=str(error))
            return
        self._mending.start_over()

    def _ready(self) -> bool:
        if self._file.is_open:
            return True
        try:
            self._file.take_the_directory()
            self._journal.open()
            self._mending.reconcile(self._file.open())
        except REFUSALS as error:
            self._refused(error)
            self._file.disconnect()
            self._mending.stand_in()
        return self._file.is_open

    # ── what arrived elsewhere ─────────────────────────────────────────────────────────────────────────
    def sent(self, rows: Sequence[int]) -> None:
        """The broker took these log rows. Kept with the next write: after a crash they are sent again, as they were."""
        self._memory.sent(rows)

    def acknowledged(self, stream: str, sequence: int) -> Acknowledgement:
        """The NOC holds all tier events of `stream` up to `sequence`."""
        became = self._memory.acknowledged(stream, sequence)
        if became is Acknowledgement.APPLIED:
            self._journal.settle(stream, 1, sequence)
            self.settle()
        return became

    def next_epoch(self) -> int:
        epoch = self._memory.next_epoch()
        self.settle()
        return max(epoch, self._memory.epoch)

    # ── what can never be had again ────────────────────────────────────────────────────────────────────
    def tombstones(self, limit: int) -> list[Tombstone]:
        """Not told yet, without what is still here."""
        pieces = (piece for stone in self._memory.tombstones.untold() for piece in self._exact(stone))
        return [piece for piece in pieces if piece not in self._told][:limit]

    def told(self, stones: Sequence[Tombstone]) -> None:
        """A range counts as told when every part of it was."""
        self._told |= {*stones}
        untold = self._memory.tombstones.untold()
        complete = [stone for stone in untold if self._told.issuperset(self._exact(stone))]
        self._told -= {part for stone in complete for part in self._exact(stone)}
        self._memory.tombstones = self._memory.tombstones.told(complete)
        self.settle()

    def why_gone(self, stream: str, first: int, last: int) -> list[Tombstone]:
        known = Tombstones().laid(self._memory.tombstones.why(stream, first, last))
        span = self._memory.spans.named(stream)
        if span and first <= min(last, span.length):  # the rest was delivered once, and deleted since
            known = known.laid([Tombstone(stream, first, min(last, span.length), Gone.EXPIRED)])
        return [part for stone in known.untold() for part in self._exact(stone)]

    def _exact(self, stone: Tombstone) -> list[Tombstone]:
        span = self._memory.spans.named(stone.stream)
        if span is None:
            return [stone]
        low, high = span.start + stone.first, min(span.start + end_of(stone), span.last_row)
        found = self._from_file(lambda: self._file.numbers(low, high))
        held = (row for row in self._memory.held if low <= row <= high)
        return cut(stone, sorted(row - span.start for row in {*found, *held}))

    # ── commands ───────────────────────────────────────────────────────────────────────────────────────
    def kept_command(self, identity: str) -> KeptCommand | None:
        return self._memory.commands.find(identity)

    def keep_command(self, command: KeptCommand, now_wall_s: float) -> bool:
        """Whether it is on the disk. If the disk refuses it, it is known until the daemon ends all the same; if there
        are too many, it is not.
        """
        if self._memory.commands.full_for(command, now_wall_s=now_wall_s):
            return False
        self._memory.commands = self._memory.commands.keeping(command, now_wall_s=now_wall_s)
        self.settle()
        return self._memory.commands_are_kept

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def checkpoint(self) -> Checkpoint | None:
        return self._memory.checkpoint

    def pending(self, channel: Channel, after: int, limit: int) -> list[Recorded]:
        """What still has to arrive, ascending, from the row after `after`."""
        rows = self._memory.pending[channel].after(after, limit)
        on_disk = [row for row in rows if row not in self._memory.held]
        found = self._from_file(lambda: self._file.fetch(on_disk, self._memory.spans))
        return _in_order([*found, *self._from_memory(rows)])

    def stretch(self, stream: str, first: int, last: int, limit: int) -> Stretch | None:
        """What is still here of sequences `first` to `last`, at most `limit` rows; None for a stream not known here."""
        span = self._memory.spans.named(stream)
        if span is None:
            return Stretch((), None) if self._memory.tombstones.know(stream) else None
        low, high = span.start + first, span.start + min(last, span.length)
        found = self._from_file(lambda: self._file.between(low, high, limit, self._memory.spans))
        found = _in_order([*found, *self._from_memory(row for row in self._memory.held if low <= row <= high)])[:limit]
        more = len(found) == limit and found[-1].row < high
        return Stretch(tuple(found), found[-1].sequence + 1 if more else None)

    def recent(self, limit: int) -> list[Recorded]:
        """The newest rows, ascending."""
        found = self._from_file(lambda: self._file.newest(limit, self._memory.spans))
        return _in_order([*found, *self._from_memory(self._memory.held)])[-limit:]

    def tip(self) -> Tip | None:
        """The newest row; None while the file lacks any, or has none."""
        newest = [] if self._memory.held else self._from_file(lambda: self._file.newest(1, self._memory.spans))
        if not newest:
            return None
        return Tip(newest[0].stream, newest[0].sequence, self._memory.tip, seals_the_row_before(newest[0]))

    def _from_memory(self, rows: Iterable[int]) -> list[Recorded]:
        return [self._memory.held[row].recorded for row in rows if row in self._memory.held]

    def _from_file(self, read: Callable[[], list[T]]) -> list[T]:
        if not self._file.is_open:
            return []
        try:
            return read()
        except REFUSALS as error:
            self._refused(error)
            return []


def _tier(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.recorded.channel is Channel.TIER]


def _in_order(rows: list[Recorded]) -> list[Recorded]:
    """What is held comes after what the file has, but for what was rescued."""
    return sorted(rows, key=lambda recorded: recorded.row)
