import pytest
from edge_noc.looks import Looks, Room


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


ROOMS = [
    {
        "room": "a",
        "tier": {"tier": 3, "av_compliant": False},
        "session": {"open": True, "joined": True},
        "ready": {"level": "red"},
    },
    {"room": "b", "tier": {"tier": 0}, "session": {"open": False, "joined": None}, "ready": {"level": "amber"}},
    {"room": "c", "tier": 7, "session": None, "ready": {"level": "blue"}},
    {"room": 7},
]


def test_rooms_say_what_they_look_like() -> None:
    looks = Looks()
    looks.snapshot("rooms", {"rooms": ROOMS})
    assert looks.rooms == {"a": Room(3, False, 2, True), "b": Room(0, None, 1, False), "c": Room()}


def test_incidents_and_alarms_are_counted_and_what_is_out_of_sight_is_not() -> None:
    looks = Looks()
    looks.snapshot("incidents", {"incidents": [{"number": 1}, {"number": 2}]})
    alarms = [{"acknowledged": told, "shelved": shelved} for told in (True, False) for shelved in (True, False)]
    looks.snapshot("alarms", {"alarms": [*alarms, {"acknowledged": False, "shelved": False, "suppressed": True}]})
    assert (looks.incidents, looks.unanswered) == (2, 1)


def test_one_room_that_is_well_again_does_not_hide_another() -> None:
    looks = Looks()
    looks.event("tier.entered", 4, {"room": "a"})
    looks.event("tier.entered", 2, {"room": "b"})
    looks.event("tier.entered", 0, {"room": "b"})
    assert (looks.tier, looks.rooms["a"].tier, looks.rooms["b"].tier) == (4, 4, 0)
    looks.event("clock.stepped", 3, {})
    looks.event("tier.entered", None, {"room": "a"})
    assert looks.tier == 3
    looks.event("tier.entered", 1, {})  # of a site that does not tell its rooms
    assert looks.tier == 1


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
