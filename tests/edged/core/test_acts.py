"""What people attest: which room it is about, whether it can be, what it leaves behind; each an audit event (H3)."""

from dataclasses import replace

import pytest

from edged.core.acts import BY_CONNECTIVITY
from edged.core.observations import AccessRefused, Act, Commanded, PersonActed, Reason
from edged.core.sessions import STEPS
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

TWO = replace(SITE, rooms=("angio", "ct"))
WITH_SUBJECT = (Act.SHELVED, Act.UNSHELVED, Act.REACTION_MARKED)


def acted(room: Room) -> list[str]:
    return [name for name in room.names if name.startswith("act.")]


# ── H3: the audit ──
@pytest.mark.parametrize("act", Act)
def test_h3_every_act_done_repeated_or_refused_is_an_audit_event_with_who_role_and_why(act: Act) -> None:
    for session in (True, False):
        room = calm_room(session=session).act(act, "s-1", reason=Reason.CLINICAL, subject="m-1", for_s=60.0)
        [event] = [event for event in room.events if event.name.startswith("act.")]
        assert event.name in (f"act.{act.value}", "act.repeated", "act.refused")
        wanted = {"act": act.value, "actor": "tech", "role": "operate", "reason": "clinical", "session": "s-1"}
        assert wanted.items() <= event.data.items()
        assert ("refused" in event.data) is (event.name == "act.refused")


def test_h3_h2_a_signed_command_is_recorded_with_whose_key_and_role_and_so_is_a_refused_one() -> None:
    room = calm_room()
    room.hear(Commanded(room.now, "c-1", "session_open", "noc-duty", "operate", None))
    assert {"id": "c-1", "key": "noc-duty", "role": "operate"}.items() <= room.last("command.done").data.items()
    room.hear(Commanded(room.now, "c-2", "reload", None, None, "bad_signature", count=3))
    told = room.last("command.refused").data
    assert (told["refused"], told["count"], told["key"]) == ("bad_signature", 3, None)


def test_h4_refused_access_is_recorded_with_who_as_what_and_what_was_asked() -> None:
    room = calm_room()
    room.hear(AccessRefused(room.now, "eve", "view", "act"))
    assert room.last("access.refused").data == {"actor": "eve", "role": "view", "asked": "act"}
    assert room.state.tier == 0


# ── C2, E5, E6: codes, markers, outcomes ──
def test_c2_that_the_phone_was_used_and_why_is_recorded_as_a_code() -> None:
    room = calm_room().media(audio=False, video=False).wait(5)
    assert room.doc()["tier"]["also_say"] == SITE.protocol.phone_prompt  # type: ignore[index]
    room.act(Act.PHONE_CONFIRMED, reason=Reason.LINE_FAILED)
    told = room.last("act.phone_confirmed").data
    assert (told["reason"], told["session"], told["room"]) == ("line_failed", "s-1", "room")


def test_c2_without_a_fallback_to_the_phone_nobody_is_prompted() -> None:
    assert calm_room().media(video=False).wait(5).doc()["tier"]["also_say"] is None  # type: ignore[index]


def test_e5_a_reaction_is_an_opaque_marker_that_changes_nothing_and_without_one_it_is_refused() -> None:
    room = calm_room()
    before = room.state
    room.act(Act.REACTION_MARKED, subject="r-77")
    assert room.last("act.reaction_marked").data["subject"] == "r-77"
    assert (room.state.tier, room.room.session) == (before.tier, before.rooms["room"].session)
    room.act(Act.REACTION_MARKED)
    assert room.last("act.refused").data["refused"] == "no_marker"


@pytest.mark.parametrize("act", [Act.HELD, Act.HALTED, Act.RESCHEDULED])
@pytest.mark.parametrize("reason", Reason)
def test_e6_what_was_held_halted_or_rescheduled_is_counted_and_whether_the_line_was_to_blame(
    act: Act, reason: Reason
) -> None:
    room = calm_room().act(act, reason=reason)
    by_line = reason in (Reason.LINE_FAILED, Reason.DEGRADED)
    assert room.last(f"act.{act.value}").data["by_connectivity"] is by_line
    assert room.state.tally[act.value] == 1
    assert room.state.tally.get(f"{act.value}_by_connectivity", 0) == int(by_line)
    assert (reason in BY_CONNECTIVITY) is by_line


def test_e6_the_counts_outlive_a_restart() -> None:
    room = calm_room().act(Act.HALTED, reason=Reason.LINE_FAILED)
    after = room.restarted(away_s=3).act(Act.HALTED, reason=Reason.COVERAGE)
    assert (after.state.tally["halted"], after.state.tally["halted_by_connectivity"]) == (2, 1)


def test_e7_nothing_a_person_says_reaches_an_event_but_codes_and_opaque_ids() -> None:
    """No field of an act is free text: what is not an id is one of a closed list."""
    free = {name for name, kind in PersonActed.__annotations__.items() if kind in (str, str | None)}
    assert free == {"actor", "role", "session", "room", "subject"}
    assert all(reason.value.replace("_", "").isalpha() for reason in Reason)


# ── which room ──
def two_rooms(*with_session: str) -> Room:
    room = Room(TWO).link("fiber").link("cellular").router("0").phone(True)
    for name in with_session:
        room.media(room=name).act(Act.SESSION_OPENED, f"s-{name}", room=name)
    room.wait(1)
    room.events.clear()
    return room


@pytest.mark.parametrize(
    ("open_in", "act", "said", "meant"),
    [
        ([], Act.SESSION_OPENED, {"room": "ct", "session": "s-9"}, "ct"),
        ([], Act.SESSION_OPENED, {"session": "s-9"}, None),
        (["ct"], Act.SESSION_OPENED, {"session": "s-9"}, None),  # the other room may be meant
        (["ct"], Act.PHONE_CONFIRMED, {}, "ct"),
        (["ct", "angio"], Act.PHONE_CONFIRMED, {}, None),
        (["ct", "angio"], Act.PHONE_CONFIRMED, {"session": "s-ct"}, "ct"),
        (["ct", "angio"], Act.PHONE_CONFIRMED, {"room": "angio"}, "angio"),
        (["ct", "angio"], Act.SESSION_CLOSED, {"session": "s-angio"}, "angio"),
        ([], Act.ONSITE_PRESENT, {}, None),
    ],
)
def test_an_act_is_about_the_room_named_or_that_of_its_session_or_the_only_one_and_else_asks_which_room(
    open_in: list[str], act: Act, said: dict[str, str], meant: str | None
) -> None:
    room = two_rooms(*open_in).act(act, said.get("session"), room=said.get("room"))
    [event] = [event for event in room.events if event.name.startswith("act.")]
    assert event.data.get("refused") == (None if meant else "which_room")
    assert event.data["room"] == meant


def test_a_room_that_does_not_exist_is_refused() -> None:
    assert two_rooms().act(Act.HELD, room="mri").last("act.refused").data["refused"] == "no_such_room"


def test_closing_again_the_session_closed_last_finds_its_room_and_is_repeated() -> None:
    room = two_rooms("ct", "angio").act(Act.SESSION_CLOSED, "s-ct").act(Act.SESSION_CLOSED, "s-ct")
    assert acted(room) == ["act.session_closed", "act.repeated"]
    assert room.last("act.repeated").data["room"] == "ct"
    assert room.state.rooms["angio"].session is not None


def test_a_word_about_a_session_that_is_not_open_is_refused() -> None:
    room = calm_room().act(Act.PHONE_CONFIRMED, "s-7")
    assert room.last("act.refused").data["refused"] == "not_the_open_session"
    assert Act.PHONE_CONFIRMED not in room.room.acted_s


# ── alarms ──
@pytest.mark.parametrize(
    ("act", "subject", "for_s", "refused"),
    [
        (Act.ACKNOWLEDGED, "link.down fiber", None, None),
        (Act.ACKNOWLEDGED, "link.down cellular", None, "no_such_alarm"),
        (Act.SHELVED, "link.down fiber", 600.0, None),
        (Act.SHELVED, "link.down fiber", 8 * 3600.0, None),
        (Act.SHELVED, "link.down fiber", 8 * 3600.0 + 1, "shelf_too_long"),
        (Act.SHELVED, "link.down fiber", 0.0, "shelf_too_long"),
        (Act.SHELVED, "link.down fiber", None, "shelf_too_long"),
        (Act.SHELVED, None, 600.0, "no_such_alarm"),
        (Act.SHELVED, "link.down nowhere", 600.0, "no_such_alarm"),
        (Act.UNSHELVED, None, None, "no_such_alarm"),
    ],
)
def test_an_alarm_is_acknowledged_or_shelved_only_where_it_stands_and_for_one_shift_at_most(
    act: Act, subject: str | None, for_s: float | None, refused: str | None
) -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(1).act(act, subject=subject, for_s=for_s)
    assert room.last("act.refused" if refused else f"act.{act.value}").data.get("refused") == refused


def test_t4_rule9_who_acknowledges_an_alarm_has_not_acknowledged_tier_4() -> None:
    room = calm_room().phone(False).media(audio=False, video=False).link("cellular", Verdict.DOWN).wait(5)
    assert room.state.tier == 4
    room.act(Act.ACKNOWLEDGED, subject="link.down cellular").link("cellular").media().phone(True).wait(40)
    assert room.state.tier == 4
    assert room.act(Act.ACKNOWLEDGED).state.tier < 4


def test_acts_that_change_a_session_are_the_ones_of_its_table() -> None:
    assert {act for act in Act if act.value.startswith(("session_", "contrast_", "monitoring_"))} < set(STEPS)


def test_c1_rule8_once_somebody_was_reached_nobody_is_told_to_call_again_or_how_long_is_left() -> None:
    room = calm_room().media(audio=False, video=False).link("fiber", Verdict.DOWN)
    room.link("cellular", Verdict.DOWN).wait(9)
    calling = room.doc()["tier"]
    assert isinstance(calling, dict)
    assert calling["say"] == SITE.protocol.responses["t3.av"].say
    assert 110 <= calling["due_in_s"] <= 111.5  # of the two minutes from the onset, not from the tier
    room.act(Act.PHONE_CONFIRMED).wait(1)
    spoken = room.doc()["tier"]
    assert isinstance(spoken, dict)
    assert (spoken["say"], spoken["due_in_s"]) == (SITE.protocol.on_the_phone, None)
    room.media(audio=True, video=True).link("fiber").link("cellular").wait(60)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).media(audio=False, video=False).wait(9)
    again = room.doc()["tier"]
    assert isinstance(again, dict)
    assert again["say"] == SITE.protocol.responses["t3.av"].say


def test_e1_contrast_without_a_radiologist_is_recorded_and_raises_an_alarm_until_somebody_joins() -> None:
    room = calm_room(session=False).act(Act.SESSION_REQUESTED, "s-9").act(Act.CONTRAST_STARTED).wait(1)
    assert "act.contrast_started" in room.names
    assert room.last("session.unsupervised.raised").data["at"] == "room"
    assert "session.unsupervised.cleared" in room.act(Act.SESSION_JOINED).wait(1).names


def test_e5_a_reaction_may_be_marked_after_its_session_was_closed() -> None:
    room = calm_room().act(Act.SESSION_CLOSED).act(Act.REACTION_MARKED, "s-1", subject="m-1")
    assert room.last("act.reaction_marked").data["session"] == "s-1"
    assert (
        room.act(Act.REACTION_MARKED, "s-0", subject="m-2").last("act.refused").data["refused"]
        == "not_the_open_session"
    )
