"""Deadlines for people: rule 8's phone, rule 11's mobile workstation, rule 4's word. Early perhaps, never late."""

from dataclasses import replace

import pytest

from edged.core.observations import Act
from edged.core.timers import ROWS
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

Story = list[tuple[str, str]]


def lost(room: Room) -> Room:
    return room.media(audio=False, video=False)


def timers(room: Room) -> Story:
    """What was told of deadlines: (timer, what became of it), in order."""
    found = [(e.data["timer"], e.name) for e in room.events if e.name.startswith("timer.")]
    return [(str(timer), name.removeprefix("timer.")) for timer, name in found]


def due_in_s(room: Room, timer: str) -> float:
    return room.room.timers[timer].due_s - room.now


def test_rule8_rule11_a_loss_starts_the_timers_of_phone_and_mobile_at_its_onset_each_of_two_minutes() -> None:
    room = lost(calm_room()).wait(1)
    assert timers(room) == [("phone", "started"), ("mobile", "started")]
    assert {name: due_in_s(room, name) for name in ("phone", "mobile")} == {"phone": 119.0, "mobile": 119.0}
    told = room.last("timer.started").data
    assert (told["room"], told["session"], told["due_in_s"]) == ("room", "s-1", 120.0)


@pytest.mark.parametrize(
    ("act", "story"),
    [
        (Act.PHONE_CONFIRMED, [("phone", "met"), ("mobile", "expired")]),
        (Act.MOBILE_UP, [("mobile", "met"), ("phone", "expired")]),
        (Act.ONSITE_PRESENT, [("phone", "met"), ("mobile", "met")]),
        (Act.CONTINUITY_CONFIRMED, [("phone", "expired"), ("mobile", "expired")]),
        (Act.ACKNOWLEDGED, [("phone", "expired"), ("mobile", "expired")]),
    ],
)
def test_rule11_both_timers_run_and_both_are_recorded_whichever_is_met(act: Act, story: Story) -> None:
    room = lost(calm_room()).wait(20).act(act).wait(110)
    assert timers(room)[2:] == story


def test_c3_the_time_until_the_mobile_workstation_took_over_is_recorded() -> None:
    room = lost(calm_room()).wait(42.5).act(Act.MOBILE_UP)
    met = room.last("timer.met").data
    assert (met["timer"], met["ran_s"]) == ("mobile", 42.5)


def test_c3_rule11_a_mobile_workstation_that_is_late_is_an_alarm_until_it_is_up() -> None:
    room = lost(calm_room()).wait(121)
    assert ("mobile.late", "room") in room.state.conditions
    room.act(Act.MOBILE_UP).wait(1)
    assert "mobile.late.cleared" in room.names


def test_rule8_what_was_attested_before_the_loss_does_not_meet_its_timer() -> None:
    room = lost(calm_room().act(Act.PHONE_CONFIRMED).wait(2)).wait(121)
    assert ("phone", "expired") in timers(room)
    assert room.state.tier == 4


def test_rule8_the_timer_is_over_when_both_media_live_again_and_a_new_loss_has_its_own() -> None:
    room = lost(calm_room()).wait(10).media().wait(40)
    assert timers(room)[2:] == [("phone", "over"), ("mobile", "over")]
    lost(room).wait(1)
    assert due_in_s(room, "phone") == 119.0


def test_rule5_rule8_rule11_the_sound_alone_lost_starts_the_timers_and_its_return_ends_them() -> None:
    room = calm_room().media(audio=False).wait(10)
    assert timers(room) == [("phone", "started"), ("mobile", "started")]
    assert (due_in_s(room, "phone"), due_in_s(room, "mobile")) == (110.0, 110.0)
    room.media(video=False).wait(1)
    assert timers(room)[2:] == [("phone", "over"), ("mobile", "over")]


def test_rule5_rule8_a_picture_that_comes_back_without_the_sound_ends_no_deadline() -> None:
    room = lost(calm_room()).wait(30).media(audio=False).wait(30)
    assert due_in_s(room, "phone") == 60.0


def test_rule5_rule7_unknown_sound_after_lost_sound_is_not_live() -> None:
    room = calm_room().media(audio=False).wait(30).media(audio=None).wait(30)
    assert due_in_s(room, "phone") == 60.0


def test_rule8_a_short_return_gives_no_new_two_minutes() -> None:
    room = lost(calm_room()).wait(60).media().wait(2)
    lost(room).wait(1)
    assert due_in_s(room, "phone") == 57.0


@pytest.mark.parametrize(("act", "word"), [(Act.PHONE_CONFIRMED, "met"), (Act.CONTINUITY_CONFIRMED, "expired")])
def test_rule8_what_was_met_or_missed_is_not_told_again_when_the_loss_returns_soon(act: Act, word: str) -> None:
    room = lost(calm_room()).wait(5).act(act).wait(120)
    before = timers(room)
    assert ("phone", word) in before
    lost(room.media().wait(5)).wait(5).media().wait(5)
    assert timers(room) == before
    assert "phone" not in room.wait(40).room.timers


def test_rule4_a_failover_asks_for_a_word_within_thirty_seconds_and_a_failback_for_another() -> None:
    room = calm_room().router("1").wait(5).act(Act.CONTINUITY_CONFIRMED)
    assert timers(room) == [("confirm", "started"), ("confirm", "met")]
    room.wait(1).router("0").wait(31)
    assert timers(room)[2:] == [("confirm", "started"), ("confirm", "expired")]


def test_rule4_a_failback_before_the_word_on_the_failover_begins_no_new_deadline() -> None:
    room = calm_room().router("1").wait(20).router("0").wait(5)
    assert due_in_s(room, "confirm") == 5.0
    room.act(Act.CONTINUITY_CONFIRMED).wait(60)
    assert timers(room) == [("confirm", "started"), ("confirm", "met")]


def test_rule17_a_deadline_that_was_missed_ends_with_its_session_though_no_line_is_back() -> None:
    room = calm_room(replace(SITE, has_media=False)).silence("media:").wait(4)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(125)
    assert ("mobile.late", "room") in room.state.conditions
    room.act(Act.SESSION_CLOSED).wait(1)
    assert room.room.timers == {}
    assert ("mobile.late", "room") not in room.state.conditions


@pytest.mark.parametrize(("opened", "onset_kept"), [("s-1", True), ("s-2", False)])
def test_rule8_a_session_closed_by_mistake_and_opened_again_gets_no_new_two_minutes_but_another_one_does(
    opened: str, onset_kept: bool
) -> None:
    room = lost(calm_room()).wait(100).act(Act.SESSION_CLOSED).wait(5).act(Act.SESSION_OPENED, opened)
    assert due_in_s(room, "phone") == (15.0 if onset_kept else 120.0)
    room.wait(20)
    assert (room.state.tier == 4) is onset_kept


def test_rule8_t4_the_radiologist_of_one_session_on_the_phone_is_no_contact_of_the_next() -> None:
    room = lost(calm_room()).wait(10).act(Act.PHONE_CONFIRMED).wait(1)
    room.act(Act.SESSION_CLOSED).act(Act.SESSION_OPENED, "s-2")
    assert 119 <= room.seconds_to(4, within_s=121) <= 121


@pytest.mark.parametrize("requested", [False, True])
def test_rule17_without_a_radiologist_in_session_no_timer_runs(requested: bool) -> None:
    room = calm_room(session=False)
    if requested:
        room.act(Act.SESSION_REQUESTED, "s-2")
    lost(room).link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).router("1").wait(30)
    assert timers(room) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize(
    ("away_s", "boot_age_s", "wall_away_s", "counted_s"),
    [
        pytest.param(15.0, None, None, 15.0, id="killed, and back on the same boot"),
        pytest.param(15.0, None, 4000.0, 15.0, id="the wall clock set forwards meanwhile"),
        pytest.param(15.0, None, -4000.0, 15.0, id="the wall clock set back meanwhile"),
        pytest.param(0.0, 18.0, 18.0, 18.0, id="rebooted"),
        pytest.param(0.0, 12.0, 25.0, 25.0, id="rebooted after a while without power"),
        pytest.param(0.0, 20.0, -86400.0, 20.0, id="rebooted, and the clock's battery is empty"),
        pytest.param(0.0, 20.0, 1e9, 1e9, id="rebooted into another century: the worst is believed"),
    ],
)
def test_rule8_rule11_rule4_a_deadline_goes_on_over_kill_reboot_and_steps_of_the_wall_clock(
    row: object, away_s: float, boot_age_s: float | None, wall_away_s: float | None, counted_s: float
) -> None:
    name = getattr(row, "name", "")
    room = (calm_room().router("1") if name == "confirm" else lost(calm_room())).wait(4)
    before_s = due_in_s(room, name)
    after = room.restarted(away_s=away_s, boot_age_s=boot_age_s, wall_away_s=wall_away_s)
    assert due_in_s(after, name) == pytest.approx(before_s - counted_s)
    assert "timer.started" not in after.names
    after.wait(max(0.0, before_s - counted_s))
    assert (name, "expired") in timers(after)


def test_rule8_a_timer_met_or_missed_before_a_restart_is_not_told_again() -> None:
    room = lost(calm_room()).wait(5).act(Act.PHONE_CONFIRMED).wait(120)
    after = room.restarted(away_s=9).wait(30)
    assert timers(after) == []
    assert after.room.timers["phone"].met
    assert after.room.timers["mobile"].expired


def test_rule8_a_site_without_an_observer_keeps_its_two_minutes_over_a_restart_in_the_first_seconds_of_a_loss() -> None:
    room = calm_room(replace(SITE, has_media=False)).silence("media:").wait(4)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(2)  # before tier 3's dwell
    before_s = room.room.timers["phone"].due_s - room.now
    after = room.restarted(away_s=5)
    after.wait(1)
    assert after.room.timers["phone"].due_s - after.now <= before_s - 6


def test_rule8_t4_a_call_that_was_answered_and_then_broke_off_is_no_contact() -> None:
    room = calm_room().media(audio=False, video=False).wait(10).act(Act.PHONE_CONFIRMED)
    room.wait(20).act(Act.PHONE_FAILED).wait(1)
    assert room.state.tier == 4
    assert not room.room.timers["phone"].met


def test_rule4_a_radiologist_who_joins_after_a_failover_has_nothing_to_confirm() -> None:
    room = calm_room(session=False).media().router("1").wait(40).act(Act.SESSION_OPENED, "s-2").wait(1)
    assert room.state.tier == 2
    assert "confirm" not in room.room.timers
    assert room.wait(25).state.tier == 0  # 60 s stable


def test_rule8_somebody_who_came_counts_though_a_call_failed_after_it() -> None:
    room = calm_room().media(audio=False, video=False).wait(10).act(Act.ONSITE_PRESENT)
    room.act(Act.PHONE_FAILED).wait(150)
    assert "timer.expired" not in [each.name for each in room.events if each.data.get("timer") == "phone"]
    assert room.room.timers["phone"].met
