"""Which telemetry can never be had again: tombstones, merged and bounded. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edged.record.recorded import Gone, Tombstone

UNTOLD_KEPT = 1024
"""Three streams a life: 340 lives in a row that ended in a crash with nobody to tell."""
TOLD_KEPT = 256


@dataclass(frozen=True, slots=True)
class Graves:
    """Oldest first. Told ones are kept for those who ask again."""

    untold: tuple[Tombstone, ...] = ()
    told: tuple[Tombstone, ...] = ()

    def dug(self, tombstones: Iterable[Tombstone]) -> "Graves":
        """With these as well."""
        untold = list(self.untold)
        for tombstone in tombstones:
            _dig(untold, tombstone)
        return replace(self, untold=tuple(untold[-UNTOLD_KEPT:]))

    def after_telling(self, tombstones: Sequence[Tombstone]) -> "Graves":
        """One that has grown since it was told is untold."""
        told = [each for each in self.untold if each in tombstones]
        return Graves(tuple(each for each in self.untold if each not in told), (*self.told, *told)[-TOLD_KEPT:])

    def within(self, stream: str, first: int, last: int) -> list[Tombstone]:
        """What is known to be gone of `first` to `last`, cut to that."""
        return [
            replace(each, first=max(first, each.first), last=_earlier(each.last, last))
            for each in (*self.told, *self.untold)
            if each.stream == stream and each.first <= last and (each.last is None or each.last >= first)
        ]


def unaccounted(stream: str, kept: Iterable[tuple[int, int]], after: int) -> list[Tombstone]:
    """A crash ended `stream`: what lies beyond number `after` and is not in `kept` (first, last; ascending)."""
    lost: list[Tombstone] = []
    following = after + 1
    for first, last in kept:
        if first > following:
            lost.append(Tombstone(stream, following, first - 1, Gone.CRASH))
        following = max(following, last + 1)
    return [*lost, Tombstone(stream, following, None, Gone.CRASH)]


def _dig(graves: list[Tombstone], tombstone: Tombstone) -> None:
    """Into one with the neighbours of the same kind: what makes way does so in order, so there is mostly one."""
    for at, grave in enumerate(graves):
        if _touch(grave, tombstone) or _touch(tombstone, grave):
            del graves[at]
            first = min(grave.first, tombstone.first)
            _dig(graves, replace(tombstone, first=first, last=_later(grave.last, tombstone.last)))
            return
    graves.append(tombstone)


def _touch(one: Tombstone, other: Tombstone) -> bool:
    """Whether `other` begins within `one`, or right after it."""
    same = (one.stream, one.why) == (other.stream, other.why)
    return same and one.first <= other.first and (one.last is None or other.first <= one.last + 1)


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _earlier(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)
