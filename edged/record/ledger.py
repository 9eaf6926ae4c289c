"""The ledger: numbers events, chains them, keeps them. Blocking, single-threaded; `edged.record.store` gives it a
thread of its own.

Memory is the authority and the file its copy: what the disk refuses stays in `_held`, in order, and goes out with the
next write that succeeds. Only numbers the disk vouched for belong to its stream; while it refuses, events are numbered
in a stream of their own.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import structlog

from edged.core.events import Channel, Event
from edged.record.chain import genesis, link
from edged.record.database import Value, cause_of
from edged.record.envelope import Origin, Stamp, event_envelope
from edged.record.errors import RecordBroken
from edged.record.ledger_file import REFUSALS, LedgerFile, Row
from edged.record.past import Checkpoint, Past
from edged.record.recorded import Acknowledgement, DiskCause, Opening, Recorded, RecordStatus, Stretch
from edged.record.retention import Victims, Volume
from edged.record.spans import PendingRows, Span, Spans

log = structlog.get_logger()

_UNREAD = 2**40
"""Rows recorded before the file could be read are counted from here: above any row it may turn out to hold."""
_EVERYTHING = frozenset({"streams", "log_sent", "epoch", "evicted", "checkpoint", "checkpoint_wall_s"})


@dataclass(frozen=True, slots=True)
class Bounds:
    kept: Volume
    held: int
    """Events in memory while the disk refuses them; tier events may use as much again."""


class Ledger:
    def __init__(self, directory: Path, *, origin: Origin, bounds: Bounds) -> None:
        self._file = LedgerFile(directory)
        self._origin, self._bounds = origin, bounds
        self._spans = Spans((Span(str(uuid4()), _UNREAD),))
        self._tip = genesis(self._spans.current.stream)
        self._vouched: str | None = None  # the growing stream as the file knows it
        self._durable_row = 0
        self._held: dict[int, Row] = {}
        self._pending = {channel: PendingRows() for channel in Channel}
        self._volume = Volume(0, 0)
        self.checkpoint: Checkpoint | None = None
        self._epoch = self._evicted = self._dropped = 0
        self._cause = DiskCause.NONE
        self._unkept: set[str] = set()  # values the file has older than memory

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────
    def open(self) -> Opening:
        """Raises RecordMisused when another process writes here; a disk that refuses is an answer, not an error."""
        fresh = not (self._ready() and self._vouched)
        self.settle()
        aside = self._file.set_aside[-1] if self._file.set_aside else None
        return Opening(self._spans.current.stream, fresh, aside, DiskCause.CORRUPT if aside else self._cause)

    def settle(self) -> None:
        """Writes what the file does not have yet, if the disk lets it."""
        if self._ready():
            self._write([])

    def close(self) -> None:
        self.settle()
        self._file.close()

    def status(self) -> RecordStatus:
        return RecordStatus(
            durable=self._cause is DiskCause.NONE and not self._held,
            cause=self._cause,
            heads=self._spans.heads(),
            pending_tier=len(self._pending[Channel.TIER]),
            pending_log=len(self._pending[Channel.LOG]),
            in_memory=len(self._held),
            kept_rows=self._volume.rows,
            kept_bytes=self._volume.bytes,
            evicted=self._evicted,
            dropped=self._dropped,
            set_aside=len(self._file.set_aside),
        )

    # ── recording ──────────────────────────────────────────────────────────────────────────────────────
    def append(self, events: Sequence[Event], now: Stamp, checkpoint: bytes | None) -> list[Recorded]:
        """One transaction. An event the disk refuses comes back with `durable` False; one there is no room for does not
        come back.

        Raises RecordMisused, and records nothing, if an event cannot be said in JSON.
        """
        ready = self._ready()
        rows = self._numbered(events, now)
        if checkpoint is not None:
            self.checkpoint = Checkpoint(checkpoint, now.wall_s)
            self._unkept |= {"checkpoint", "checkpoint_wall_s"}
        written = ready and self._write(rows)
        if not written and self._cause is DiskCause.CORRUPT and self._ready():  # set aside: a fresh file takes them
            rows = self._numbered(events, now)
            written = self._write(rows)
        if not written:
            rows = self._hold(events, now)
        return [row.recorded for row in rows]

    def _numbered(self, events: Sequence[Event], now: Stamp, *, durable: bool = True) -> list[Row]:
        rows, previous, span = [], self._tip, self._spans.current
        for sequence, event in enumerate(events, span.length + 1):
            body = event_envelope(event, origin=self._origin, now=now, stream=span.stream, sequence=sequence)
            recorded = Recorded(span.start + sequence, span.stream, sequence, event.channel, event.tier, body, durable)
            rows.append(Row(recorded, previous))
            previous = link(previous, body)
        return rows

    def _hold(self, events: Sequence[Event], now: Stamp) -> list[Row]:
        """Into memory. A crash may take these numbers with it, so they must not be the file's next ones."""
        affordable = list(self._affordable(events))
        self._dropped += len(events) - len(affordable)
        if affordable and self._spans.current.stream == self._vouched:
            self._begin_stream()
        rows = self._numbered(affordable, now, durable=False)
        self._adopt(rows)
        self._held |= {row.recorded.row: row for row in rows}
        return rows

    def _affordable(self, events: Sequence[Event]) -> Sequence[Event]:
        room = self._bounds.held - len(self._held)
        log_room = iter(range(max(0, room)))
        tier_room = iter(range(max(0, room + self._bounds.held)))
        return [e for e in events if next(tier_room if e.channel is Channel.TIER else log_room, None) is not None]

    def _adopt(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        self._spans = self._spans.grown(len(rows))
        self._tip = link(rows[-1].previous, rows[-1].recorded.body)
        for channel, pending in self._pending.items():
            pending.add(row.recorded.row for row in rows if row.recorded.channel is channel)

    def _begin_stream(self) -> None:
        self._spans = self._spans.begin(str(uuid4()))
        self._unkept.add("streams")

    # ── the file ───────────────────────────────────────────────────────────────────────────────────────
    def _write(self, new: Sequence[Row]) -> bool:
        """The held rows, `new` ones and changed values; `new` rows become part of the ledger only if it succeeds."""
        rows = [*self._held.values(), *new]
        if not rows and not self._unkept:
            return True
        try:
            victims = self._file.victims(self._volume, self._bounds.kept, self._pending, self._durable_row)
            if victims.unsent:
                self._unkept.add("evicted")
            values = {name: value for name, value in self._values(victims).items() if name in self._unkept}
            self._file.write(
                rows, values=values, spans=self._spans if "streams" in self._unkept else None, victims=victims
            )
        except REFUSALS as error:
            self._refused(error)
            return False
        self._adopt(new)
        self._wrote(rows, victims)
        return True

    def _values(self, victims: Victims) -> dict[str, Value]:
        unsent = self._pending[Channel.LOG].after(0, 1)
        return {
            "log_sent": unsent[0] - 1 if unsent else self._spans.head,
            "epoch": self._epoch,
            "evicted": self._evicted + len(victims.unsent),
            "checkpoint": self.checkpoint.body if self.checkpoint else None,
            "checkpoint_wall_s": self.checkpoint.wall_s if self.checkpoint else None,
        }

    def _wrote(self, rows: Sequence[Row], victims: Victims) -> None:
        added = Volume(len(rows), sum(len(row.recorded.body) for row in rows))
        self._volume = self._volume.plus(added).minus(victims.volume)
        self._pending[Channel.LOG].settle(victims.unsent)
        self._evicted += len(victims.unsent)
        self._held.clear()
        self._unkept.clear()
        self._durable_row, self._vouched = self._spans.head, self._spans.current.stream
        if victims.rows and len(self._spans.spans) > 1:
            self._forget_empty_streams()
        if self._cause is not DiskCause.NONE:
            log.info("the disk takes events again", rows=len(rows))
            self._cause = DiskCause.NONE

    def _forget_empty_streams(self) -> None:
        try:
            self._spans = self._spans.kept_from(self._file.oldest_row())
            self._unkept.add("streams")
        except REFUSALS as error:
            self._refused(error)

    def _refused(self, error: sqlite3.Error | OSError | RecordBroken) -> None:
        cause = cause_of(error)
        if cause is not self._cause:
            log.error("the disk refuses events", cause=cause.value, why=str(error), held=len(self._held))
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
        self._start_over()

    def _start_over(self) -> None:
        """Nothing of what was on the disk is there any more; what memory holds remains."""
        for pending in self._pending.values():
            pending.settle_between(0, self._durable_row)
        if not self._held:
            self._begin_stream()
            self._tip = genesis(self._spans.current.stream)
        self._spans = self._spans.kept_from(self._durable_row + 1)
        self._vouched, self._volume = None, Volume(0, 0)
        self._unkept |= _EVERYTHING

    def _ready(self) -> bool:
        if self._file.is_open:
            return True
        try:
            self._reconcile(self._file.open())
        except REFUSALS as error:
            self._refused(error)
        return self._file.is_open

    def _reconcile(self, past: Past | None) -> None:
        if past and self._vouched is None and not self._volume.rows:
            self._take_over(past)
        elif past and past.spans.current.stream == self._vouched:
            self._file.forget_after(self._durable_row)
        elif past:
            raise RecordBroken(f"the ledger was exchanged: it ends in stream {past.spans.current.stream}")
        elif self._vouched:
            self._start_over()
        else:
            self._unkept |= _EVERYTHING
            if not self._held and not self._durable_row:
                self._spans = Spans((Span(self._spans.current.stream, 0),))

    def _take_over(self, past: Past) -> None:
        self._spans = self._spans.after(past.spans) if self._held else past.spans
        self._tip = self._tip if self._held else past.tip
        for channel, pending in self._pending.items():
            pending.put_first(past.pending[channel].rows)
        self.checkpoint = self.checkpoint or past.checkpoint
        self._epoch, self._evicted = max(self._epoch, past.epoch), past.evicted
        self._durable_row, self._volume = past.spans.head, past.volume
        self._vouched = past.spans.current.stream
        if self._held:
            self._unkept.add("streams")

    # ── what arrived elsewhere ─────────────────────────────────────────────────────────────────────────
    def sent(self, rows: Sequence[int]) -> None:
        """The broker took these log rows. Kept with the next write: after a crash they are sent again, under the same
        numbers.
        """
        self._pending[Channel.LOG].settle(rows)
        self._unkept.add("log_sent")

    def acknowledged(self, stream: str, sequence: int) -> Acknowledgement:
        """The NOC holds all tier events of `stream` up to `sequence`."""
        span = self._spans.named(stream)
        if span is None:
            return Acknowledgement.UNKNOWN_STREAM
        if sequence > span.length:
            return Acknowledgement.BEYOND_HEAD
        if sequence <= span.acknowledged:
            return Acknowledgement.REPEATED
        self._spans = self._spans.acknowledge(stream, sequence)
        self._pending[Channel.TIER].settle_between(span.start + 1, span.start + sequence)
        self._unkept.add("streams")
        self.settle()
        return Acknowledgement.APPLIED

    def next_epoch(self) -> int:
        self._epoch += 1
        self._unkept.add("epoch")
        self.settle()
        return self._epoch

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def pending(self, channel: Channel, after: int, limit: int) -> list[Recorded]:
        """What still has to arrive, ascending, from the row after `after`."""
        rows = self._pending[channel].after(after, limit)
        on_disk = [row for row in rows if row not in self._held]
        return [*self._from_file(lambda: self._file.fetch(on_disk, self._spans)), *self._from_memory(rows)]

    def stretch(self, stream: str, first: int, last: int, limit: int) -> Stretch | None:
        """What is still here of sequences `first` to `last`, at most `limit` rows; None for a stream not known here."""
        span = self._spans.named(stream)
        if span is None:
            return None
        low, high = span.start + first, span.start + min(last, span.length)
        found = self._from_file(lambda: self._file.between(low, high, limit, self._spans))
        found = [*found, *self._from_memory(row for row in self._held if low <= row <= high)][:limit]
        more = len(found) == limit and found[-1].row < high
        return Stretch(tuple(found), found[-1].sequence + 1 if more else None)

    def recent(self, limit: int) -> list[Recorded]:
        """The newest rows, ascending."""
        found = self._from_file(lambda: self._file.newest(limit, self._spans))
        return [*found, *self._from_memory(self._held)][-limit:]

    def _from_memory(self, rows: Iterable[int]) -> list[Recorded]:
        return [self._held[row].recorded for row in rows if row in self._held]

    def _from_file(self, read: Callable[[], list[Recorded]]) -> list[Recorded]:
        if not self._file.is_open:
            return []
        try:
            return read()
        except REFUSALS as error:
            self._refused(error)
            return []
