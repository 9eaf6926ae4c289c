"""What an errand's result is recognised by, and how it is said."""

from typing import Any

import pytest

from edged.cli import errands

FIGURE = {"rate_bps": 93.6e6, "low_bps": 93e6, "high_bps": 99e6, "confidence": 0.92, "method": "ramp", "age_s": 1.0}
FAILED = {"method": "ramp", "why": "users_hurt", "age_s": 0.5}


def link(**known: Any) -> dict[str, Any]:
    nothing = {"capacity": None, "not_measured": {"up": None, "down": None}, "exit": None, "path": None}
    return {"link": "fiber", **nothing, **known}


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ({}, False),
        ({"capacity": {"up": FIGURE, "down": None}}, False),  # one direction is still under way
        ({"capacity": {"up": FIGURE, "down": FIGURE}}, True),
        ({"capacity": {"up": FIGURE, "down": {**FIGURE, "age_s": 30.0}}}, False),  # of an earlier ramp
        ({"capacity": {"up": FIGURE, "down": {**FIGURE, "method": "passive"}}}, False),  # users, meanwhile
        ({"capacity": {"up": FIGURE, "down": None}, "not_measured": {"up": None, "down": FAILED}}, True),
        ({"not_measured": {"up": FAILED, "down": FAILED}}, True),
    ],
)
def test_a_measurement_has_come_when_both_directions_were_tried_by_this_method_since(
    known: dict[str, Any], found: bool
) -> None:
    assert errands._FOUND["ramp"](link(**known), 5.0) is found


@pytest.mark.parametrize(("age_s", "found"), [(0.1, True), (60.0, False)])
def test_an_older_look_is_not_taken_for_the_new_one(age_s: float, found: bool) -> None:
    assert errands._FOUND["prove"](link(exit={"mapped": None, "hops": [], "age_s": age_s}), 2.0) is found
    assert errands._FOUND["diagnose"](link(path={"age_s": age_s}), 2.0) is found


def test_figures_are_said_with_their_bounds_and_a_failure_with_its_reason() -> None:
    open_ended = {**FIGURE, "high_bps": 10e9}
    known = {"capacity": {"up": open_ended, "down": FIGURE}, "not_measured": {"up": None, "down": FAILED}}
    assert errands.said("ramp", link(**known)) == [
        "fiber up: 94 Mbit/s by ramp (93 or more, 92 % sure)",
        "fiber down: no figure by ramp: stopped, for somebody needed the line",
    ]


@pytest.mark.parametrize(
    ("known", "in_vain"),
    [
        ({"capacity": {"up": FIGURE, "down": FIGURE}}, False),
        ({"capacity": {"up": FIGURE, "down": None}, "not_measured": {"up": None, "down": FAILED}}, False),
        ({"not_measured": {"up": FAILED, "down": FAILED}}, True),
        (
            {
                "capacity": {"up": {**FIGURE, "age_s": 60.0}, "down": None},
                "not_measured": {"up": FAILED, "down": FAILED},
            },
            True,
        ),
    ],
)
def test_a_measurement_without_any_figure_was_in_vain(known: dict[str, Any], in_vain: bool) -> None:
    assert errands.in_vain("ramp", link(**known)) is in_vain


def test_a_door_is_said_with_what_is_not_known_of_it() -> None:
    seen = link(exit={"mapped": "100.64.1.2", "hops": ["10.77.0.1", None, "100.64.1.1"], "age_s": 0.1})
    assert errands.said("prove", seen) == [
        "fiber is seen from outside as 100.64.1.2",
        "  over 10.77.0.1 → * → 100.64.1.1",
    ]
    unseen = link(exit={"mapped": None, "hops": [], "age_s": 0.1})
    assert "STUN server does not answer" in errands.said("prove", unseen)[0]


def test_a_diagnosis_that_could_not_be_made_says_why() -> None:
    path = {"trouble": "no_scapy", "document": {}, "age_s": 0.1}
    assert errands.said("diagnose", link(path=path)) == ["fiber: no path diagnosis: scapy is not installed"]
