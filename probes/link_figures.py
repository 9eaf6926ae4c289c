"""The last second of a link in figures: what a reading says beside the verdict. Pure but for the deques it walks."""

from collections.abc import Sequence
from statistics import median

from probes.aim import Aim
from probes.bursts import together
from probes.call_quality import mos
from probes.link_settings import LinkSettings
from probes.pace import Pace
from probes.quality import figures
from probes.reading import BudgetReading, LinkReading, TargetReading, Verdict
from probes.silence import TargetState
from probes.verdict import Holding, LinkDetector


def link_reading(
    settings: LinkSettings,
    aims: Sequence[Aim],
    detector: LinkDetector,
    held: Holding,
    now_s: float,
    *,
    changed: bool,
    pace: Pace,
    budget: BudgetReading | None,
) -> LinkReading:
    states = detector.targets
    # A target in trouble of its own is seen below, and is no loss of the link.
    down = held.verdict is Verdict.DOWN
    speaking = [aim for aim in aims if not states[aim.label].witness and (down or not states[aim.label].test.tripped)]
    seen = figures([sample for aim in speaking for sample in aim.samples(now_s)])
    runs = together(aim.bursts.runs(now_s) for aim in speaking)
    jitters = [aim.jitter.jitter_s for aim in speaking if aim.jitter.jitter_s is not None]
    jitter_s = median(jitters) if jitters and seen.rtt_s is not None else None
    return LinkReading(
        link=settings.name,
        at_s=now_s,
        verdict=held.verdict,
        since_s=held.since_s,
        cause=held.cause,
        changed=changed,
        rtt_s=seen.rtt_s,
        rtt_p95_s=seen.rtt_p95_s,
        jitter_s=jitter_s,
        loss_pct=seen.loss_pct,
        sent=seen.sent,
        lost=seen.lost,
        targets=tuple(_target_reading(aim, states[aim.label], held, now_s) for aim in aims),
        rtt_min_s=seen.rtt_min_s,
        rtt_p99_s=seen.rtt_p99_s,
        burst_mean=runs.mean,
        burst_longest=runs.longest,
        mos=_mos(seen.rtt_s, jitter_s, runs.loss_pct, runs.ratio),
        pace=pace.value,
        ways=detector.ways.readings(now_s),
        evidence=held.evidence,
        budget=budget,
    )


def _mos(rtt_s: float | None, jitter_s: float | None, loss_pct: float | None, burst_ratio: float) -> float | None:
    """None while nothing answers: there is no call to score."""
    if rtt_s is None or loss_pct is None:
        return None
    return mos(rtt_s=rtt_s, jitter_s=jitter_s or 0.0, loss_pct=loss_pct, burst_ratio=burst_ratio)


def _target_reading(aim: Aim, state: TargetState, held: Holding, now_s: float) -> TargetReading:
    seen = figures(aim.samples(now_s))
    # The joint run may have tripped before this target's own did.
    silent_with_the_link = held.verdict is Verdict.DOWN and state.test.misses > 0
    return TargetReading(
        target=aim.label,
        verdict=Verdict.DOWN if silent_with_the_link else state.verdict,
        rtt_s=seen.rtt_s,
        loss_pct=seen.loss_pct,
        misses=state.test.misses,
        evidence_nats=state.test.evidence_nats,
        trip_nats=state.test.trip_nats,
    )
