"""Who may be sent to find out what, and what the judge finds out by itself."""

from dataclasses import replace

import pytest

from edged.core.effects import Errand, Leave, Run
from edged.core.errands import refusal
from edged.core.observations import Act, Asked
from probes.reading import LinkCause, Verdict
from tests.edged.core.room import SITE, Room, calm_room

PLAN = replace(SITE, links=tuple(replace(link, proven=True, measurable=True) for link in SITE.links))
EVERY = set(Errand)


def ask(room: Room, errand: Errand, link: str) -> Room:
    room._hear(Asked(room.now, errand, link, "engineer", "operate"))
    return room


def runs(room: Room) -> list[Run]:
    found = [effect for effect in room.effects if isinstance(effect, Run)]
    room.effects.clear()
    return found


@pytest.mark.parametrize(
    ("story", "link", "refused"),
    [
        (lambda room: room, "fiber", set()),
        (lambda room: room.act(Act.SESSION_OPENED, "s1"), "fiber", {Errand.TRAIN, Errand.RAMP}),
        (lambda room: room.act(Act.SESSION_OPENED, "s1"), "cellular", {Errand.RAMP}),
        (lambda room: room.link("fiber", Verdict.DOWN), "fiber", {Errand.TRAIN, Errand.RAMP}),
        (lambda room: room, "satellite", EVERY),
    ],
    ids=["calm", "the link of the session", "the other link", "a dead link", "no such link"],
)
def test_no_measurement_where_a_session_might_feel_it(story: object, link: str, refused: set[Errand]) -> None:
    room = calm_room(PLAN, session=False)
    story(room)  # type: ignore[operator]
    assert {errand for errand in Errand if refusal(PLAN, room.state, errand, link)} == refused


def test_a_ramp_waits_for_tier_0() -> None:
    room = calm_room(PLAN, session=False)
    room.link("fiber", Verdict.DOWN).wait(5)
    assert room.state.tier > 0
    assert refusal(PLAN, room.state, Errand.RAMP, "cellular") == "tier_in_force"


def test_what_is_not_configured_is_refused_by_name() -> None:
    room = calm_room(session=False)
    assert refusal(SITE, room.state, Errand.TRAIN, "fiber") == "no_capacity_server"
    assert refusal(SITE, room.state, Errand.PROVE, "fiber") == "no_exit_settings"


def test_an_accepted_errand_runs_once_and_both_ways_are_audited() -> None:
    room = calm_room(PLAN, session=False)
    runs(room)
    assert runs(ask(room, Errand.TRAIN, "fiber").wait(5)) == [Run(Errand.TRAIN, "fiber")]
    assert room.last("errand.accepted").data["actor"] == "engineer"
    assert runs(ask(room, Errand.TRAIN, "satellite").wait(5)) == []
    assert room.last("errand.refused").data["refused"] == "no_such_link"


# ── of its own accord ──────────────────────────────────────────────────────────────────────────────────
def test_a_link_that_goes_down_has_its_path_looked_at_once_a_minute() -> None:
    room = calm_room(PLAN, session=False)
    runs(room)
    assert Run(Errand.DIAGNOSE, "fiber") in runs(room.link("fiber", Verdict.DOWN).wait(5))
    assert runs(room.link("fiber").wait(5).link("fiber", Verdict.DOWN).wait(5)) == []
    room.link("fiber").wait(60)
    runs(room)
    assert runs(room.link("fiber", Verdict.DOWN).wait(5)) == [Run(Errand.DIAGNOSE, "fiber")]


@pytest.mark.parametrize(("cause", "looked_at"), [(LinkCause.GRAY_LOSS, True), (LinkCause.DELAY, False)])
def test_loss_has_the_path_looked_at_and_a_full_queue_has_not(cause: LinkCause, looked_at: bool) -> None:
    room = calm_room(PLAN, session=False)
    runs(room)
    room._hear(replace(room.state.links["fiber"].reading, verdict=Verdict.DEGRADED, cause=cause, at_s=room.now))
    assert (Run(Errand.DIAGNOSE, "fiber") in runs(room)) is looked_at


def test_a_link_that_is_well_has_its_usual_path_looked_at_once() -> None:
    room = calm_room(PLAN, session=False).wait(30)
    for name in ("fiber", "cellular"):
        since_s = room.now
        room._hear(replace(room.state.links[name].reading, at_s=since_s + 21, since_s=since_s))
    assert sorted(run.link for run in runs(room) if run.errand is Errand.DIAGNOSE) == ["cellular", "fiber"]
    room._hear(replace(room.state.links["fiber"].reading, at_s=room.now + 60))
    assert runs(room) == []


def test_after_a_failover_every_door_is_looked_at() -> None:
    room = calm_room(PLAN, session=False)
    runs(room)
    assert set(runs(room.router("1"))) == {Run(Errand.PROVE, "fiber"), Run(Errand.PROVE, "cellular")}


def test_leave_to_measure_is_withdrawn_as_a_session_opens_and_given_back_after_it() -> None:
    room = calm_room(PLAN, session=False)
    room.effects.clear()
    room.act(Act.SESSION_OPENED, "s1")
    assert [effect for effect in room.effects if isinstance(effect, Leave)] == [
        Leave("fiber", trains=False, ramps=False),
        Leave("cellular", trains=True, ramps=False),
    ]
    room.effects.clear()
    room.act(Act.SESSION_CLOSED)
    assert [effect for effect in room.effects if isinstance(effect, Leave)] == [
        Leave("fiber", trains=True, ramps=True),
        Leave("cellular", trains=True, ramps=True),
    ]
