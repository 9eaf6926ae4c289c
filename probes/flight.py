"""Probes on their way, and their outcomes in the order of sending. Pure: `now_s` is an argument.

Several probes are under way at once, and an answer to a later one is known before the silence of an earlier one. The
detector reasons about runs of misses as they were sent, so an outcome waits here for those before it, at most until
those are overdue.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto


class Fate(Enum):
    UNDER_WAY = auto()
    ANSWERED = auto()
    OVERDUE = auto()


@dataclass(slots=True, eq=False)
class Flight:
    """One probe. Overdue is a matter of patience and may still be answered; lost is final, at the timeout."""

    target: str
    number: int
    sent_s: float
    overdue_s: float
    quickly: bool = False
    """Sent while a run of misses was under way, closely after the one before."""
    fate: Fate = Fate.UNDER_WAY


class Lane:
    """The flights of targets asked at a like pace. A slow kind has a lane of its own, or all would wait for it."""

    def __init__(self) -> None:
        self._flights: deque[Flight] = deque()

    def launch(self, flight: Flight) -> None:
        self._flights.append(flight)

    def settled(self, now_s: float) -> Iterator[tuple[Flight, bool]]:
        """(flight, missed) of each whose fate, and that of all before it, is known at `now_s`; each once."""
        for flight in self._flights:
            if flight.fate is Fate.UNDER_WAY and flight.overdue_s <= now_s:
                flight.fate = Fate.OVERDUE
        while self._flights and self._flights[0].fate is not Fate.UNDER_WAY:
            flight = self._flights.popleft()
            yield flight, flight.fate is Fate.OVERDUE

    def next_overdue_s(self) -> float | None:
        """When the next flight under way turns overdue."""
        return min((flight.overdue_s for flight in self._flights if flight.fate is Fate.UNDER_WAY), default=None)

    def void(self) -> None:
        """We did not look while these flew: they tell nothing."""
        self._flights.clear()
