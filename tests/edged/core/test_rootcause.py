"""Of all that is wrong, the one thing to name."""

import pytest

from edged.core.rootcause import Cause, find
from edged.core.situation import situation
from probes.reading import Verdict
from tests.edged.core.room import Room, calm_room


def cause(room: Room) -> Cause:
    return find(room.plan, room.state, situation(room.plan, room.state, room.now)).cause


@pytest.mark.parametrize(("apart_s", "named"), [(0.5, Cause.LAN_OR_ROUTER), (10.0, Cause.ALL_LINKS_DOWN)])
def test_lines_that_fall_together_point_at_what_they_share(apart_s: float, named: Cause) -> None:
    room = calm_room(session=False).router(None)
    room.router("0").link("fiber", Verdict.DOWN).wait(apart_s).link("cellular", Verdict.DOWN)
    assert cause(room) is named


def test_a_router_that_still_answers_after_the_fall_clears_the_lan() -> None:
    room = calm_room(session=False).link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    assert cause(room) is Cause.LAN_OR_ROUTER
    assert cause(room.wait(5)) is Cause.ALL_LINKS_DOWN


def test_a_router_that_falls_silent_with_its_lines_is_named() -> None:
    room = calm_room(session=False).link("fiber", Verdict.DOWN).wait(10).link("cellular", Verdict.DOWN)
    assert cause(room.router(None).wait(5)) is Cause.LAN_OR_ROUTER
