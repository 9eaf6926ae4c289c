"""Ours beside what others do, over the same simulated lines: as they are shipped, and each tuned to as few false alarms
as ours. Seeded.

A rule tuned here is told which line it is on, which no box in a procedure room is: N misses is then the best there can
be for evenly sent probes, and what ours must not fall behind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import floor, prod, sqrt
from statistics import fmean, stdev

from bench.detect_asking import patience_s
from bench.detect_cuts import our_cuts, rival_alarms, rival_cuts
from bench.figures import percentile
from bench.outcomes import SPACING_S, Bursts, Regime
from bench.rivals import (
    DPINGER_SHIPPED,
    DPINGER_TUNED,
    MWAN3,
    PEPLINK,
    Counted,
    CountSettings,
    Misses,
    MissSettings,
    Rounds,
    RoundSettings,
    Rule,
    WindowedLoss,
    WindowSettings,
)
from bench.run_lengths import DAY_S, YEAR_DAYS, misses_for, misses_per_day, window_for, window_per_day

TRAP = MissSettings(send_s=SPACING_S, patience_s=patience_s(), misses=5)
_SIMULATE_FROM = 5.0  # alarms a day; rarer ones by formula
_SIMULATED_HOURS = 6.0


@dataclass(frozen=True, slots=True)
class Result:
    """Of one rule on one line."""

    rule: str
    mean_s: float
    error_s: float
    """Standard error of the mean."""
    p99_s: float
    per_day: float
    how: str
    """Where `per_day` comes from: "simulated", "formula" or "sampled" (see `detect_cuts.Cut`)."""
    misses: float | None = None


@dataclass(frozen=True, slots=True)
class Rival:
    name: str
    make: Callable[[], Rule]
    warm_s: float
    """Until it has seen enough to alarm as it always will."""
    cycle_s: float
    per_day: Callable[[Regime, Bursts], float]


def _windowed(name: str, its: WindowSettings) -> Rival:
    slots = round(its.period_s / its.send_s)

    def per_day(regime: Regime, bursts: Bursts) -> float:
        lost = floor(slots * its.alarm_pct / 100) + 1
        return window_per_day(regime.asked_every(its.send_s, bursts), slots, lost, 1 / its.send_s)

    return Rival(name, lambda: WindowedLoss(its), its.period_s + 5, max(its.look_s, its.send_s), per_day)


def _missing(name: str, its: MissSettings) -> Rival:
    def per_day(regime: Regime, bursts: Bursts) -> float:
        return misses_per_day(regime.asked_every(its.send_s, bursts), its.misses, 1 / its.send_s)

    return Rival(name, lambda: Misses(its), 2 * its.send_s, its.send_s, per_day)


def _rounds(name: str, its: RoundSettings) -> Rival:
    def per_day(regime: Regime, bursts: Bursts) -> float:
        return DAY_S / its.rest_s * float(round_fails(regime.asked_every(its.patience_s, bursts), its) ** its.down)

    return Rival(name, lambda: Rounds(its), its.rest_s, its.rest_s, per_day)


def round_fails(regime: Regime, its: RoundSettings) -> float:
    """The chance that a round gets fewer than enough answers: too many of its hosts are lost, whatever the order."""
    too_many = its.hosts - its.enough + 1
    return sum(_chance(regime, fates) for fates in product((False, True), repeat=its.hosts) if sum(fates) >= too_many)


def _chance(regime: Regime, fates: Sequence[bool]) -> float:
    lost_next = {False: regime.first, True: regime.again}
    steps = (lost_next[before] if fate else 1 - lost_next[before] for before, fate in pairwise(fates))
    return (regime.mean if fates[0] else 1 - regime.mean) * prod(steps)


RIVALS = (
    _windowed("dpinger, shipped", DPINGER_SHIPPED),
    _windowed("dpinger, tuned to 100 ms", DPINGER_TUNED),
    _rounds("mwan3, shipped", MWAN3),
    _missing("Peplink, shipped", PEPLINK),
    _missing("5 misses at our pace", TRAP),
)


def ours(regime: Regime, bursts: Bursts, rounds: int, seed: int) -> Result:
    cuts = our_cuts(regime, bursts, rounds, seed)
    took_s = [cut.took_s for cut in cuts]
    per_day = fmean(cut.per_day for cut in cuts)
    misses = fmean(cut.misses for cut in cuts)
    return Result("edged", *_figures(took_s), per_day, "sampled", misses)


def shipped(regime: Regime, bursts: Bursts, rounds: int, seed: int) -> list[Result]:
    return [_result(rival, regime, bursts, rounds, seed) for rival in RIVALS]


def tuned(regime: Regime, bursts: Bursts, rounds: int, seed: int, *, per_day: float) -> list[Result]:
    """Each family with the setting that is the fastest of those with at most so many false alarms on this line."""
    return [_result(rival, regime, bursts, rounds, seed) for rival in _fitted(regime, per_day)]


def one_for_all(regimes: Sequence[Regime], per_day: float) -> Rival:
    """The N misses that keep to that on every one of these lines."""
    misses = max(misses_for(regime, per_day) for regime in regimes)
    return _missing(f"{misses} misses everywhere", MissSettings(SPACING_S, patience_s(), misses))


def _fitted(regime: Regime, per_day: float) -> list[Rival]:
    misses = misses_for(regime, per_day)
    fitted = [_missing(f"{misses} misses", MissSettings(SPACING_S, patience_s(), misses))]
    for share in (0.5, 0.2):
        window, lost = window_for(regime, share, per_day)
        its = CountSettings(SPACING_S, patience_s(), window, lost)
        fitted.append(_counting(f"> {share:.0%}: {lost} of {window}", its))
    return fitted


def _counting(name: str, its: CountSettings) -> Rival:
    def per_day(regime: Regime, _: Bursts) -> float:
        return window_per_day(regime, its.window, its.lost, 1 / its.send_s)

    return Rival(name, lambda: Counted(its), its.window * its.send_s, its.send_s, per_day)


def _result(rival: Rival, regime: Regime, bursts: Bursts, rounds: int, seed: int) -> Result:
    took_s = rival_cuts(rival.make, regime, bursts, rounds, seed, warm_s=rival.warm_s, cycle_s=rival.cycle_s)
    per_day, how = rival.per_day(regime, bursts), "formula"
    if per_day >= _SIMULATE_FROM:
        per_day = rival_alarms(rival.make, regime, bursts, _SIMULATED_HOURS, seed) * 24 / _SIMULATED_HOURS
        how = "simulated"
    return Result(rival.name, *_figures(took_s), per_day, how)


def _figures(took_s: Sequence[float]) -> tuple[float, float, float]:
    return fmean(took_s), stdev(took_s) / sqrt(len(took_s)), percentile(took_s, 99)


@dataclass(frozen=True, slots=True)
class Compared:
    """All rules on one line."""

    regime: Regime
    bursts: Bursts
    ours: Result
    shipped: list[Result]
    at_declared: list[Result]
    """Tuned to the rate we declare."""
    at_ours: list[Result]
    """Tuned to the rate we have."""
    everywhere: Result


def compare(regime: Regime, bursts: Bursts, everywhere: Sequence[Regime], rounds: int, seed: int) -> Compared:
    declared = 1 / YEAR_DAYS
    our = ours(regime, bursts, rounds, seed)
    return Compared(
        regime,
        bursts,
        our,
        shipped(regime, bursts, rounds, seed),
        tuned(regime, bursts, rounds, seed, per_day=declared),
        tuned(regime, bursts, rounds, seed, per_day=our.per_day),
        _result(one_for_all(everywhere, declared), regime, bursts, rounds, seed),
    )
