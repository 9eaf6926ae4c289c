import json
from dataclasses import replace

from edged.core.link_snapshot import link_doc
from probes.reading import (
    BudgetReading,
    Direction,
    Evidence,
    LinkCause,
    LinkReading,
    TargetReading,
    Verdict,
    WayReading,
)

TARGET = TargetReading("icmp 198.51.100.40", Verdict.UP, 0.0201234, 1.66666, 0, 0.0, 22.6)
FULL = LinkReading(
    "fiber",
    at_s=99.5,
    verdict=Verdict.DEGRADED,
    since_s=90.0,
    cause=LinkCause.GRAY_LOSS,
    changed=False,
    rtt_s=0.0201234,
    rtt_p95_s=0.0215,
    jitter_s=0.00041,
    loss_pct=100 / 12,
    sent=60,
    lost=5,
    targets=(TARGET,),
    rtt_min_s=0.0195,
    rtt_p99_s=0.0221,
    burst_mean=5 / 3,
    burst_longest=3,
    mos=3.90501,
    pace="session",
    ways=(WayReading(Direction.UP, 100 / 12, 0.0317, None, lossy=True, slow=False),),
    evidence=Evidence("gray_loss", 4.6051, 22.634, 1, pi=0.0123456, q=0.33333, votes=0, voters=3),
    budget=BudgetReading("2026-11", 20_000_000, 3_141_592, stretched=True),
)


def test_every_figure_is_shown_and_can_be_spelled() -> None:
    doc = link_doc(FULL, 100.0)
    assert json.loads(json.dumps(doc)) == {
        "verdict": "degraded",
        "cause": "gray_loss",
        "for_s": 10.0,
        "age_s": 0.5,
        "pace": "session",
        "rtt_ms": 20.12,
        "rtt_min_ms": 19.5,
        "rtt_p95_ms": 21.5,
        "rtt_p99_ms": 22.1,
        "jitter_ms": 0.41,
        "loss_pct": 8.333,
        "sent": 60,
        "lost": 5,
        "burst_mean": 1.667,
        "burst_longest": 3,
        "mos": 3.91,
        "ways": [
            {
                "direction": "up",
                "loss_pct": 8.333,
                "delay_above_ms": 31.7,
                "jitter_ms": None,
                "lossy": True,
                "slow": False,
            }
        ],
        "evidence": {
            "test": "gray_loss",
            "nats": 4.6,
            "trip_nats": 22.6,
            "misses": 1,
            "pi": 0.01235,
            "q": 0.333,
            "quick": 0,
            "q_quick": 0.0,
            "votes": 0,
            "voters": 3,
        },
        "budget": {
            "month": "2026-11",
            "limit_mb": 20.0,
            "used_mb": 3.142,
            "left_mb": 16.858,
            "stretched": True,
            "over": False,
        },
        "targets": [{"target": "icmp 198.51.100.40", "verdict": "up", "rtt_ms": 20.12, "loss_pct": 1.667, "misses": 0}],
    }


def test_a_link_never_heard_of_has_the_same_keys_and_nothing_good_in_them() -> None:
    unheard = link_doc(None, 100.0)
    assert unheard.keys() == link_doc(FULL, 100.0).keys()
    assert (unheard["verdict"], unheard["cause"]) == ("unknown", "starting")
    assert [value for value in unheard.values() if value] == ["unknown", "starting"]


def test_a_budget_used_up_has_nothing_left_and_no_debt() -> None:
    over = replace(FULL, budget=BudgetReading("", 1_000_000, 1_500_000, stretched=True))
    assert link_doc(over, 100.0)["budget"] == {
        "month": None,
        "limit_mb": 1.0,
        "used_mb": 1.5,
        "left_mb": 0.0,
        "stretched": True,
        "over": True,
    }
