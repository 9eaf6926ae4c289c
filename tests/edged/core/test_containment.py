"""The containment table, requirement by requirement. Ids in the names are those of the requirements."""

from dataclasses import replace

import pytest

from edged.core.containment import BY_ID, ROWS
from edged.core.effects import Pace, ProbeAt, ShapeFor
from edged.core.observations import Act
from edged.core.plan import LinkPlan, LinkRole, Plan
from probes.reading import Medium, Verdict, Way
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power


def cut_both(room: Room) -> Room:
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    return room.media(audio=False, video=False)


def test_every_row_has_a_tier_a_source_and_one_sentence_to_say() -> None:
    for row in ROWS:
        assert row.id.startswith(f"t{row.tier}.") or (row.leads and row.id.startswith("t5."))
        assert row.source
        assert SITE.protocol.responses[row.id].say.endswith(".")
        assert SITE.protocol.responses[row.id].who
    assert len(BY_ID) == len(ROWS)


# ── T1 ──
def test_t1_rule3_three_of_five_samples_above_150_ms_raise_tier_1() -> None:
    room = calm_room().link("fiber", rtt_s=0.2)
    took_s = room.seconds_to(1, within_s=6)
    assert 2.0 <= took_s <= 4.0
    assert room.last("tier.entered").data["cause"] == "latency"


def test_t1_rule3_two_slow_samples_do_not() -> None:
    room = calm_room().link("fiber", rtt_s=0.2).wait(1.5).link("fiber", rtt_s=0.02).wait(10)
    assert room.tiers == []


@pytest.mark.parametrize(("rtt_s", "cleared"), [(0.13, False), (0.11, True)])
def test_t1_rule3_clears_only_below_120_ms_for_30_s(rtt_s: float, cleared: bool) -> None:
    room = calm_room().link("fiber", rtt_s=0.2).wait(6).link("fiber", rtt_s=rtt_s).wait(29)
    assert room.state.tier == 1
    assert (room.wait(8).state.tier == 0) is cleared


def test_t1_relieves_the_shapers_while_latency_spikes_and_restores_them() -> None:
    room = calm_room().link("fiber", rtt_s=0.2).wait(6).link("fiber", rtt_s=0.02).wait(40)
    assert [e for e in room.effects if isinstance(e, ShapeFor)] == [ShapeFor("fiber", 0.85), ShapeFor("fiber", 1.0)]


def test_t1_a_lossy_carrier_raises_tier_1_after_3_s_and_a_lossy_standby_does_not() -> None:
    assert 2.9 <= calm_room().link("fiber", Verdict.DEGRADED).seconds_to(1, within_s=5) <= 3.5
    assert calm_room().link("cellular", Verdict.DEGRADED).wait(10).state.tier == 0


def test_t1_lossy_media_raise_tier_1() -> None:
    assert calm_room().media(loss_pct=8.0).seconds_to(1, within_s=5) <= 4


# ── T2 ──
def test_t2_rule4_failover_is_latched_until_confirmed_and_stable_for_60_s() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(1).router("1")
    room.wait(20)
    assert room.state.tier == 2
    room.act(Act.CONTINUITY_CONFIRMED).wait(58)
    assert room.state.tier == 2
    assert room.wait(4).state.tier == 0
    assert "wan.failover" in room.names


def test_t2_rule4_unconfirmed_after_30_s_demands_tier_3() -> None:
    room = calm_room().router("1")
    assert 29 <= room.seconds_to(3, within_s=32) <= 31
    assert room.last("tier.entered").data["row"] == "t3.unconfirmed"
    room.act(Act.CONTINUITY_CONFIRMED).wait(1)
    assert room.state.tier == 2


def test_t2_rule4_failback_counts_like_failover_and_wants_its_own_confirmation() -> None:
    room = calm_room().router("1").wait(2).act(Act.CONTINUITY_CONFIRMED).wait(5)
    room.router("0").wait(40)
    assert room.state.tier == 3
    assert "wan.failback" in room.names


def test_t2_rule4_an_unstable_path_restarts_the_60_s() -> None:
    room = calm_room().router("1").act(Act.CONTINUITY_CONFIRMED).wait(50)
    room.link("cellular", Verdict.DEGRADED).wait(1).link("cellular", rtt_s=0.06).wait(50)
    assert room.state.tier == 2
    assert room.wait(12).state.tier == 0


def test_t2_rule17_without_a_session_nobody_is_asked_to_confirm() -> None:
    room = calm_room(session=False).router("1").wait(50)
    assert room.state.tier == 2
    assert room.wait(12).state.tier == 0


def test_t2_rule10_video_lost_audio_kept_is_tier_2_and_not_compliant() -> None:
    room = calm_room().media(video=False)
    assert room.seconds_to(2, within_s=3) >= 1.0
    assert room.room.av_compliant is False
    assert "no new injection" in str(room.last("tier.entered").data["response"])


def test_t2_names_the_dead_line_and_not_the_failover_it_caused() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(2).router("1").wait(2)
    entered = room.last("tier.entered").data
    assert (entered["cause"], entered["cause_at"]) == ("link_down", "fiber")


def test_failover_moves_shapers_and_probes() -> None:
    effects = calm_room().router("1").effects
    assert effects == [
        ShapeFor("cellular", 1.0),
        ProbeAt("fiber", Pace.CALM),
        ProbeAt("cellular", Pace.SESSION),
    ]


# ── T3 ──
def test_t3_audio_and_video_lost_without_failover_is_tier_3_after_3_s() -> None:
    room = calm_room().media(audio=False, video=False)
    assert 2.9 <= room.seconds_to(3, within_s=5) <= 3.5
    assert room.last("tier.entered").data["cause"] == "remote_or_application"


def test_t3_rule5_audio_lost_with_video_alive_demands_the_actions_of_tier_3() -> None:
    assert 2.9 <= calm_room().media(audio=False).seconds_to(3, within_s=5) <= 3.5


def test_t4_rule5_rule8_audio_lost_alone_has_its_two_minutes_too() -> None:
    room = calm_room().media(audio=False)
    assert 119.5 <= room.seconds_to(4, within_s=125) <= 120.5
    assert room.last("tier.entered").data["row"] == "t4.two_minutes"


def test_t4_rule5_rule8_the_two_minutes_run_from_the_loss_of_audio_whatever_becomes_of_the_picture() -> None:
    room = calm_room().media(audio=False).wait(60).media(audio=False, video=False).wait(30).media(audio=False).wait(25)
    assert room.state.tier == 3
    assert room.seconds_to(4, within_s=10) <= 5.5


def test_t4_rule5_audio_lost_alone_and_nobody_answers_the_phone() -> None:
    room = calm_room().media(audio=False).wait(5).act(Act.PHONE_FAILED).wait(1)
    assert room.last("tier.entered").data["row"] == "t4.no_contact"


def test_t4_rule5_audio_lost_alone_and_the_phone_is_dead() -> None:
    room = calm_room().phone(False).media(audio=False)
    assert 2.9 <= room.seconds_to(4, within_s=5) <= 3.5


def test_t3_rule5_audio_lost_alone_and_the_radiologist_on_the_phone_stays_at_tier_3() -> None:
    room = calm_room().media(audio=False).wait(20).act(Act.PHONE_CONFIRMED).wait(300)
    assert room.state.tier == 3


def test_t4_rule4_nobody_confirms_a_failover_and_nobody_answers_the_phone() -> None:
    room = calm_room().router("1").wait(31)
    assert room.state.tier == 3
    room.act(Act.PHONE_FAILED).wait(1)
    assert room.last("tier.entered").data["row"] == "t4.no_contact"
    assert room.act(Act.ACKNOWLEDGED).wait(30).state.tier == 4
    assert room.act(Act.CONTINUITY_CONFIRMED).wait(1).state.tier == 2


def test_t3_rule4_a_failback_gives_no_new_time_to_who_owes_a_word_on_the_failover() -> None:
    room = calm_room().router("1").wait(20).router("0")
    assert 9 <= room.seconds_to(3, within_s=12) <= 11
    assert room.act(Act.CONTINUITY_CONFIRMED).wait(1).state.tier == 2


def test_t3_rule4_a_router_that_never_rests_puts_off_no_deadline() -> None:
    room = calm_room().router("1")
    for active in ("0", "1", "0"):
        room.wait(20).router(active)
    assert room.tiers == [2, 3]


def test_t4_rule4_nobody_answers_the_phone_after_a_failover_and_a_failback_that_nobody_confirmed() -> None:
    room = calm_room().router("1").wait(32).router("0").wait(2)
    assert room.state.tier == 3
    assert room.act(Act.PHONE_FAILED).last("tier.entered").data["row"] == "t4.no_contact"


def test_t2_rule4_a_call_that_failed_before_the_time_to_confirm_is_over_waits_for_it() -> None:
    room = calm_room().router("1").wait(10).act(Act.PHONE_FAILED).wait(5)
    assert room.state.tier == 2
    assert room.act(Act.CONTINUITY_CONFIRMED).wait(40).state.tier == 2


def test_t4_rule5_rule6_the_grace_of_a_failover_is_none_for_sound_lost_alone_with_the_phone_dead() -> None:
    room = calm_room().phone(False).link("fiber", Verdict.DOWN).wait(1).router("1").media(audio=False)
    assert 2.9 <= room.seconds_to(4, within_s=5) <= 3.5
    assert room.last("tier.entered").data["row"] == "t4.phone_dead"


def test_t4_rule5_rule6_sound_lost_alone_during_a_failover_and_nobody_answers_the_phone() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(1).router("1").media(audio=False).wait(4)
    assert room.state.tier == 3
    assert room.act(Act.PHONE_FAILED).state.tier == 4


def test_t3_rule6_a_picture_that_comes_back_before_the_sound_is_no_tier_4_though_the_phone_is_dead() -> None:
    room = calm_room().phone(False).link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(10).router("1")
    room.media(audio=False).wait(2).media().act(Act.CONTINUITY_CONFIRMED).wait(30)
    assert max(room.tiers) == 2


def test_t2_t4_a_lost_picture_alone_has_no_two_minutes_and_is_never_tier_4() -> None:
    assert calm_room().phone(False).media(video=False).wait(300).state.tier == 2


def test_t3_rule6_during_failover_the_loss_has_15_s_of_grace_at_tier_2() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).media(audio=False, video=False)
    assert room.seconds_to(2, within_s=2) <= 1.5
    assert 13 <= room.seconds_to(3, within_s=15) <= 15


def test_t3_rule6_a_failover_that_brings_the_media_back_in_time_stays_at_tier_2() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(10)
    room.router("1").media().act(Act.CONTINUITY_CONFIRMED).wait(30)
    assert max(room.tiers) == 2


@pytest.mark.parametrize("dead", [Way.TO_ROOM, Way.FROM_ROOM])
def test_t3_rule7_one_dead_direction_makes_a_medium_dead(dead: Way) -> None:
    room = calm_room().streams({(medium, way): way is not dead for medium in Medium for way in Way}).wait(5)
    assert room.state.tier == 3


def test_t3_rule7_unknown_is_never_live_and_never_compliant() -> None:
    room = calm_room().media(audio=None, video=None).wait(5)
    assert room.room.av_compliant is False
    assert room.state.tier == 0  # nothing says it is lost


def test_t3_rule17_without_a_session_two_dead_lines_are_tier_3() -> None:
    room = calm_room(session=False).link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    assert 2.9 <= room.seconds_to(3, within_s=5) <= 3.5


def test_t3_clears_30_s_after_both_media_live_again() -> None:
    room = calm_room().media(audio=False, video=False).wait(5).media().wait(29)
    assert room.state.tier == 3
    assert room.wait(3).state.tier == 0


def test_t2_t3_rule10_sound_that_comes_back_without_the_picture_is_tier_2_after_its_time() -> None:
    room = calm_room().media(audio=False, video=False).wait(60).media(video=False).wait(29)
    assert room.state.tier == 3
    assert room.wait(3).state.tier == 2
    assert room.last("tier.entered").data["row"] == "t2.video"


def test_t3_rule7_sound_that_comes_back_with_a_picture_nobody_knows_of_is_still_tier_3() -> None:
    assert calm_room().media(audio=False, video=False).wait(5).media(video=None).wait(60).state.tier == 3


def test_t4_rule8_after_minutes_of_sound_alone_a_new_loss_has_two_minutes_of_its_own() -> None:
    room = calm_room().media(audio=False, video=False).wait(60).media(video=False).wait(300)
    assert 119.5 <= room.media(audio=False, video=False).seconds_to(4, within_s=125) <= 120.5


def test_t3_media_that_flow_prove_probes_of_dead_lines_wrong() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(20)
    assert room.state.tier < 3


# ── T4 ──
def test_t4_rule8_a_dead_phone_with_both_lines_cut_is_tier_4_as_soon_as_tier_3() -> None:
    room = cut_both(calm_room().phone(False))
    assert 2.9 <= room.seconds_to(4, within_s=5) <= 3.5
    assert str(room.last("tier.entered").data["response"]).count("Halt now") == 1


def test_t4_rule8_two_minutes_from_the_onset_of_the_loss_without_contact() -> None:
    room = cut_both(calm_room())
    assert 119 <= room.seconds_to(4, within_s=122) <= 121


def test_t4_rule8_a_short_return_does_not_start_the_two_minutes_anew() -> None:
    room = cut_both(calm_room()).wait(60).media().wait(2).media(audio=False, video=False)
    assert 57 <= room.seconds_to(4, within_s=60) <= 59


def test_t4_rule8_phone_contact_stops_the_two_minutes() -> None:
    room = cut_both(calm_room()).wait(30).act(Act.PHONE_CONFIRMED).wait(300)
    assert room.state.tier == 3


def test_t4_rule8_attested_no_contact_is_tier_4_at_once() -> None:
    room = cut_both(calm_room()).wait(10).act(Act.PHONE_FAILED)
    assert room.state.tier == 4


def test_t4_rule9_latches_until_restored_and_acknowledged() -> None:
    room = cut_both(calm_room().phone(False)).wait(10)
    room.act(Act.ACKNOWLEDGED).wait(10)
    assert room.state.tier == 4
    room.link("fiber").link("cellular").media().phone(True).wait(120)
    assert room.state.tier == 0  # acknowledged while it stood, and restored now


def test_t4_rule9_restored_alone_does_not_unlatch() -> None:
    room = cut_both(calm_room().phone(False)).wait(10)
    room.link("fiber").link("cellular").media().phone(True).wait(600)
    assert room.state.tier == 4
    assert room.act(Act.ACKNOWLEDGED).state.tier < 4


def test_t4_rule9_on_site_supervision_unlatches() -> None:
    room = cut_both(calm_room().phone(False)).wait(10).act(Act.ONSITE_PRESENT).wait(1)
    assert room.state.tier == 3


def test_t4_rule9_an_old_acknowledgement_does_not_count() -> None:
    room = calm_room().act(Act.ACKNOWLEDGED).wait(5)
    cut_both(room.phone(False)).wait(10).link("fiber").media().wait(60)
    assert room.state.tier == 4


def test_tiers_come_down_in_the_order_of_their_rules() -> None:
    room = cut_both(calm_room().phone(False)).router("1").wait(10)
    room.link("fiber").link("cellular").media().phone(True).router("0").wait(5)
    room.act(Act.ACKNOWLEDGED).act(Act.CONTINUITY_CONFIRMED).wait(120)
    assert room.tiers[room.tiers.index(4) :] == [4, 3, 2, 0]
    assert room.last("tier.entered").data["cause"] == "none"


# ── sites with less ──
def test_a_site_with_one_link_and_nothing_else_is_judged_by_that_link() -> None:
    plan = Plan(links=(LinkPlan("only", LinkRole.PRIMARY),))
    room = Room(plan).link("only").wait(3)
    assert room.state.tier == 0
    room.link("only", Verdict.DOWN).wait(4)
    assert room.state.tier == 3
    assert set(plan.unwatched()) == {"backup link", "router", "ups", "media", "phone", "mobile", "qos", "broker"}


def test_power_names_itself_as_the_root_cause_when_it_took_the_lines() -> None:
    room = cut_both(calm_room().ups("network", Power.LOW_BATTERY)).wait(5)
    assert (room.last("tier.entered").data["cause"], room.last("tier.entered").data["cause_at"]) == ("power", "network")


def test_a_silent_router_with_every_line_down_points_at_this_side() -> None:
    room = cut_both(calm_room().router(None)).wait(5)
    assert room.last("tier.entered").data["cause"] == "lan_or_router"


def test_dwells_come_from_the_plan() -> None:
    site = calm_room().plan
    slow = replace(site, dwells={**site.dwells, 3: replace(site.dwells[3], raise_s=9.0)})
    assert 8.9 <= calm_room(slow).media(audio=False, video=False).seconds_to(3, within_s=12) <= 9.5


def test_t6_another_row_that_leads_within_a_tier_says_what_it_demands() -> None:
    room = calm_room().media(video=False).wait(5)
    assert room.state.tier == 2
    room.media().wait(30)
    assert "response.demanded" not in room.names
    room.link("fiber", Verdict.DOWN).wait(2)  # the picture is back: its row waits out its time, and leads no more
    told = room.last("response.demanded").data
    assert (told["row"], told["room"]) == ("t2.switching", "room")
    assert told["response"]["say"] == SITE.protocol.responses["t2.switching"].say  # type: ignore[index,call-overload]


def test_t6_rule4_what_nobody_confirmed_is_demanded_although_a_row_that_waits_out_its_time_is_older() -> None:
    room = calm_room().media(audio=False, video=False).wait(5).media().router("1").wait(10)
    assert room.doc()["tier"]["say"] == SITE.protocol.clearing[3]  # type: ignore[index]
    assert room.doc()["tier"]["also_say"] == SITE.protocol.responses["t2.failover"].say  # type: ignore[index]
    room.wait(21)
    assert room.last("response.demanded").data["row"] == "t3.unconfirmed"
    assert room.doc()["tier"]["say"] == SITE.protocol.responses["t3.unconfirmed"].say  # type: ignore[index]
    room.act(Act.CONTINUITY_CONFIRMED).wait(1)
    assert room.doc()["tier"]["also_say"] is None  # type: ignore[index]


def test_t2_rule4_who_has_confirmed_is_not_asked_again_while_the_line_settles() -> None:
    room = calm_room().router("1").link("cellular", Verdict.DEGRADED).wait(3)
    assert room.doc()["tier"]["due_in_s"] is not None  # type: ignore[index]
    shown = room.act(Act.CONTINUITY_CONFIRMED).wait(40).doc()["tier"]
    assert (shown["say"], shown["due_in_s"]) == (SITE.protocol.clearing[2], None)  # type: ignore[index]
    assert room.state.tier == 2
