"""What is found out of a line: kept, recorded when it is news, and told as conditions."""

from dataclasses import replace

import pytest

from edged.core.plan import Plan
from probes.line_reading import (
    CapacityReading,
    DiesAt,
    ExitReading,
    MeasureFailed,
    MeasureTrouble,
    Method,
    PathReading,
    StandbyReading,
)
from probes.reading import BudgetReading, Direction, LinkCause, Verdict
from tests.edged.core.room import SITE, Room, calm_room

OWN = {"fiber": ("100.64.1.2", "100.64.1.1"), "cellular": ("100.64.2.2", "100.64.2.1")}
PROVEN = replace(SITE, links=tuple(replace(link, proven=True, standby=True, measurable=True) for link in SITE.links))


def room(plan: Plan = PROVEN) -> Room:
    return calm_room(plan, session=False)


def leaves(room: Room, link: str, by: str | None = None) -> Room:
    mapped, provider = OWN[by or link]
    room._hear(ExitReading(link, room.now, mapped, ("10.77.0.1", provider)))
    return room


def measured(room: Room, link: str, mbit: float, *directions: Direction) -> Room:
    for direction in directions or tuple(Direction):
        rate = mbit * 1e6
        room._hear(CapacityReading(link, room.now, direction, Method.TRAIN, rate, rate, rate, 0.9, 1000))
    return room


def raised(room: Room) -> set[tuple[str, str]]:
    return {key for key, latch in room.state.conditions.items() if latch.raised}


# ── doors ──────────────────────────────────────────────────────────────────────────────────────────────
def test_links_that_leave_by_their_own_doors_raise_nothing() -> None:
    assert not raised(leaves(leaves(room(), "fiber"), "cellular"))


def test_links_never_seen_apart_share_a_provider() -> None:
    assert raised(leaves(leaves(room(), "fiber"), "cellular", by="fiber")) == {("exit.shared", "cellular")}


@pytest.mark.parametrize(("link", "other"), [("fiber", "cellular"), ("cellular", "fiber")])
def test_a_link_that_later_leaves_by_the_others_door_is_not_pinned(link: str, other: str) -> None:
    seen = leaves(leaves(room(), "fiber"), "cellular")
    assert raised(leaves(seen, link, by=other)) == {("exit.not_own", link)}
    assert not raised(leaves(seen, link))


def test_an_exit_that_cannot_be_seen_neither_raises_nor_clears() -> None:
    seen = leaves(leaves(leaves(room(), "fiber"), "cellular"), "fiber", by="cellular")
    seen._hear(ExitReading("fiber", seen.now, None, ()))
    assert raised(seen) == {("exit.not_own", "fiber")}


def test_an_exit_is_recorded_when_it_changes() -> None:
    seen = leaves(leaves(leaves(room(), "fiber"), "fiber"), "fiber", by="cellular")
    assert [event.data["mapped"] for event in seen.events if event.name == "exit.seen"] == ["100.64.1.2", "100.64.2.2"]


# ── standby, capacity, budget, reflectors ──────────────────────────────────────────────────────────────
def standby(fit: bool | None, *lacks: str) -> StandbyReading:
    return StandbyReading("cellular", 0.0, 1500, 46, 46, 2e7, 2e7, 0.0, fit, lacks)


def test_an_unfit_standby_is_told_with_what_it_lacks_and_cleared_when_fit() -> None:
    told = room()
    told._hear(standby(None))
    assert not raised(told)
    told._hear(standby(False, "mtu", "dscp"))
    assert raised(told) == {("standby.unfit", "cellular")}
    assert told.last("standby.judged").data["lacks"] == ["mtu", "dscp"]
    told._hear(standby(True))
    assert not raised(told)


@pytest.mark.parametrize(("mbit", "small"), [(5.9, True), (6.1, False)])
def test_a_line_too_small_for_one_session_with_headroom_is_told(mbit: float, small: bool) -> None:
    assert (("capacity.too_small", "cellular") in raised(measured(room(), "cellular", mbit))) is small


def test_a_failed_measurement_is_recorded_and_unsays_nothing() -> None:
    tried = measured(room(), "cellular", 5)
    tried._hear(MeasureFailed("cellular", tried.now, Direction.UP, Method.TRAIN, MeasureTrouble.NO_ANSWER, 40))
    assert tried.last("capacity.not_measured").data["why"] == "no_answer"
    assert raised(tried) == {("capacity.too_small", "cellular")}


def test_a_metered_link_over_its_budget_and_silent_reflectors_each_have_a_condition() -> None:
    told = room()
    reading = told.state.links["cellular"].reading
    budget = BudgetReading("2026-11", 20_000_000, 20_000_000, True)
    told._hear(replace(reading, cause=LinkCause.REFLECTOR, verdict=Verdict.DEGRADED, budget=budget))
    assert raised(told) == {
        ("link.degraded", "cellular"),
        ("link.reflector_fault", "cellular"),
        ("link.over_budget", "cellular"),
    }


def test_a_diagnosis_is_recorded_whole() -> None:
    told = room()
    told._hear(
        PathReading(
            "fiber", told.now, "198.51.100.20", DiesAt.ROUTER, "10.77.0.1", None, None, None, {"dies_at": "router"}
        )
    )
    assert told.last("path.diagnosed").data == {"at": "fiber", "dies_at": "router"}
