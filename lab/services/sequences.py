"""What the NOC knows of each stream: what came, what came twice, what is missing, and what may be acknowledged. Pure.

A stream's sequence has no holes, so a hole is something on its way or lost. The watermark is the highest tier event
with no hole below it: every tier event up to it is here, whatever the missing ones may be. It never goes back.
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

    @property
    def gaps(self) -> list[Range]:
        """First and last of each hole."""
        return [(before[1] + 1, after[0] - 1) for before, after in zip(self.ranges, self.ranges[1:], strict=False)]

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
        """Move the watermark over the tier events of the first run, which are then done with."""
        done = bisect_right(self._tiers, self.ranges[0][1])
        if done:
            self.watermark = max(self._tiers[done - 1], self.watermark or 0)
            del self._tiers[:done]


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
