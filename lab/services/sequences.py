"""What the NOC knows of each stream: what came, what came twice, what is missing, and what may be acknowledged. Pure.

A stream's sequence has no holes, so a hole is something on its way or lost, unless its tombstone came. The watermark is
the highest tier event with no hole below it: every tier event up to it is here, whatever the missing ones may be. It
never goes back.
"""

from bisect import bisect_right, insort
from dataclasses import dataclass, field

Range = tuple[int, int]


@dataclass(slots=True)
class Stream:
    """One stream. `ranges` are the numbers seen, as first and last of each run, in order, holes between them."""

    ranges: list[Range] = field(default_factory=list)
    duplicates: int = 0
    watermark: int | None = None
    gone: list[Range] = field(default_factory=list)
    """What will not come: a hole in it is none."""
    _tiers: list[int] = field(default_factory=list)

    def add(self, sequence: int, *, tier: bool) -> bool:
        """Take note of an event; False where it had come before."""
        if not self._insert(sequence):
            self.duplicates += 1
            return False
        if tier:
            insort(self._tiers, sequence)
        self._advance()
        return True

    def close(self, first: int, last: int | None) -> None:
        """What is missing of `first` to `last` (None: to the end of the stream) will not come."""
        told = first, SEQUENCE_MAX if last is None else last
        if told not in self.gone:
            self.gone.append(told)
            self._advance()

    @property
    def gaps(self) -> list[Range]:
        """First and last of each hole."""
        pairs = zip(self.ranges, self.ranges[1:], strict=False)
        holes = [(before[1] + 1, after[0] - 1) for before, after in pairs]
        for gone in self.gone:
            holes = [left for hole in holes for left in _without(hole, gone)]
        return holes

    def _insert(self, sequence: int) -> bool:
        place = bisect_right(self.ranges, (sequence, SEQUENCE_MAX))
        if place and self.ranges[place - 1][1] >= sequence:
            return False
        first = last = sequence
        end = place
        if place < len(self.ranges) and self.ranges[place][0] == sequence + 1:
            last, end = self.ranges[place][1], place + 1
        if place and self.ranges[place - 1][1] == sequence - 1:
            place, first = place - 1, self.ranges[place - 1][0]
        self.ranges[place:end] = [(first, last)]
        return True

    def _advance(self) -> None:
        """Move the watermark over the tier events below the first hole, which are then done with."""
        if not self._tiers:
            return
        holes = self.gaps if self.gone else [(self.ranges[0][1] + 1, 0)]
        done = bisect_right(self._tiers, holes[0][0] - 1) if holes else len(self._tiers)
        if done:
            self.watermark = max(self._tiers[done - 1], self.watermark or 0)
            del self._tiers[:done]


def _without(hole: Range, gone: Range) -> list[Range]:
    """What is left of a hole."""
    parts = (hole[0], min(hole[1], gone[0] - 1)), (max(hole[0], gone[1] + 1), hole[1])
    return [part for part in parts if part[0] <= part[1]]


@dataclass(slots=True)
class Streams:
    """All of them, by name."""

    by_name: dict[str, Stream] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Stream:
        return self.by_name.setdefault(name, Stream())

    @property
    def duplicates(self) -> int:
        return sum(stream.duplicates for stream in self.by_name.values())

    @property
    def gaps(self) -> dict[str, list[Range]]:
        """Holes by stream; streams without any are left out."""
        return {name: stream.gaps for name, stream in self.by_name.items() if stream.gaps}


SEQUENCE_MAX = 2**63
"""Beyond every sequence."""
