"""What becomes of telemetry that waits on the disk: kept whole, told coarser, deleted. Pure: decides, does nothing.

In this order: what is too old is deleted, what is not fresh is told minute by minute, what is fresh and scattered is
put together; and while there is no room, the oldest is told minute by minute too, then in steps of ten minutes, and
then deleted.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from edged.clock import ClockQuality
from edged.record.backlog_settings import BacklogSettings
from edged.record.downsample import STEPS_S
from edged.record.envelope import Stamp
from edged.record.recorded import Gone, Tombstone

DELETED_AT_ONCE = 16
TOGETHER = 48
"""Messages of one batch, as they were measured: two lines make 60 kB, see `batch.MAX_BYTES`."""
GROUPED = 30
"""Steps one message should hold."""
READ_AT_ONCE = 256
"""Messages read to make one of them: about 3 MB of memory."""
RESERVE_BYTES = 1 << 20
"""Of what it has, the file keeps this much on a disk with too little space: giving it back would help nobody."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch on the disk; `first` to `last` of one stream without a gap."""

    number: int
    place: int
    """Orders batches by age: the number of the first one this was made of."""
    kind: str
    stream: str
    first: int
    last: int
    messages: int
    every_s: int
    """What one entry stands for; 0: as it was measured."""
    begin_s: float
    """`at.monotonic_s` of the first message."""
    at: Stamp
    """Of the last message."""

    def tombstone(self, why: Gone) -> Tombstone:
        return Tombstone(self.stream, self.first, self.last, why)


@dataclass(frozen=True, slots=True)
class Delete:
    rows: tuple[Kept, ...]
    why: Gone


@dataclass(frozen=True, slots=True)
class Join:
    """Into one batch; the messages stay as they are."""

    rows: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Into one batch, of messages told in steps of `every_s`."""

    rows: tuple[Kept, ...]
    every_s: int


Step: TypeAlias = Delete | Join | Fold


def next_step(
    rows: Sequence[Kept],
    settings: BacklogSettings,
    now: Stamp,
    opened_s: float,
    *,
    pressed: bool,
    lent: Collection[int] = (),
) -> Step | None:
    """None if all may stay as it is. `rows` oldest first; `opened_s`: when this life first saw the file (monotonic);
    `pressed`: there is no room. Batches `lent` are being sent: changed for want of room only.
    """
    expired = [row for row in rows if age_s(row, now, opened_s) > settings.keep_days * 86_400]
    if expired:
        return Delete(tuple(expired[:DELETED_AT_ONCE]), Gone.EXPIRED)
    resting = [row for row in rows if row.number not in lent]
    step = _not_fresh(resting, settings, now, opened_s) or _scattered(resting)
    return step or (_making_room(rows) if pressed else None)


def age_s(row: Kept, now: Stamp, opened_s: float) -> float:
    """Of its newest message: at least so many seconds. A wall clock that was never set says nothing."""
    if row.at.boot == now.boot:
        return now.monotonic_s - row.at.monotonic_s
    seen_s = now.monotonic_s - opened_s
    if ClockQuality.UNSET in (row.at.quality, now.quality):
        return seen_s
    return max(seen_s, now.wall_s - row.at.wall_s)


def limit_bytes(settings: BacklogSettings, *, page_bytes: int, log_bytes: int, free_bytes: int) -> int:
    """What the pages of the file may grow to, or must shrink to; `log_bytes` is left for the write-ahead log."""
    affordable = page_bytes + free_bytes - (settings.floor_mib << 20)
    return min((settings.keep_mib << 20) - log_bytes, max(affordable, min(page_bytes, RESERVE_BYTES)))


def _not_fresh(rows: Sequence[Kept], settings: BacklogSettings, now: Stamp, opened_s: float) -> Fold | None:
    """The oldest group that is old altogether; one that is not yet waits until it is."""
    for group in _groups(rows, STEPS_S[0], _one_message):
        if all(age_s(row, now, opened_s) > settings.full_h * 3600 for row in group):
            return Fold(group, STEPS_S[0])
    return None


def _scattered(rows: Sequence[Kept]) -> Join | None:
    """A minute makes a small batch: fifty of one kind together are half as long. The newest may still grow."""
    newest = {row.stream: row for row in rows}
    for group in _groups(rows, 1, _one_batch):
        if len(group) > 1 and group[-1] is not newest[group[-1].stream]:
            return Join(group)
    return None


def _making_room(rows: Sequence[Kept]) -> Step | None:
    for every_s in STEPS_S:
        if groups := _groups(rows, every_s, _one_message):
            return Fold(groups[0], every_s)
    return Delete(tuple(rows[:1]), Gone.EVICTED) if rows else None


def _groups(
    rows: Sequence[Kept], every_s: int, fit: Callable[[Sequence[Kept], Kept, int], bool]
) -> list[tuple[Kept, ...]]:
    """Of what is told finer than that: neighbours in their stream that `fit` together."""
    groups: list[list[Kept]] = []
    growing: dict[str, list[Kept]] = {}
    for row in rows:
        if row.every_s >= every_s:
            continue
        group = growing.get(row.stream)
        if group is None or group[-1].last + 1 != row.first or not fit(group, row, every_s):
            group = growing[row.stream] = []
            groups.append(group)
        group.append(row)
    return [tuple(group) for group in groups]


def _one_message(group: Sequence[Kept], row: Kept, every_s: int) -> bool:
    within = row.at.monotonic_s - group[0].begin_s <= GROUPED * every_s
    return within and sum(each.messages for each in group) + row.messages <= READ_AT_ONCE


def _one_batch(group: Sequence[Kept], row: Kept, _every_s: int) -> bool:
    return sum(each.messages for each in group) + row.messages <= TOGETHER
