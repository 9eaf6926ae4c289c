"""What the ledger knows, whatever the disk does. Touches no file.

Memory is the authority and the file its copy: what the disk refuses stays in `held`, in order. Only numbers the disk
vouched for belong to its stream; while it refuses, events are numbered in a stream of their own. A refused write may be
on the disk all the same: the file marks a stream as one to be continued only by a write after the one that brought it,
so that a next life never continues numbers this one gave out on its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from edged.core.events import Channel, Event
from edged.record.chain import genesis
from edged.record.change import Change, Streams
from edged.record.database import Value
from edged.record.envelope import Origin, Stamp
from edged.record.kept_commands import KeptCommands
from edged.record.numbering import Row, numbered, within
from edged.record.past import Checkpoint, Past
from edged.record.recorded import Acknowledgement, Gone, Tombstone
from edged.record.rescue import Rescue
from edged.record.reserve import Reserve, TierRow, stones
from edged.record.retention import Victims, Volume
from edged.record.spans import PendingRows, Span, Spans
from edged.record.tombstones import Tombstones
from edged.record.versions import Versions

_UNREAD = 2**40
"""Rows recorded before the file could be read are counted from here: above any row it may turn out to hold."""
_EVERYTHING = frozenset({"streams", "log_sent", "epoch", "evicted", "coalesced", "checkpoint", "checkpoint_wall_s"})


@dataclass(frozen=True, slots=True)
class Bounds:
    kept: Volume
    held: int
    """Events in memory while the disk refuses them; tier events may use as much again."""
    reserve_bytes: int = 8 << 20
    floor_bytes: int = 64 << 20


class Memory:
    def __init__(self, origin: Origin, bounds: Bounds) -> None:
        self._origin, self._bounds = origin, bounds
        self.spans = Spans((Span(str(uuid4()), _UNREAD),))
        self.held: dict[int, Row] = {}
        self.pending = {channel: PendingRows() for channel in Channel}
        self.durable_row = 0
        """The newest row on the disk."""
        self.volume = Volume(0, 0)
        """What the file holds."""
        self.reserve = Reserve()
        """Of that, tier rows the NOC has not acknowledged."""
        self._rescued: set[int] = set()  # rows in `held` that an earlier file held
        self.checkpoint: Checkpoint | None = None
        self.epoch = self.evicted = self.coalesced = self.dropped = 0
        self.unkept: set[str] = set()
        """Values the file has older than they are here."""
        self.tombstones, self.commands = Tombstones(), KeptCommands()
        self._kept = Versions()  # tombstones and commands as the file has them
        self._tip = genesis(self.spans.current.stream)
        self._vouched: str | None = None  # the growing stream, if the file is known to have it

    @property
    def tip(self) -> bytes:
        """What the next row must carry."""
        return self._tip

    # ── events ─────────────────────────────────────────────────────────────────────────────────────────
    def numbered(self, events: Sequence[Event], now: Stamp, *, durable: bool = True) -> list[Row]:
        """The rows these events would be. Raises RecordMisused."""
        return numbered(events, origin=self._origin, now=now, span=self.spans.current, tip=self._tip, durable=durable)

    def hold(self, events: Sequence[Event], now: Stamp) -> list[Row]:
        """Keeps what there is room for. A crash may take these numbers with it, so they must not be the file's next
        ones.
        """
        own = len(self.held) - len(self._rescued)
        affordable = within(events, room=self._bounds.held - own, reserve=self._bounds.held)
        self.dropped += len(events) - len(affordable)
        if affordable and self.spans.current.stream == self._vouched:
            self._begin_stream()
        rows = self.numbered(affordable, now, durable=False)
        self.adopt(rows)
        self.held |= {row.recorded.row: row for row in rows}
        return rows

    def vouch(self, rows: Collection[int]) -> list[Row]:
        """The journal has these of the held rows: as they are now."""
        for number in rows:
            row = self.held[number]
            self.held[number] = replace(row, recorded=replace(row.recorded, durable=True))
        return [self.held[number] for number in rows]

    def adopt(self, rows: Sequence[Row]) -> None:
        """They are part of the ledger now."""
        if not rows:
            return
        self.spans = self.spans.grown(len(rows))
        self._tip = rows[-1].following
        for channel, pending in self.pending.items():
            pending.add(row.recorded.row for row in rows if row.recorded.channel is channel)

    def remember(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.unkept |= {"checkpoint", "checkpoint_wall_s"}

    def _begin_stream(self) -> None:
        self.spans = self.spans.begin(str(uuid4()))
        self.unkept.add("streams")

    # ── what arrived elsewhere ─────────────────────────────────────────────────────────────────────────
    def sent(self, rows: Sequence[int]) -> None:
        self.pending[Channel.LOG].settle(rows)
        self.unkept.add("log_sent")

    def acknowledged(self, stream: str, sequence: int) -> Acknowledgement:
        span = self.spans.named(stream)
        if span is None:
            return Acknowledgement.UNKNOWN_STREAM
        if span is not self.spans.current:
            sequence = min(sequence, span.length)  # one that was rescued may have been longer than we know
        if sequence > span.length:
            return Acknowledgement.BEYOND_HEAD
        if sequence <= span.acknowledged:
            return Acknowledgement.REPEATED
        self.spans = self.spans.acknowledge(stream, sequence)
        first, last = span.start + 1, span.start + sequence
        self.reserve.settle(self.pending[Channel.TIER].between(first, last))
        self.pending[Channel.TIER].settle_between(first, last)
        self.unkept.add("streams")
        return Acknowledgement.APPLIED

    def next_epoch(self) -> int:
        self.epoch += 1
        self.unkept.add("epoch")
        return self.epoch

    # ── the file ───────────────────────────────────────────────────────────────────────────────────────
    @property
    def continues(self) -> bool:
        """Whether a next life may continue the growing stream."""
        return self.spans.current.stream == self._vouched

    @property
    def has_changed(self) -> bool:
        """Whether the file has something older than it is here."""
        return bool(self.held or self.unkept or self._kept != self._versions)

    def change(self, new: Sequence[Row], victims: Victims) -> Change:
        """What brings the file up to date: with `new` rows, and without `victims`."""
        evicted = (self._named(row, Gone.EVICTED) for row in victims.unsent)
        laid = self.tombstones.laid([*evicted, *stones(victims.folded)])
        return Change(
            rows=[*self.held.values(), *new],
            values=self._values(victims),
            streams=Streams(self.spans, self.continues) if "streams" in self.unkept else None,
            victims=victims,
            old=self._kept,
            new=replace(self._versions, tombstones=laid),
        )

    def wrote(self, change: Change) -> None:
        """The file holds all there is, and the victims no more."""
        added = Volume(len(change.rows), sum(len(row.recorded.body) for row in change.rows))
        self.volume = self.volume.plus(added).minus(change.victims.volume)
        self.pending[Channel.LOG].settle(change.victims.unsent)
        self.evicted += len(change.victims.unsent)
        self._fold(change.victims.folded)
        for row in change.rows:
            if row.recorded.row in self.pending[Channel.TIER]:
                self.reserve.add(row.recorded.row, len(row.recorded.body))
        self.tombstones, self._kept = change.new.tombstones, change.new
        self.held.clear()
        self._rescued.clear()
        self.unkept.clear()
        if not self.continues:
            self.unkept.add("streams")  # from now on it may be continued
        self.durable_row, self._vouched = self.spans.head, self.spans.current.stream

    def _fold(self, rows: Sequence[TierRow]) -> None:
        gone = [row.row for row in rows]
        self.reserve.settle(gone)
        self.pending[Channel.TIER].settle(gone)
        self.coalesced += len(gone)

    @property
    def commands_are_kept(self) -> bool:
        return self._kept.commands == self.commands

    @property
    def evictable(self) -> Volume:
        """What the file holds, but for the reserve."""
        return self.volume.minus(Volume(len(self.reserve), self.reserve.bytes))

    @property
    def _versions(self) -> Versions:
        return Versions(self.tombstones, self.commands)

    def _named(self, row: int, why: Gone) -> Tombstone:
        span = self.spans.find(row)
        return Tombstone(span.stream, row - span.start, row - span.start, why)

    def _values(self, victims: Victims) -> Mapping[str, Value]:
        older = {*self.unkept, *(["evicted"] if victims.unsent else []), *(["coalesced"] if victims.folded else [])}
        unsent = self.pending[Channel.LOG].after(0, 1)
        values: dict[str, Value] = {
            "log_sent": unsent[0] - 1 if unsent else self.spans.head,
            "epoch": self.epoch,
            "evicted": self.evicted + len(victims.unsent),
            "coalesced": self.coalesced + len(victims.folded),
            "checkpoint": self.checkpoint.body if self.checkpoint else None,
            "checkpoint_wall_s": self.checkpoint.wall_s if self.checkpoint else None,
        }
        return {name: value for name, value in values.items() if name in older}

    def forget_streams_before(self, row: int) -> None:
        """`row` is the oldest still kept."""
        self.spans = self.spans.kept_from(row)
        self.unkept.add("streams")

    def take_over(self, past: Past, rescue: Rescue) -> None:
        """What a file held when it was first read, and what it should have; what is held already comes after it."""
        own = bool(self.held)
        self._put_first(rescue, past.newest, past.tip)
        self.pending[Channel.LOG].put_first(past.pending[Channel.LOG].rows)
        self.pending[Channel.TIER].put_first([*past.pending[Channel.TIER].rows, *(r.recorded.row for r in rescue.rows)])
        self.checkpoint = self.checkpoint or past.checkpoint
        self.epoch = max(self.epoch, past.epoch)
        self.evicted, self.coalesced = past.evicted, past.coalesced
        self.durable_row, self.volume, self.reserve = past.spans.head, past.volume, past.reserve
        self.tombstones = past.versions.tombstones.laid(
            [*self.tombstones.untold(), *rescue.stones, *([] if past.continues else [_beyond(past.spans.current)])]
        )
        self.commands, self._kept = past.versions.commands.with_later(self.commands), past.versions
        if own:
            self.unkept.add("streams")
        elif past.continues and rescue.continues:
            self._vouched = past.spans.current.stream
        else:
            self._begin_stream()

    def start_fresh(self, rescue: Rescue) -> None:
        """The file is new and has nothing."""
        self.write_everything()
        if rescue.spans:
            own = bool(self.held)
            self._put_first(rescue, 0, self._tip)
            self.pending[Channel.TIER].put_first(row.recorded.row for row in rescue.rows)
            if not own:
                self._begin_stream()
        elif not self.held and not self.durable_row:
            self.spans = Spans((Span(self.spans.current.stream, 0),))
        self.tombstones = self.tombstones.laid(rescue.stones)

    def start_over(self, rescued: Sequence[Row]) -> None:
        """Nothing of what was on the disk is there any more; what memory holds remains, and what the journal has."""
        lost = [
            Tombstone(span.stream, 1, min(span.length, self.durable_row - span.start), Gone.TORN)
            for span in self.spans.spans
            if span.length and span.start < self.durable_row
        ]
        for pending in self.pending.values():
            pending.settle_between(0, self.durable_row)
        if not self.held:
            self._begin_stream()
            self._tip = self._tip if rescued else genesis(self.spans.current.stream)
        self.held = {row.recorded.row: row for row in rescued} | self.held
        self._rescued |= {row.recorded.row for row in rescued}
        self.pending[Channel.TIER].put_first(row.recorded.row for row in rescued)
        self.spans = self.spans.with_any(self.held)
        self.tombstones = self.tombstones.laid(lost)
        self._vouched, self.volume, self._kept = None, Volume(0, 0), Versions()
        self.reserve.clear()
        self.write_everything()

    def stand_in(self, rescue: Rescue) -> bool:
        """The rescued rows wait before all others until `step_back`. Not if they cannot be told from what is held."""
        head = rescue.spans[-1].last_row
        if self.held and self.spans.spans[0].start <= head:
            return False
        if not self.held:
            self.spans = Spans((Span(self.spans.current.stream, max(_UNREAD, head + 1)),))
        self.spans = self.spans.after(Spans(rescue.spans))
        self._take_in(rescue)
        self.pending[Channel.TIER].put_first(row.recorded.row for row in rescue.rows)
        return True

    def step_back(self) -> Mapping[str, int]:
        """Without them again: how far each of their streams was acknowledged meanwhile."""
        streams = {self.held.pop(row).recorded.stream for row in self._rescued}
        self.pending[Channel.TIER].settle(self._rescued)
        self._rescued.clear()
        acknowledged = {span.stream: span.acknowledged for span in self.spans.spans if span.stream in streams}
        self.spans = Spans(tuple(span for span in self.spans.spans if span.stream not in streams))
        return acknowledged

    def _take_in(self, rescue: Rescue) -> None:
        self.held = {row.recorded.row: row for row in rescue.rows} | self.held
        self._rescued |= {row.recorded.row for row in rescue.rows}

    def _put_first(self, rescue: Rescue, newest_row: int, tip: bytes) -> None:
        """The streams of the past and the rescued rows, before what is held. `newest_row` and `tip` are the file's."""
        earlier = Spans(rescue.spans)
        if not self.held:
            newest = rescue.rows[-1] if rescue.rows else None
            self._tip = newest.following if newest and newest.recorded.row > newest_row else tip
        self.spans = self.spans.after(earlier) if self.held else earlier
        self._take_in(rescue)

    def write_everything(self) -> None:
        self.unkept |= _EVERYTHING


def _beyond(span: Span) -> Tombstone:
    """What a stream nobody vouched for may have given out while the disk refused."""
    return Tombstone(span.stream, span.length + 1, None, Gone.CRASH)
