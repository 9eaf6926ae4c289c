"""Sets of whole numbers, kept as ranges: a stream of a million events without a gap is one pair. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last, both included."""


class Ranges:
    """Disjoint ranges, ascending, never touching."""

    __slots__ = ("_firsts", "_lasts", "count")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self.count = 0
        """How many numbers are in it."""
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[Range]:
        return iter(zip(self._firsts, self._lasts, strict=True))

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._firsts)

    @property
    def last(self) -> int:
        """0 when empty."""
        return self._lasts[-1] if self._lasts else 0

    def add(self, first: int, last: int) -> int:
        """How many of first..last are new."""
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        before = sum(b - a + 1 for a, b in zip(self._firsts[low:high], self._lasts[low:high], strict=True))
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high], self._lasts[low:high] = [first], [last]
        new = last - first + 1 - before
        self.count += new
        return new

    def covers(self, first: int, last: int) -> bool:
        at = bisect_left(self._lasts, first)
        return at < len(self._firsts) and self._firsts[at] <= first and last <= self._lasts[at]

    def missing(self, first: int, last: int, limit: int | None = None) -> list[Range]:
        """The parts of first..last that are not in it, ascending; at most `limit` of them."""
        holes: list[Range] = []
        at = bisect_left(self._lasts, first)
        while first <= last and (limit is None or len(holes) < limit):
            if at == len(self._firsts) or self._firsts[at] > last:
                holes.append((first, last))
                break
            if self._firsts[at] > first:
                holes.append((first, self._firsts[at] - 1))
            first = self._lasts[at] + 1
            at += 1
        return holes

    def unbroken_to(self, first: int = 1) -> int:
        """The end of the range that holds `first`; first - 1 if none does."""
        at = bisect_left(self._lasts, first)
        return self._lasts[at] if at < len(self._firsts) and self._firsts[at] <= first else first - 1
