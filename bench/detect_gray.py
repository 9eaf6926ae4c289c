"""How soon the real detector calls a simulated line lossy, or slow. Pure; seeded."""

from dataclasses import replace
from random import Random

from bench.detect_asking import TARGETS, Asking, settings
from bench.detect_cuts import HEALS_QUICKLY
from bench.outcomes import RTT_S, SPACING_S, Bursts, Line, Regime
from probes.delay import TargetDelay
from probes.reading import LinkCause, Verdict
from probes.verdict import LinkDetector

_LEARNS_FIRST_S, _LEARNS_BETWEEN_S, _GIVES_UP_S = 600.0, 60.0, 300.0


def gray(usual: Regime, worse: float, rounds: int, seed: int) -> list[float]:
    """Seconds from the moment the mean loss rises to `worse` until the link is degraded. Where it was so just before,
    or went down, the round does not count: that was something else.
    """
    rng = Random(seed)
    asking = Asking(Line(usual, rng, Bursts.TIME), settings(**HEALS_QUICKLY))
    _rest(asking, _LEARNS_FIRST_S)
    took_s: list[float] = []
    while len(took_s) < rounds:
        _rest(asking, _LEARNS_BETWEEN_S + rng.random())
        began_s = asking.now_s
        asking.line.change(replace(usual, mean=worse))
        at_s, verdict = next(asking.go(began_s + _GIVES_UP_S), (began_s + _GIVES_UP_S, Verdict.DEGRADED))
        if verdict is Verdict.DEGRADED:
            took_s.append(at_s - began_s)
        asking.line.change(usual)
    return took_s


def _rest(asking: Asking, for_s: float) -> None:
    until_s = asking.now_s + for_s
    while True:
        for _ in asking.go(until_s):
            pass
        if asking.verdict is Verdict.UP:
            return
        until_s += 1.0


def delay_step(step_s: float, jitter_s: float, rounds: int, seed: int) -> list[float]:
    """Seconds from a step of the round trip until the link is degraded by delay: the first answer that is late left the
    far end at the step.
    """
    rng = Random(seed)
    took_s: list[float] = []
    for _ in range(rounds):
        detector = LinkDetector(settings(**HEALS_QUICKLY).rules, TARGETS, now_s=0.0)
        detector.session(True)
        baselines = {target: TargetDelay() for target in TARGETS}
        began_s, number = 60.0 + rng.random(), 0
        while True:
            sent_s, target = number * SPACING_S, TARGETS[number % len(TARGETS)]
            number += 1
            rtt_s = RTT_S + rng.uniform(0, jitter_s) + (step_s if sent_s + RTT_S > began_s else 0.0)
            now_s = sent_s + rtt_s
            detector.outcome(target, now_s, missed=False)
            detector.excess(target, baselines[target].learn(rtt_s, now_s), now_s)
            held = detector.judge(now_s)
            if now_s > began_s and held.verdict is Verdict.DEGRADED and held.cause is LinkCause.DELAY:
                took_s.append(now_s - began_s)
                break
            if now_s > began_s + _GIVES_UP_S:
                raise ValueError(f"a step of {step_s:g} s was not noticed within {_GIVES_UP_S:g} s")
    return took_s
