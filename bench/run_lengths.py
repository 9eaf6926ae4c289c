"""How often does a line that is alive look dead? Arithmetic on the chain of `outcomes`, per day. Pure.

A run begins when a lost probe follows an answered one: at `rate` probes a second, rate × (1 - mean) × π times a second.
It goes on with probability q from probe to probe.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log

from bench.outcomes import SPACING_S, Bursts, Regime

DAY_S = 86_400.0
YEAR_DAYS = 365.25
RATE = 1 / SPACING_S
"""Probes a second of three targets in a session."""


def runs_per_day(regime: Regime, rate: float = RATE) -> float:
    return DAY_S * rate * (1 - regime.mean) * regime.first


def run_per_day(regime: Regime, sent_s: Sequence[float], bursts: Bursts) -> float:
    """Runs that lose all of as many probes as were sent at these times, at whatever spacing that was."""
    per_day = runs_per_day(regime)
    for before_s, after_s in pairwise(sent_s):
        per_day *= regime.again_after(after_s - before_s) if bursts is Bursts.TIME else regime.again
    return per_day


def misses_per_day(regime: Regime, misses: int, rate: float = RATE) -> float:
    """Runs of at least so many lost probes, evenly sent at the spacing in which the regime is given."""
    return runs_per_day(regime, rate) * regime.again ** (misses - 1)


def misses_for(regime: Regime, per_day: float, rate: float = RATE) -> int:
    """The shortest run that comes no more often than that."""
    beyond = log(runs_per_day(regime, rate) / per_day) / log(1 / regime.again)
    return 1 + max(0, ceil(beyond - 1e-9))


def window_per_day(regime: Regime, window: int, lost: int, rate: float = RATE) -> float:
    """How often the last `window` probes come to hold `lost` losses, having held one less: with each new probe the
    window is looked at anew. Exact for a stationary chain.
    """
    # Up by one: what leaves was answered, the window - 1 between hold lost - 1, what enters is lost.
    again, first = regime.again, regime.first
    good, bad = [0.0] * lost, [0.0] * lost  # by losses so far: the chance, last answered and last lost
    good[0] = 1 - regime.mean
    for _ in range(window - 1):
        # Into `bad` the count goes up by one; more than lost - 1 is of no interest.
        raised = [0.0] + [bad[n] * again + good[n] * first for n in range(lost - 1)]
        good = [good[n] * (1 - first) + bad[n] * (1 - again) for n in range(lost)]
        bad = raised
    return DAY_S * rate * (good[lost - 1] * first + bad[lost - 1] * again)


def window_for(regime: Regime, share: float, per_day: float, rate: float = RATE) -> tuple[int, int]:
    """(window, losses more than `share` of it) of the shortest window that alarms no more often than that."""
    lost = 1
    while True:
        # For so many losses the longest window that still needs them is the rule's own; the shortest alarms least.
        window = max(lost, floor((lost - 1) / share) + 1)
        if window_per_day(regime, window, lost, rate) <= per_day:
            return window, lost
        lost += 1
