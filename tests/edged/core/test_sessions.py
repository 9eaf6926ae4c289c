"""The course of a session: which act is possible when, the classes of E2, and the phases of rule 15."""

from dataclasses import replace

import pytest

from edged.core.observations import Act
from edged.core.phase import Phase
from edged.core.plan import Thresholds
from edged.core.rooms import Session
from edged.core.sessions import STEPS, Answer, answer, response_s, take
from tests.edged.core.room import Room, calm_room

LIMITS = Thresholds()
REQUESTED = Session("s-1", 100.0, requested_s=100.0)
JOINED = replace(REQUESTED, joined_s=120.0)
INJECTING = replace(JOINED, phase=Phase.INJECTING)
MONITORING = replace(JOINED, phase=Phase.MONITORING)


# ── E2 and rule 13: the response ──
@pytest.mark.parametrize(
    ("took_s", "found", "escalates"),
    [
        (0.0, Answer.BEST, False),
        (29.9, Answer.BEST, False),
        (30.0, Answer.ACCEPTABLE, True),
        (60.0, Answer.ACCEPTABLE, True),
        (60.1, Answer.LATE, True),
        (90.0, Answer.LATE, True),
        (90.1, Answer.AT_RISK, True),
        (3600.0, Answer.AT_RISK, True),
        (None, Answer.AT_RISK, True),
    ],
)
def test_e2_rule13_a_response_has_its_class_and_all_but_the_best_want_an_escalation_record(
    took_s: float | None, found: Answer, escalates: bool
) -> None:
    # Times of whole numbers and halves: the limits are exact.
    requested_s = None if took_s is None else 0.0
    session = Session("s-1", 0.0, requested_s=requested_s, joined_s=took_s or 0.0)
    assert answer(session, LIMITS) is found
    assert found.needs_escalation is escalates


def test_e2_a_response_is_measured_only_if_both_ends_of_it_are_known() -> None:
    assert response_s(JOINED) == 20.0
    assert response_s(REQUESTED) is None
    assert response_s(replace(JOINED, requested_s=None)) is None


def waited(seconds: float) -> Room:
    return calm_room(session=False).media().act(Act.SESSION_REQUESTED, "s-2").wait(seconds)


@pytest.mark.parametrize(
    ("after_s", "found", "escalates"), [(10, "best", False), (45, "acceptable", True), (75, "late", True)]
)
def test_e2_rule13_the_answer_is_recorded_counted_and_missing_escalation_is_raised_until_documented(
    after_s: float, found: str, escalates: bool
) -> None:
    room = waited(after_s).act(Act.SESSION_JOINED)
    told = room.last("session.answered").data
    assert (told["response_s"], told["response_class"], told["needs_escalation"]) == (after_s, found, escalates)
    assert room.state.tally[f"answered_{found}"] == 1
    assert ("session.not_escalated.raised" in room.names) is escalates
    room.act(Act.ESCALATED).wait(1)
    assert ("session.not_escalated", "room") not in room.state.conditions


def test_e2_rule13_an_escalation_may_be_documented_after_the_session_was_closed_and_of_no_other() -> None:
    room = waited(75).act(Act.SESSION_JOINED).wait(60).act(Act.SESSION_CLOSED).wait(1)
    told = room.act(Act.ESCALATED, "s-2").last("act.escalated").data
    assert (told["session"], told["room"]) == ("s-2", "room")
    assert room.room.session is None
    for other in (None, "s-3"):
        room.act(Act.ESCALATED, other)
        assert room.last("act.refused").data["refused"] == "no_session_is_open"


def test_e2_an_unmeasured_response_is_at_risk() -> None:
    room = calm_room(session=False).act(Act.SESSION_OPENED, "s-2")
    told = room.last("session.answered").data
    assert (told["response_s"], told["response_class"]) == (None, "at_risk")


def test_e2_a_request_nobody_answers_is_counted_once_after_ninety_seconds_and_given_up_or_not() -> None:
    room = waited(89)
    assert "session.unanswered" not in room.names
    room.wait(30)
    assert room.names.count("session.unanswered") == 1
    assert ("session.unanswered", "room") in room.state.conditions
    room.act(Act.SESSION_CLOSED)
    assert (room.state.tally["requested"], room.state.tally["unanswered"]) == (1, 1)
    assert "joined" not in room.state.tally


def test_e2_a_request_given_up_before_is_unanswered_too() -> None:
    room = waited(5).act(Act.SESSION_CLOSED)
    assert room.last("session.unanswered").data["waited_s"] == 5.0
    assert room.state.tally["unanswered"] == 1


def test_e2_who_joins_after_all_is_at_risk_and_the_alarm_ends() -> None:
    room = waited(95).act(Act.SESSION_JOINED).wait(1)
    assert room.last("session.answered").data["response_class"] == "at_risk"
    assert "session.unanswered.cleared" in room.names


def test_e2_rule8_a_restart_while_the_radiologist_is_awaited_does_not_flatter_the_response() -> None:
    after = waited(20).restarted(away_s=25).act(Act.SESSION_JOINED)
    assert after.last("session.answered").data["response_s"] == 45.0
    rebooted = waited(20).restarted(away_s=0, boot_age_s=40.0, wall_away_s=-900.0).act(Act.SESSION_JOINED)
    assert rebooted.last("session.answered").data["response_s"] == 60.0


# ── rule 15: phases ──
@pytest.mark.parametrize(
    ("session", "act", "after", "refused"),
    [
        (JOINED, Act.CONTRAST_STARTED, Phase.INJECTING, None),
        (JOINED, Act.CONTRAST_ENDED, Phase.PRE, "no_contrast_running"),
        (INJECTING, Act.CONTRAST_ENDED, Phase.MONITORING, None),
        (INJECTING, Act.MONITORING_ENDED, Phase.INJECTING, "not_monitoring"),
        (MONITORING, Act.MONITORING_ENDED, Phase.PRE, None),
        (MONITORING, Act.CONTRAST_STARTED, Phase.INJECTING, None),
        (INJECTING, Act.SESSION_CLOSED, Phase.CLOSED, None),
        (MONITORING, Act.SESSION_CLOSED, Phase.CLOSED, None),
        (REQUESTED, Act.SESSION_CLOSED, Phase.CLOSED, None),
    ],
)
def test_rule15_the_phases_of_a_session_follow_what_is_attested(
    session: Session, act: Act, after: Phase, refused: str | None
) -> None:
    taken = take(act, session, "s-1", None, 200.0)
    assert taken.session is not None
    assert (taken.session.phase, taken.refused, taken.repeated) == (after, refused, False)


def test_rule15_a_patient_may_react_from_the_start_of_contrast_to_the_end_of_its_monitoring() -> None:
    assert {phase for phase in Phase if phase.contrast_given} == {Phase.INJECTING, Phase.MONITORING}


def test_rule15_a_session_may_give_contrast_more_than_once() -> None:
    room = calm_room()
    for _ in range(2):
        for act in (Act.CONTRAST_STARTED, Act.CONTRAST_ENDED, Act.MONITORING_ENDED):
            room.act(act)
    assert not {"act.refused", "act.repeated"} & set(room.names)
    assert room.room.session is not None
    assert room.room.session.phase is Phase.PRE


# ── said twice, or about nothing ──
@pytest.mark.parametrize("act", STEPS)
def test_an_act_said_twice_changes_nothing_the_second_time(act: Act) -> None:
    start = {Act.CONTRAST_ENDED: INJECTING, Act.MONITORING_ENDED: MONITORING, Act.SESSION_JOINED: REQUESTED}
    once = take(act, None if STEPS[act].begins else start.get(act, JOINED), "s-1", None, 200.0)
    assert not once.refused
    over = once.session is not None and once.session.phase is Phase.CLOSED
    twice = take(act, None if over else once.session, "s-1", "s-1" if over else None, 300.0)
    assert (twice.repeated, twice.refused) == (True, None)
    assert twice.session == (None if over else once.session)


@pytest.mark.parametrize("act", STEPS)
def test_an_act_about_no_session_or_another_one_is_refused_by_name(act: Act) -> None:
    nothing = take(act, None, None, None, 200.0)
    assert nothing.refused == ("no_session_id" if STEPS[act].begins else "no_session_is_open")
    other = take(act, JOINED, "s-2", None, 200.0)
    assert other.refused == ("another_session_is_open" if STEPS[act].begins else "not_the_open_session")
    assert other.session == JOINED


def test_a_request_after_the_radiologist_joined_does_not_move_the_clock() -> None:
    opened = replace(JOINED, requested_s=None)
    assert take(Act.SESSION_REQUESTED, opened, "s-1", None, 200.0).repeated
    assert take(Act.SESSION_JOINED, JOINED, "s-1", None, 200.0).session == JOINED
