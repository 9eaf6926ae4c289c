"""The arithmetic of the fleet: when events are due, what became of them, which rate to offer next. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from random import Random
from typing import TypeAlias

Name: TypeAlias = tuple[str, int]
"""(stream, sequence): the name of an event for ever."""

P99_LIMIT_S = 1.0
GROWTH_LIMIT = 0.05
"""Of the offered rate: in twenty seconds a second's worth of events. A queue that grows faster is none any more,
however short it still is."""
GROWTH_FLOOR_PER_S = 2.0
"""Less is chance."""
CLOSE_ENOUGH = 1.15
"""The highest good and the lowest bad rate lie this close together: a finer answer would be noise."""


@dataclass(frozen=True, slots=True)
class Arrival:
    after_s: float
    """Since the load began."""
    site: int


def arrivals(rate_per_s: float, seconds: float, sites: int, chance: Random) -> Iterator[Arrival]:
    """A Poisson process over all sites together; each event falls to any of them alike."""
    after_s = chance.expovariate(rate_per_s)
    while after_s < seconds:
        yield Arrival(after_s, chance.randrange(sites))
        after_s += chance.expovariate(rate_per_s)


@dataclass(frozen=True, slots=True)
class Matched:
    latencies_s: tuple[float, ...]
    """Of each event, in the order they were due; infinite for one the consumer does not hold."""
    missing: tuple[Name, ...]


def matched(due_s: Mapping[Name, float], held_s: Mapping[Name, float]) -> Matched:
    """Both by one clock. What the consumer holds and nobody recorded is not looked at."""
    names = sorted(due_s, key=due_s.__getitem__)
    latencies = tuple(held_s.get(name, inf) - due_s[name] for name in names)
    return Matched(latencies, tuple(name for name in names if name not in held_s))


def growth_per_s(samples: Sequence[tuple[float, float]]) -> float:
    """The slope of the straight line nearest to (time in seconds, length of the queue), by least squares; 0 for fewer
    than two moments.
    """
    if not samples:
        return 0.0
    middle_s = sum(at_s for at_s, _ in samples) / len(samples)
    middle = sum(length for _, length in samples) / len(samples)
    spread = sum((at_s - middle_s) ** 2 for at_s, _ in samples)
    return sum((at_s - middle_s) * (length - middle) for at_s, length in samples) / spread if spread else 0.0


def sustained(*, offered_per_s: float, p99_s: float, growth: float) -> bool:
    return p99_s < P99_LIMIT_S and growth <= max(GROWTH_FLOOR_PER_S, GROWTH_LIMIT * offered_per_s)


class Ladder:
    """Which rate to offer next: twice the last one until one is too much, then between the best and the worst."""

    def __init__(self, first_per_s: float, *, least_per_s: float = 1.0, most_per_s: float = 20_000.0) -> None:
        self.good: float | None = None
        """The highest rate that was sustained."""
        self._bad: float | None = None
        self._least_per_s, self._most_per_s = least_per_s, most_per_s
        self.offer: float | None = first_per_s
        """None: there is nothing more to find out."""

    def answer(self, offered_per_s: float, *, held: bool) -> None:
        """What came of an offer."""
        if held:
            self.good = max(self.good or 0.0, offered_per_s)
        else:
            self._bad = min(self._bad or inf, offered_per_s)
        self.offer = self._next()

    def _next(self) -> float | None:
        match self.good, self._bad:
            case None, bad if bad is not None:
                return max(bad / 2, self._least_per_s) if bad > self._least_per_s else None
            case good, None if good is not None:
                return 2 * good if 2 * good <= self._most_per_s else None
            case good, bad if good is not None and bad is not None and bad / good > CLOSE_ENOUGH:
                return sqrt(good * bad)
        return None
