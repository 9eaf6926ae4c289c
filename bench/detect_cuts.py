"""How soon each rule calls a simulated line dead, and how often it does so while the line lives. Pure; seeded."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench.detect_asking import Asking, settings
from bench.outcomes import RTT_S, Bursts, Line, Regime
from bench.rivals import Rule
from bench.run_lengths import run_per_day
from probes.link_settings import LinkSettings
from probes.reading import Verdict

HEALS_QUICKLY = {"hold_down_s": 0.0, "recovery_window_s": 1.0}
"""So that many outages fit in; what makes a link down is untouched."""
_LEARNS_FIRST_S = 3600.0  # 2,000 losses or so: what a line of this kind is known by
_LEARNS_BETWEEN_S = 20.0
_LASTS_S = 2.0  # an outage, and no burst that a line of this kind would be known by
_GIVES_UP_S = 60.0


@dataclass(frozen=True, slots=True)
class Cut:
    """One outage of a simulated line."""

    took_s: float
    """From the cut to the verdict."""
    misses: int
    per_day: float
    """How often a line that is alive falls silent for just these probes: what this verdict risked to be wrong. The
    mean over many cuts is the rate of false alarms, whatever the detector learnt meanwhile (importance sampling).
    """


def our_cuts(regime: Regime, bursts: Bursts, rounds: int, seed: int, link: LinkSettings | None = None) -> list[Cut]:
    """As shipped, in a session. A cut comes at any phase, and only while the link is up."""
    rng = Random(seed)
    asking = Asking(Line(regime, rng, bursts), link or settings(**HEALS_QUICKLY))
    _until(asking, Verdict.UP, _LEARNS_FIRST_S)
    cuts: list[Cut] = []
    while len(cuts) < rounds:
        _until(asking, Verdict.UP, asking.now_s + _LEARNS_BETWEEN_S + rng.random())
        asking.line.cut_s = cut_s = asking.now_s + RTT_S + rng.random() * 0.2  # before it, what flies now is answered
        down_s = _first(asking, Verdict.DOWN, cut_s + _GIVES_UP_S)
        if down_s >= cut_s:  # else it had fallen silent by itself just now
            cuts.append(Cut(down_s - cut_s, len(asking.run_s), run_per_day(regime, asking.run_s, bursts)))
        _go(asking, asking.now_s + _LASTS_S)
        asking.line.cut_s = float("inf")
    return cuts


def _until(asking: Asking, verdict: Verdict, at_least_s: float) -> None:
    """Goes on until then, and until that is the verdict."""
    _go(asking, at_least_s)
    if asking.verdict is not verdict:
        _first(asking, verdict, at_least_s + 3600)


def _go(asking: Asking, until_s: float) -> None:
    for _ in asking.go(until_s):
        pass


def _first(asking: Asking, verdict: Verdict, until_s: float) -> float:
    """When it first becomes that. Raises ValueError where it does not."""
    for at_s, each in asking.go(until_s):
        if each is verdict:
            return at_s
    raise ValueError(f"the link did not become {verdict} within simulated {until_s:.0f} s")


def rival_cuts(
    make: Callable[[], Rule], regime: Regime, bursts: Bursts, rounds: int, seed: int, *, warm_s: float, cycle_s: float
) -> list[float]:
    """Seconds from the cut to the alarm, of a rule that has run for `warm_s` and is met at any phase of its cycle."""
    rng = Random(seed)
    took_s: list[float] = []
    while len(took_s) < rounds:
        line, rule = Line(regime, rng, bursts), make()
        line.cut_s = cut_s = warm_s + rng.random() * cycle_s
        while rule.down_s is None:
            rule.sent(lost=line.loses(rule.due_s))
        if rule.down_s >= cut_s:
            took_s.append(rule.down_s - cut_s)
    return took_s


def rival_alarms(make: Callable[[], Rule], regime: Regime, bursts: Bursts, hours: float, seed: int) -> int:
    """How often it calls a line dead that is alive."""
    line, rule = Line(regime, Random(seed), bursts), make()
    alarms, was_down = 0, False
    while rule.due_s < hours * 3600:
        rule.sent(lost=line.loses(rule.due_s))
        is_down = rule.down_s is not None
        alarms += is_down and not was_down
        was_down = is_down
    return alarms
