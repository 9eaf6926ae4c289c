"""What of our streams can never be had again, and whom we have told. Pure.

Ranges of one stream never overlap: the first reason given for a number stays its reason. They are stored wide and told
exactly: a range may cover rows that are still here (`cut` leaves those out of what is said), so that any two ranges of
one stream can be merged into a wider one when there are too many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edged.record.recorded import Gone, Tombstone

MOST = 1000
"""Ranges kept; about 100 KB on the disk."""
_AFTER_MERGING = 900  # merging a hundred at once spares the next hundred evictions the work
_END = 2**63 - 1
_WORST_FIRST = (Gone.COALESCED, Gone.TORN, Gone.CRASH, Gone.EVICTED, Gone.EXPIRED)


@dataclass(frozen=True, slots=True)
class Grave:
    stone: Tombstone
    told: bool = False
    """A broker took it."""


@dataclass(frozen=True, slots=True)
class Tombstones:
    """Ascending within each stream."""

    graves: tuple[Grave, ...] = ()

    def laid(self, stones: Iterable[Tombstone]) -> "Tombstones":
        graves = list(self.graves)
        stones = [*stones]
        if not stones:
            return self
        for stone in stones:
            for piece in _beside(stone, [g.stone for g in graves if g.stone.stream == stone.stream]):
                _insert(graves, Grave(piece))
        if len(graves) > MOST:
            graves = _fewer(graves)
        return Tombstones(tuple(graves))

    def untold(self) -> tuple[Tombstone, ...]:
        return tuple(grave.stone for grave in self.graves if not grave.told)

    def told(self, stones: Iterable[Tombstone]) -> "Tombstones":
        """Those of `stones` that have not grown since."""
        taken = set(stones)
        return Tombstones(tuple(replace(g, told=True) if g.stone in taken else g for g in self.graves))

    def why(self, stream: str, first: int, last: int) -> list[Tombstone]:
        """What is known about sequences `first` to `last`, within these bounds."""
        found = (grave.stone for grave in self.graves if grave.stone.stream == stream)
        return [part for stone in found if (part := within(stone, first, last))]

    def streams(self) -> set[str]:
        return {grave.stone.stream for grave in self.graves}

    def know(self, stream: str) -> bool:
        return any(grave.stone.stream == stream for grave in self.graves)


def end_of(stone: Tombstone) -> int:
    return _END if stone.last is None else stone.last


def within(stone: Tombstone, first: int, last: int) -> Tombstone | None:
    """The part of it between two numbers. Counts belong to the whole; a part keeps them."""
    low, high = max(stone.first, first), min(end_of(stone), last)
    return replace(stone, first=low, last=_last(high)) if low <= high else None


def cut(stone: Tombstone, present: Iterable[int]) -> list[Tombstone]:
    """The stone without the sequences that are still `present`, ascending. The first part carries the counts."""
    return _parts(stone, [(number, number) for number in present if stone.first <= number <= end_of(stone)])


def _beside(stone: Tombstone, others: Sequence[Tombstone]) -> list[Tombstone]:
    return _parts(stone, sorted((o.first, end_of(o)) for o in others if _overlap(o, stone)))


def _overlap(one: Tombstone, other: Tombstone) -> bool:
    return one.first <= end_of(other) and other.first <= end_of(one)


def _parts(stone: Tombstone, holes: Sequence[tuple[int, int]]) -> list[Tombstone]:
    parts: list[Tombstone] = []
    at = stone.first
    for low, high in (*holes, (end_of(stone) + 1, 0)):
        if low > at:
            tiers = () if parts else stone.tiers
            parts.append(replace(stone, first=at, last=_last(low - 1), tiers=tiers))
        at = max(at, high + 1)
    return parts


def _last(end: int) -> int | None:
    return None if end >= _END else end


def _insert(graves: list[Grave], grave: Grave) -> None:
    """Joins it with its neighbours when nothing lies between and the reason is the same."""
    stone = grave.stone
    at = next((n for n, g in enumerate(graves) if g.stone.stream == stone.stream and g.stone.first > stone.first), None)
    if at is None:
        same = [n for n, g in enumerate(graves) if g.stone.stream == stone.stream]
        at = same[-1] + 1 if same else len(graves)
    graves.insert(at, grave)
    for left in (at, at - 1):
        if 0 <= left < len(graves) - 1 and _touch(graves[left].stone, graves[left + 1].stone):
            graves[left : left + 2] = [_joined(graves[left], graves[left + 1])]


def _touch(one: Tombstone, other: Tombstone) -> bool:
    return (one.stream, one.why, end_of(one) + 1) == (other.stream, other.why, other.first)


def _joined(one: Grave, other: Grave) -> Grave:
    why = min(one.stone.why, other.stone.why, key=_WORST_FIRST.index)
    tiers = dict(one.stone.tiers)
    for tier, events in other.stone.tiers:
        tiers[tier] = tiers.get(tier, 0) + events
    stone = Tombstone(one.stone.stream, one.stone.first, other.stone.last, why, tuple(sorted(tiers.items())))
    return Grave(stone, one.told and other.told)


def _fewer(graves: list[Grave]) -> list[Grave]:
    """The oldest neighbours of one stream become one; if no two belong together, the oldest ranges are forgotten."""
    fewer: list[Grave] = []
    surplus = len(graves) - _AFTER_MERGING
    for grave in graves:
        if surplus and fewer and fewer[-1].stone.stream == grave.stone.stream:
            fewer[-1] = _joined(fewer[-1], grave)
            surplus -= 1
        else:
            fewer.append(grave)
    return fewer[surplus:]
