"""What people are shown and asked for: the row that demands something leads, and nothing done is asked for again."""

from typing import Any

from edged.core.observations import Act
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

SAID = SITE.protocol.responses


def shown(room: Room) -> Any:
    return room.doc()["tier"]


def test_t2_rule10_a_lost_picture_leads_before_a_failover_that_was_confirmed_and_only_settles() -> None:
    room = calm_room().router("1").link("cellular", Verdict.DEGRADED).wait(3).act(Act.CONTINUITY_CONFIRMED).wait(5)
    room.media(video=False).wait(3)
    assert shown(room)["say"] == SAID["t2.video"].say
    assert room.last("response.demanded").data["row"] == "t2.video"


def test_t6_rule10_what_the_word_on_a_failover_leaves_to_be_done_is_told_when_it_is_given() -> None:
    room = calm_room().router("1").link("cellular", Verdict.DEGRADED).media(video=False).wait(5)
    assert shown(room)["say"] == SAID["t2.failover"].say
    assert room.act(Act.CONTINUITY_CONFIRMED).last("response.demanded").data["row"] == "t2.video"
    after = room.restarted(away_s=1).wait(3)
    assert "response.demanded" not in after.names
    assert shown(after)["say"] == SAID["t2.video"].say


def test_t2_who_confirmed_aloud_after_the_picture_was_lost_has_no_deadline_left_and_still_starts_no_injection() -> None:
    room = calm_room().media(video=False).wait(5)
    assert shown(room)["due_in_s"] is not None
    room.act(Act.CONTINUITY_CONFIRMED).wait(40)
    assert (shown(room)["say"], shown(room)["due_in_s"]) == (SAID["t2.video"].say, None)


def test_t3_with_somebody_on_site_no_call_is_due_any_more() -> None:
    room = calm_room().media(audio=False, video=False).wait(10)
    assert shown(room)["due_in_s"] == 110.0
    assert shown(room.act(Act.ONSITE_PRESENT).wait(150))["due_in_s"] is None


def test_t3_nobody_stays_on_the_phone_after_the_call_broke_off() -> None:
    room = calm_room().media(audio=False, video=False).wait(10).act(Act.PHONE_CONFIRMED).wait(5)
    assert shown(room)["say"] == SITE.protocol.on_the_phone
    room.act(Act.ONSITE_PRESENT).act(Act.PHONE_FAILED).wait(5)
    assert shown(room)["say"] == SAID["t3.av"].say


def test_t3_once_the_sound_is_back_nobody_is_sent_to_the_phone_because_it_is_lost() -> None:
    room = calm_room().media(audio=False, video=False).wait(20).media(video=False).wait(20)
    assert room.state.tier == 3
    said = (SITE.protocol.clearing[3], SAID["t2.video"].say, None)
    assert (shown(room)["say"], shown(room)["also_say"], shown(room)["due_in_s"]) == said


def test_t3_rule4_on_the_phone_after_an_unconfirmed_failover_the_word_it_waits_for_is_asked_for() -> None:
    room = calm_room().router("1").wait(31).act(Act.PHONE_CONFIRMED).wait(1)
    assert (shown(room)["say"], shown(room)["also_say"]) == (SITE.protocol.on_the_phone, SAID["t2.failover"].say)
    assert room.act(Act.CONTINUITY_CONFIRMED).wait(1).state.tier == 2


def test_t3_rule4_a_call_that_was_answered_before_the_time_to_confirm_was_over_need_not_be_made_again() -> None:
    room = calm_room().router("1").wait(10).act(Act.PHONE_CONFIRMED).wait(25)
    assert room.state.tier == 3
    assert (shown(room)["say"], shown(room)["due_in_s"]) == (SITE.protocol.on_the_phone, None)


def test_t6_a_tier_entered_on_the_way_down_demands_nothing_that_was_done_already() -> None:
    room = calm_room().media(audio=False, video=False).wait(5).router("1").media().wait(5)
    room.act(Act.CONTINUITY_CONFIRMED).wait(40)
    told: Any = room.last("tier.entered").data
    assert (told["row"], told["response"]["say"], told["response"]["by_s"]) == (
        "t2.failover",
        SITE.protocol.clearing[2],
        None,
    )
