"""The reserve for tier events the NOC has not acknowledged: never evicted, but folded when it is full. Pure.

A line that flaps for days makes thousands of events of which only the first, the worst and the last tell something.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from edged.record.recorded import Gone, Tombstone

RUN = 128
"""Rows folded at once. Three of them stay, the others free about 40 KiB."""
_WORTH_FOLDING = 8
"""Fewer rows than this behind the cursor: folding begins again with the oldest."""


@dataclass(frozen=True, slots=True)
class TierRow:
    """A row of the file that is waiting for the NOC's acknowledgement."""

    row: int
    stream: str
    sequence: int
    tier: int
    bytes: int


class Reserve:
    """The sizes of those rows, by row number."""

    def __init__(self, sizes: Iterable[tuple[int, int]] = ()) -> None:
        self._sizes = dict(sizes)
        self.bytes = sum(self._sizes.values())

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, row: int, size: int) -> None:
        self.settle([row])
        self._sizes[row] = size
        self.bytes += size

    def settle(self, rows: Iterable[int]) -> None:
        for row in rows:
            self.bytes -= self._sizes.pop(row, 0)

    def clear(self) -> None:
        self._sizes.clear()
        self.bytes = 0

    def run_after(self, cursor: int) -> list[int]:
        """The oldest rows that were not folded yet; of all, when those are too few to be worth it."""
        rows = sorted(self._sizes)
        later = [row for row in rows if row > cursor][:RUN]
        return later if len(later) >= _WORTH_FOLDING else rows[:RUN]


def folded(run: Sequence[TierRow]) -> list[TierRow]:
    """Those of the run, ascending, that make way: all but the first, the last and the first of the highest tier."""
    worst = max(range(len(run)), key=lambda n: (run[n].tier, -n), default=0)
    return [one for n, one in enumerate(run) if n not in (0, worst, len(run) - 1)]


def stones(rows: Iterable[TierRow]) -> list[Tombstone]:
    """One for each stream, with how many there were of each tier."""
    return [
        Tombstone(stream, numbers[0].sequence, numbers[-1].sequence, Gone.COALESCED, _counts(numbers))
        for stream, group in groupby(rows, key=lambda one: one.stream)
        if (numbers := [*group])
    ]


def _counts(rows: Sequence[TierRow]) -> tuple[tuple[int, int], ...]:
    tiers = sorted(one.tier for one in rows)
    return tuple((tier, len([*group])) for tier, group in groupby(tiers))
