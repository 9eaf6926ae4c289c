"""How often the real detector calls a simulated line dead that is alive. Pure; seeded.

Every outcome of every probe is fed, none is skipped: 5.2 million a day.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from random import Random

from bench.detect_asking import Asking, settings
from bench.detect_cuts import HEALS_QUICKLY
from bench.outcomes import Bursts, Line, Regime
from bench.run_lengths import DAY_S, YEAR_DAYS
from probes.reading import Verdict

_TESTS = 2  # each of the joint test and the votes may be wrong α times a probe


@dataclass(frozen=True, slots=True)
class Alarms:
    regime: Regime
    bursts: Bursts
    hours: float
    declared_per_year: float
    alpha: float
    """Of a false trip, per probe and test."""
    verdicts: Counter[Verdict]
    """How often each was entered."""
    probes: int

    @property
    def expected(self) -> float:
        """As declared."""
        return self.declared_per_year * self.hours / 24 / YEAR_DAYS

    @property
    def down(self) -> int:
        return self.verdicts[Verdict.DOWN]

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Measured by declared: lowest (95 %), as counted, highest."""
        low, high = poisson_bounds(self.down)
        return low / self.expected, self.down / self.expected, high / self.expected


def watch(regime: Regime, bursts: Bursts, hours: float, seed: int, *, alpha: float | None = None) -> Alarms:
    """As shipped, in a session, for so long; `alpha`: at so loose a chance of a false trip per probe and test."""
    changes: dict[str, object] = {}
    if alpha is not None:
        link = settings()
        changes = {"false_alarms_per_year": alpha * _TESTS * link.probes_per_s * YEAR_DAYS * DAY_S, **HEALS_QUICKLY}
    link = settings(**changes)
    asking = Asking(Line(regime, Random(seed), bursts), link)
    verdicts = Counter(verdict for _, verdict in asking.go(hours * 3600))
    return Alarms(regime, bursts, hours, link.false_alarms_per_year, exp(-link.rules.trip_nats), verdicts, asking.sent)


def poisson_bounds(count: int, outside: float = 0.05) -> tuple[float, float]:
    """The means for which so few, or so many, would be seen with half of `outside` (Garwood's exact interval)."""
    high = _solve(lambda mean: _at_most(count, mean), outside / 2, count)
    low = _solve(lambda mean: _at_most(count - 1, mean), 1 - outside / 2, count) if count else 0.0
    return low, high


def _at_most(count: int, mean: float) -> float:
    term = total = exp(-mean)
    for number in range(1, count + 1):
        term *= mean / number
        total += term
    return total


def _solve(falling: Callable[[float], float], wanted: float, count: int) -> float:
    low, high = 0.0, 10.0 + 3.0 * count
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > wanted else (low, middle)
    return low
