"""Which link the connection to the NOC is asked to take."""

from dataclasses import replace

import pytest

from edged.core.effects import ReportVia
from edged.core.plan import LinkPlan, LinkRole
from edged.core.state import State
from edged.core.uplink import best_link
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

UP, GRAY, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


def state_of(fiber: Verdict, cellular: Verdict, now_via: str | None) -> State:
    state = calm_room().link("fiber", fiber).link("cellular", cellular).state
    return replace(state, reported_via=now_via)


@pytest.mark.parametrize(
    ("fiber", "cellular", "now_via", "wanted"),
    [
        (UP, UP, "fiber", "fiber"),
        (UP, UP, "cellular", "fiber"),  # home again
        (DOWN, UP, "fiber", "cellular"),
        (DOWN, GRAY, "fiber", "cellular"),
        (DOWN, UNKNOWN, "fiber", "cellular"),
        (DOWN, UP, "cellular", "cellular"),
        (GRAY, UP, "fiber", "cellular"),
        (GRAY, GRAY, "fiber", "fiber"),
        (GRAY, DOWN, "cellular", "fiber"),
        (UP, DOWN, "fiber", "fiber"),
        (DOWN, DOWN, "fiber", None),  # the verdicts may be wrong about the NOC: let the router try
        (UNKNOWN, UP, "fiber", "fiber"),
        (UNKNOWN, UNKNOWN, None, "fiber"),
    ],
)
def test_the_best_living_link_carries_the_report(
    fiber: Verdict, cellular: Verdict, now_via: str | None, wanted: str | None
) -> None:
    assert best_link(SITE, state_of(fiber, cellular, now_via)) == wanted


def test_between_two_backups_that_are_as_good_nothing_moves() -> None:
    plan = replace(SITE, links=(*SITE.links, LinkPlan("another", LinkRole.BACKUP)))
    room = Room(plan).link("fiber", DOWN).link("cellular").link("another")
    assert best_link(plan, replace(room.state, reported_via="cellular")) == "cellular"
    assert best_link(plan, replace(room.state, reported_via="another")) == "another"


def test_the_connection_moves_with_the_verdict_and_not_with_the_router() -> None:
    room = calm_room().link("fiber", DOWN)
    assert ReportVia("cellular") in room.effects
    room.effects.clear()
    room.router("1").wait(2)
    assert not any(isinstance(effect, ReportVia) for effect in room.effects)
    room.link("fiber").wait(1)
    assert ReportVia("fiber") in room.effects


def test_a_site_without_a_broker_moves_nothing() -> None:
    room = Room(replace(SITE, has_broker=False)).link("fiber", DOWN).link("cellular")
    assert not any(isinstance(effect, ReportVia) for effect in room.effects)
