"""What the light consumer holds: each event once, how far each stream goes without a gap, and what to ask for again.
Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

PATIENCE_S = 3.0
"""A hole younger than this may still fill by itself: what a broker dropped comes with nothing but a question."""
ASK_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Hole:
    base: str
    """The site's part of the topic tree, `edge/v1/TENANT/SITE`."""
    stream: str
    first: int
    last: int


@dataclass(slots=True)
class _Stream:
    base: str
    mark: int = 0
    """Everything up to here is held."""
    beyond: set[int] = field(default_factory=set)
    hole_since_s: float | None = None


class Book:
    """Fed with events, tier events only, in any order and as often as they come."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._new: list[tuple[str, int, float]] = []
        self.repeats = 0

    def take(self, base: str, stream: str, sequence: int, now_s: float) -> int | None:
        """The watermark to tell the site; None where this event moves none."""
        held = self._streams.setdefault(stream, _Stream(base))
        if sequence <= held.mark:
            self.repeats += 1
            return held.mark  # our last word did not reach the site
        if sequence in held.beyond:
            self.repeats += 1
            return None
        self._new.append((stream, sequence, now_s))
        held.beyond.add(sequence)
        return self._advance(held, now_s)

    def new(self) -> list[tuple[str, int, float]]:
        """(stream, sequence, when it came) of all events first seen since the last call."""
        taken, self._new = self._new, []
        return taken

    def to_ask(self, now_s: float) -> Iterator[Hole]:
        """The first hole of each stream that has had one for PATIENCE_S, and not again before as much has passed."""
        for stream, held in list(self._streams.items()):
            if held.hole_since_s is not None and now_s - held.hole_since_s >= PATIENCE_S:
                held.hole_since_s = now_s
                first = held.mark + 1
                yield Hole(held.base, stream, first, min(min(held.beyond) - 1, first + ASK_AT_MOST - 1))

    @staticmethod
    def _advance(held: _Stream, now_s: float) -> int | None:
        before = held.mark
        while held.mark + 1 in held.beyond:
            held.mark += 1
            held.beyond.remove(held.mark)
        if not held.beyond:
            held.hole_since_s = None
        elif held.hole_since_s is None or held.mark > before:
            held.hole_since_s = now_s
        return held.mark if held.mark > before else None
