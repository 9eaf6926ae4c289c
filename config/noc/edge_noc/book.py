"""What is held of one stream, what is missing, and what will never come. Pure; `now_s` counts from anywhere, forwards.

A number is *held*, or *gone* (a tombstone or an answer of the site explained it), or it is a hole up to the highest
number known to exist. Held wins: what comes after it was called gone is taken all the same.
"""

from bisect import bisect_right, insort
from collections.abc import Mapping
from typing import Any

from edge_noc.ranges import Range, Ranges

UNKNOWN_STREAM = "unknown_stream"
"""Gone because the site no longer knows the stream at all."""


class StreamBook:
    __slots__ = ("_end", "_settled", "_tiers", "duplicates", "gone", "held", "known_last", "moved_s", "watermark")

    def __init__(self) -> None:
        self.held = Ranges()
        self.gone: dict[str, Ranges] = {}
        """By why. Some of it may have come after all: see `lost`."""
        self._settled = Ranges()
        """Held or gone."""
        self.known_last = 0
        """The highest number known to exist: seen, or named by `heads` or a tombstone."""
        self.watermark = 0
        """Highest tier event with nothing missing below it that may still come: what we may acknowledge."""
        self._tiers: list[int] = []
        """Tier events above it, ascending."""
        self.duplicates = 0
        self.moved_s = 0.0
        """When the first hole opened, or when holes last shrank."""
        self._end: tuple[int, str] | None = None
        """From here on all is gone: a tombstone without an end."""

    # ── taking in ──────────────────────────────────────────────────────────────────────────────────────
    def take(self, first: int, sequence: int, *, tier: bool, now_s: float) -> bool:
        """A message that stands for first..sequence; False if all of it was here before. `tier`: it may be a tier
        event, which the site keeps until our watermark covers it.
        """
        if not self.held.add(first, sequence):
            self.duplicates += 1
            return False
        before = self.missing
        self._settled.add(first, sequence)
        self._reach(sequence)
        if tier and sequence > self.watermark:
            insort(self._tiers, sequence)
        self._note(before, now_s)
        return True

    def head(self, last: int, now_s: float) -> None:
        """The site says that numbers up to `last` exist."""
        before = self.missing
        self._reach(last)
        self._note(before, now_s)

    def bury(self, first: int, last: int | None, why: str, now_s: float) -> int:
        """What is not held of first..last (None: to the end, wherever that is) will not come. How many that are."""
        before = self.missing
        if last is None:
            self._end = (first, why)
            last = max(self.known_last, first - 1)
        buried = self._gone(first, last, why)
        self._reach(last)
        self._note(before, now_s)
        return buried

    def give_up(self, now_s: float) -> int:
        """The site does not know this stream: nothing that is missing will come."""
        return self.bury(1, self.known_last, UNKNOWN_STREAM, now_s)

    def _reach(self, last: int) -> None:
        """Numbers up to `last` exist."""
        before, self.known_last = self.known_last, max(self.known_last, last)
        if self._end is not None:
            first, why = self._end
            self._gone(max(before + 1, first), self.known_last, why)

    def _gone(self, first: int, last: int, why: str) -> int:
        holes = self._settled.missing(first, last)
        for hole in holes:
            self.gone.setdefault(why, Ranges()).add(*hole)
            self._settled.add(*hole)
        return sum(b - a + 1 for a, b in holes)

    def _note(self, missing_before: int, now_s: float) -> None:
        if self.missing < missing_before or (self.missing and not missing_before):
            self.moved_s = now_s
        reached = bisect_right(self._tiers, self._settled.unbroken_to())
        if reached:
            self.watermark = self._tiers[reached - 1]
            del self._tiers[:reached]

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def complete(self) -> bool:
        return self.missing == 0

    @property
    def waiting(self) -> int:
        """Tier events that are here and cannot be acknowledged: something below them is missing."""
        return len(self._tiers)

    @property
    def missing(self) -> int:
        """How many numbers may still come."""
        return self.known_last - self._settled.count

    def holes(self, limit: int | None = None) -> list[Range]:
        """What may still come, ascending."""
        return self._settled.missing(1, self.known_last, limit)

    def lost(self) -> dict[str, list[Range]]:
        """What will not come and is not here, by why."""
        return {
            why: parts
            for why, ranges in sorted(self.gone.items())
            if (parts := [part for first, last in ranges for part in self.held.missing(first, last)])
        }

    # ── keeping ────────────────────────────────────────────────────────────────────────────────────────
    def to_json(self) -> dict[str, Any]:
        return {
            "held": [list(each) for each in self.held],
            "gone": {why: [list(each) for each in ranges] for why, ranges in self.gone.items()},
            "known_last": self.known_last,
            "watermark": self.watermark,
            "tiers": self._tiers,
            "duplicates": self.duplicates,
            "end": self._end,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], now_s: float) -> "StreamBook":
        book = cls()
        book.held = Ranges((first, last) for first, last in kept["held"])
        book.gone = {why: Ranges((a, b) for a, b in ranges) for why, ranges in kept["gone"].items()}
        book._settled = Ranges([*book.held, *(each for ranges in book.gone.values() for each in ranges)])
        book.known_last, book.watermark = kept["known_last"], kept["watermark"]
        book._tiers = list(kept["tiers"])
        book.duplicates = kept["duplicates"]
        book.moved_s = now_s
        if kept["end"] is not None:
            first, why = kept["end"]
            book._end = (first, why)
        return book
