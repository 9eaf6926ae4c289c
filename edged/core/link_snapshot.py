"""One link in the status document: its verdict, what it rests on, the last second in figures. null is not known."""

from collections.abc import Mapping

from edged.core.events import Json
from edged.core.rounding import ms, rounded
from probes.reading import BudgetReading, Evidence, LinkReading, TargetReading, WayReading

_UNHEARD: Mapping[str, Json] = {
    "verdict": "unknown",
    "cause": "starting",
    **dict.fromkeys(
        (
            *("for_s", "age_s", "pace", "rtt_ms", "rtt_min_ms", "rtt_p95_ms", "rtt_p99_ms", "jitter_ms", "loss_pct"),
            *("sent", "lost", "burst_mean", "burst_longest", "mos", "evidence", "budget"),
        )
    ),
}


def link_doc(reading: LinkReading | None, now: float) -> dict[str, Json]:
    """The keys are the same whether it was ever heard of or not."""
    if reading is None:
        return {**_UNHEARD, "ways": [], "targets": []}
    return {
        "verdict": reading.verdict.value,
        "cause": reading.cause.value,
        "for_s": rounded(now - reading.since_s),
        "age_s": rounded(now - reading.at_s),
        "pace": reading.pace,
        "rtt_ms": ms(reading.rtt_s),
        "rtt_min_ms": ms(reading.rtt_min_s),
        "rtt_p95_ms": ms(reading.rtt_p95_s),
        "rtt_p99_ms": ms(reading.rtt_p99_s),
        "jitter_ms": ms(reading.jitter_s),
        "loss_pct": rounded(reading.loss_pct),
        "sent": reading.sent,
        "lost": reading.lost,
        "burst_mean": rounded(reading.burst_mean),
        "burst_longest": reading.burst_longest,
        "mos": rounded(reading.mos, 2),
        "ways": [_way(way) for way in reading.ways],
        "evidence": None if reading.evidence is None else _evidence(reading.evidence),
        "budget": None if reading.budget is None else _budget(reading.budget),
        "targets": [_target(target) for target in reading.targets],
    }


def _way(way: WayReading) -> Json:
    return {
        "direction": way.direction.value,
        "loss_pct": rounded(way.loss_pct),
        "delay_above_ms": ms(way.delay_above_s),
        "jitter_ms": ms(way.jitter_s),
        "lossy": way.lossy,
        "slow": way.slow,
    }


def _evidence(held: Evidence) -> Json:
    return {
        "test": held.test,
        "nats": rounded(held.nats, 1),
        "trip_nats": rounded(held.trip_nats, 1),
        "misses": held.misses,
        "pi": rounded(held.pi, 5),
        "q": rounded(held.q, 3),
        "quick": held.quick,
        "q_quick": rounded(held.q_quick, 3),
        "votes": held.votes,
        "voters": held.voters,
    }


def _budget(budget: BudgetReading) -> Json:
    """MB are 10^6 bytes, as providers count."""
    left_bytes = budget.limit_bytes - budget.used_bytes
    return {
        "month": budget.month or None,
        "limit_mb": rounded(budget.limit_bytes / 1e6),
        "used_mb": rounded(budget.used_bytes / 1e6),
        "left_mb": rounded(max(0, left_bytes) / 1e6),
        "stretched": budget.stretched,
        "over": left_bytes <= 0,
    }


def _target(target: TargetReading) -> Json:
    return {
        "target": target.target,
        "verdict": target.verdict.value,
        "rtt_ms": ms(target.rtt_s),
        "loss_pct": rounded(target.loss_pct),
        "misses": target.misses,
    }
