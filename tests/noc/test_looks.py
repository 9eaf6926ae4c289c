import pytest
from edge_noc.looks import Looks


def test_snapshots_say_what_a_site_looks_like() -> None:
    looks = Looks()
    looks.snapshot("tier", {"tier": 3})
    links = [
        {"link": "fiber", "verdict": "down"},
        {"link": "cellular", "verdict": "degraded"},
        {"link": "x", "verdict": "unknown"},
    ]
    looks.snapshot("links", {"links": links})
    looks.snapshot(
        "conditions", {"conditions": [{"name": "link.down", "at": "fiber", "severity": "alarm", "for_s": 3}]}
    )
    assert looks.tier == 3
    assert looks.links_up == {"fiber": False, "cellular": True}
    assert looks.conditions == {("link.down", "fiber", "alarm")}


def test_the_newest_known_second_is_the_figure_and_one_not_known_has_none() -> None:
    looks = Looks()
    looks.telemetry("tel.links", {"rows": [{"link": "fiber", "rtt_ms": [20.0, 25.0, None], "loss_pct": 8.0}]})
    assert looks.rtt_s == {"fiber": pytest.approx(0.025)}
    assert looks.loss_ratio == {"fiber": pytest.approx(0.08)}
    looks.telemetry("tel.links", {"rows": [{"link": "fiber", "rtt_ms": None, "loss_pct": [None, None]}]})
    assert looks.rtt_s == looks.loss_ratio == {}


@pytest.mark.parametrize(
    "rows",
    [
        None,
        7,
        [7],
        [{}],
        [{"link": 7}],
        [{"link": "a" * 65, "rtt_ms": 1}],
        [{"link": "a", "rtt_ms": float("nan")}],
        [{"link": "a", "rtt_ms": {}}],
    ],
)
def test_what_is_of_another_shape_is_left_out(rows: object) -> None:
    looks = Looks()
    looks.telemetry("tel.links", {"rows": rows})
    for thing in ("tier", "links", "conditions", "other"):
        looks.snapshot(thing, {thing: rows})
        looks.snapshot(thing, rows)
    assert looks == Looks()
