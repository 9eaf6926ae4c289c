"""One root cause, one incident: what joins it, what deepens it, when it is over."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edged.core.checkpoint import Moment, dump, load
from edged.core.conditions import BY_NAME, Severity, sources
from edged.core.events import Event
from edged.core.incident_causes import CAUSES
from edged.core.incident_state import Incident
from edged.core.judge import judge
from edged.core.observations import Act, CertificateReading, ClockReading, Reason, UplinkReading
from edged.core.plan import LinkPlan, LinkRole, PhonePlan, Plan
from edged.core.state import State
from probes.line_reading import DiesAt, PathReading
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power

WATCHED = replace(SITE, certificates=("own",))
TWO_ROOMS = replace(SITE, rooms=("ct", "mr"))


def opened(room: Room) -> list[tuple[object, object]]:
    return [(e.data["cause"], e.data["at"]) for e in room.events if e.name == "incident.opened"]


def causes(room: Room) -> list[tuple[str, str | None]]:
    return [(each.cause, each.at) for each in room.state.incidents.open]


def the_one(room: Room) -> Incident:
    (only,) = room.state.incidents.open
    return only


def of(room: Room, number: int) -> list[str]:
    return [event.name for event in room.events if event.data.get("incident") == number]


def dark(room: Room) -> Room:
    """Nothing gets through any more."""
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).router(None)
    return room.media(audio=False, video=False).phone(False)


# ── one ────────────────────────────────────────────────────────────────────────────────────────────────
def mains_first(room: Room) -> Room:
    room.ups("network", Power.BATTERY).ups("workstation", Power.BATTERY).wait(90)
    room.ups("network", Power.LOW_BATTERY).wait(60).ups("network", Power.OFF).wait(1)
    return dark(room).wait(20)


def lines_first(room: Room) -> Room:
    """The UPS is asked seldom and tells late."""
    return dark(room).wait(12).ups("workstation", Power.OFF).ups("network", Power.OFF).wait(20)


def phone_first(room: Room) -> Room:
    room.phone(False).wait(5).router(None).wait(2).link("fiber", Verdict.DOWN).wait(4)
    return dark(room).wait(3).ups("network", Power.OFF).wait(5)


@pytest.mark.parametrize("fails", [mains_first, lines_first, phone_first])
def test_t6_a_mains_failure_that_takes_everything_with_it_is_one_incident(fails: Callable[[Room], Room]) -> None:
    room = calm_room()
    room._hear(UplinkReading(room.now, True, room.now, None))
    fails(room)
    room._hear(UplinkReading(room.now, False, room.now, "timed_out"))
    room.wait(20)
    incident = the_one(room)
    assert (incident.number, incident.cause, incident.at) == (1, "power", "network")
    assert incident.worst_tier == 4
    for symptom in ("link.down fiber", "link.down cellular", "router.silent router", "phone.unreachable phone"):
        assert symptom in incident.symptoms
    assert "uplink.lost broker" in incident.symptoms


def test_a_fiber_cut_is_one_incident_from_onset_to_closure() -> None:
    room = calm_room()
    room.link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(4).router("1").media().wait(10)
    assert causes(room) == [("link_down", "fiber")]
    assert the_one(room).worst_tier == 2
    room.act(Act.CONTINUITY_CONFIRMED).wait(70)
    assert room.state.tier == 0
    assert causes(room) == [("link_down", "fiber")], "the line is still down"
    room.link("fiber").router("0").wait(2).act(Act.CONTINUITY_CONFIRMED).wait(200)
    assert causes(room) == []
    closed = room.last("incident.closed").data
    assert (closed["number"], closed["cause"], closed["worst_tier"], closed["into"]) == (1, "link_down", 2, None)
    assert closed["symptoms"] == ["link.down fiber", "t2.switching room", "t2.failover room"]
    assert closed["over_s_ago"] == pytest.approx(120, abs=1), "the failback came when it was quiet: held twice as long"
    assert len(opened(room)) == 1


def test_the_onset_is_that_of_the_first_symptom_before_its_dwell() -> None:
    room = calm_room().media(audio=True, video=False)
    began_s = room.now
    room.wait(5)
    assert the_one(room).onset_s == began_s
    assert room.last("incident.opened").data["onset_s_ago"] == pytest.approx(1.0, abs=0.3)


def test_a_loss_seen_by_its_tier_only_began_with_the_loss() -> None:
    room = calm_room().media(audio=False, video=False)
    lost_s = room.now
    room.wait(5)
    assert the_one(room).onset_s == lost_s
    assert causes(room) == [("remote_or_application", "room")]


def test_an_incident_without_a_tier_is_one_too() -> None:
    room = calm_room().ups("workstation", Power.BATTERY).wait(2)
    assert causes(room) == [("power", "workstation")]
    assert the_one(room).worst_tier == 0


def test_information_is_no_incident() -> None:
    room = calm_room(WATCHED)
    room._hear(CertificateReading(room.now, "own", 29.0))
    room._hear(ClockReading(room.now, "holdover"))
    room.wait(61)
    assert {"certificate.expires_30d.raised", "clock.not_synced.raised"} <= set(room.names)
    assert causes(room) == []


# ── deeper ─────────────────────────────────────────────────────────────────────────────────────────────
def test_as_the_cause_deepens_the_incident_is_recaused_and_not_doubled() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(20).link("cellular", Verdict.DOWN)
    room.media(audio=False, video=False).wait(5)
    assert causes(room) == [("all_links_down", None)]
    room.wait(90).ups("network", Power.OFF).wait(3)
    assert causes(room) == [("power", "network")]
    told = [(e.data["previous"], e.data["cause"]) for e in room.events if e.name == "incident.recaused"]
    assert told == [("link_down", "all_links_down"), ("all_links_down", "power")]
    assert len(opened(room)) == 1


def test_a_router_that_answers_after_the_fall_is_no_longer_blamed() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    assert causes(room) in ([("lan_or_router", None)], [("link_down", "fiber")])
    assert causes(room.wait(5)) == [("all_links_down", None)]
    assert len(opened(room)) == 1


def test_far_sides_loss_turns_out_to_be_the_lines() -> None:
    room = calm_room().media(audio=True, video=False).wait(2)
    assert causes(room) == [("remote_or_application", "room")]
    room.link("fiber", Verdict.DOWN).wait(1)
    assert causes(room) == [("link_down", "fiber")]
    assert room.last("incident.recaused").data == {
        "number": 1,
        "cause": "link_down",
        "at": "fiber",
        "previous": "remote_or_application",
    }


def test_a_degraded_line_that_dies_is_the_same_incident() -> None:
    room = calm_room().link("fiber", Verdict.DEGRADED).wait(90).link("fiber", Verdict.DOWN).wait(2)
    assert [(each.number, each.cause) for each in room.state.incidents.open] == [(1, "link_down")]


def test_two_that_turn_out_to_be_one_go_on_under_the_older_number() -> None:
    room = calm_room().phone(False).wait(3).link("cellular", Verdict.DOWN).wait(3)
    assert causes(room) == [("phone", "phone"), ("link_down", "cellular")]
    room.ups("network", Power.OFF).wait(3)
    assert [(each.number, each.cause) for each in room.state.incidents.open] == [(1, "power")]
    assert room.last("incident.closed").data["into"] == 1
    assert room.last("incident.closed").data["number"] == 2


# ── two ────────────────────────────────────────────────────────────────────────────────────────────────
def test_two_causes_at_once_are_two_incidents() -> None:
    room = calm_room(WATCHED).link("fiber", Verdict.DOWN)
    room._hear(CertificateReading(room.now, "own", -0.5))
    room.wait(5)
    assert causes(room) == [("link_down", "fiber"), ("certificate", "own")]


def test_instruments_that_fall_silent_together_are_one_incident() -> None:
    room = calm_room()
    room._says.clear()
    room.wait(60)
    assert [cause for cause, _ in causes(room)] == ["source"]
    blind = [symptom for symptom in the_one(room).symptoms if symptom.startswith("source.blind")]
    assert len(blind) == len(sources(SITE))


def test_all_degrees_of_one_certificate_are_one() -> None:
    room = calm_room(WATCHED)
    for days in (13.0, 6.0, -1.0):
        room._hear(CertificateReading(room.now, "own", days))
        room.wait(5)
    assert the_one(room).symptoms == (
        "certificate.expires_14d own",
        "certificate.expires_7d own",
        "certificate.expired own",
    )


def test_a_standby_that_died_long_ago_does_not_explain_the_far_side() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(90).media(audio=True, video=False).wait(3)
    assert causes(room) == [("link_down", "cellular"), ("remote_or_application", "room")]


def test_a_standby_that_died_long_ago_does_not_make_todays_outage_old() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(90)
    room.link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(5)
    assert [(each.number, each.cause) for each in room.state.incidents.open] == [
        (1, "link_down"),
        (2, "all_links_down"),
    ]
    assert room.last("tier.entered").data["incident"] == 2


def test_a_line_cut_long_after_the_mains_went_is_not_the_mains() -> None:
    room = calm_room().ups("network", Power.BATTERY).wait(90).link("fiber", Verdict.DOWN).wait(3)
    assert causes(room) == [("power", "network"), ("link_down", "fiber")]


def test_a_phone_on_the_line_dies_with_it_and_one_on_its_own_line_does_not() -> None:
    for rides_on, numbers in ((("fiber",), 1), ((), 2)):
        room = calm_room(replace(SITE, phones={"": PhonePlan(rides_on=rides_on)}))
        room.link("fiber", Verdict.DOWN).wait(2).phone(False).wait(2)
        alone = [cause for cause in causes(room) if cause != ("phone", "room")]  # that they share a fate is told apart
        assert len(alone) == numbers, rides_on


def test_two_rooms_behind_one_router_share_its_incident() -> None:
    room = Room(TWO_ROOMS).link("fiber").link("cellular").router("0").phone(True)
    for name in TWO_ROOMS.rooms:
        room.media(room=name).act(Act.SESSION_OPENED, f"s-{name}", room=name)
    room.ups("network", Power.MAINS).ups("workstation", Power.MAINS).wait(5)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    room.media(audio=False, video=False, room="ct").media(audio=False, video=False, room="mr").wait(6)
    assert len(room.state.incidents.open) == 1
    tiers = [e for e in room.events if e.name == "tier.entered" and e.tier >= 3]
    assert {(e.data["room"], e.data["incident"]) for e in tiers} == {("ct", 1), ("mr", 1)}


def test_each_rooms_far_side_is_its_own() -> None:
    room = Room(TWO_ROOMS).link("fiber").link("cellular").router("0").phone(True)
    for name in TWO_ROOMS.rooms:
        room.media(room=name).act(Act.SESSION_OPENED, f"s-{name}", room=name)
    room.ups("network", Power.MAINS).ups("workstation", Power.MAINS).wait(5)
    room.media(video=False, room="ct").wait(3).media(video=False, room="mr").wait(3)
    assert causes(room) == [("remote_or_application", "ct"), ("remote_or_application", "mr")]


# ── how it ends ────────────────────────────────────────────────────────────────────────────────────────
def test_a_line_cut_while_an_older_loss_still_waits_out_its_time_is_another_incident() -> None:
    room = calm_room().media(audio=False).wait(90).media().wait(10)
    assert causes(room) == [("remote_or_application", "room")]
    room.link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(20)
    assert causes(room) == [("remote_or_application", "room"), ("link_down", "fiber")]


def test_a_flap_within_a_minute_is_the_same_incident_and_is_held_longer() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(5).link("cellular").wait(50)
    room.link("cellular", Verdict.DOWN).wait(5).link("cellular").wait(100)
    assert len(opened(room)) == 1
    assert the_one(room).number == 1
    room.wait(30)
    assert causes(room) == []
    room.link("cellular", Verdict.DOWN).wait(1)
    assert the_one(room).number == 2


def test_an_incident_outlives_its_cause_while_a_tier_stands() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(3).router("1").wait(3).link("fiber").wait(20)
    assert room.state.tier >= 2, "nobody has confirmed"
    assert the_one(room).quiet_s is None


# ── what belongs to it ─────────────────────────────────────────────────────────────────────────────────
def test_every_event_of_an_outage_carries_its_number() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(1).media(audio=False, video=False).wait(3)
    room.router("1").wait(12).act(Act.PHONE_CONFIRMED).act(Act.HELD, reason=Reason.LINE_FAILED)
    room._hear(path_to("fiber", room.now))
    room._hear(path_to("cellular", room.now))
    room.media().act(Act.CONTINUITY_CONFIRMED).wait(100)
    belong = of(room, 1)
    for name in (
        *("link.down.raised", "containment.raised", "containment.cleared", "tier.entered", "wan.failover"),
        *("av.changed", "timer.started", "timer.met", "act.phone_confirmed", "act.held", "act.continuity_confirmed"),
        *("path.diagnosed", "alarm.raised"),
    ):
        assert name in belong, name
    assert belong.count("path.diagnosed") == 1, "only its own link's"
    assert all("incident" in e.data for e in room.events if e.name in ("tier.entered", "timer.expired"))


def path_to(link: str, at_s: float) -> PathReading:
    return PathReading(link, at_s, "192.0.2.1", DiesAt.PROVIDER, None, None, None, None, {})


def test_the_fall_of_a_tier_to_0_belongs_to_what_raised_it() -> None:
    room = calm_room().link("fiber", Verdict.DEGRADED).wait(6).link("fiber").wait(40)
    assert [(e.tier, e.data["incident"]) for e in room.events if e.name == "tier.entered"] == [(1, 1), (0, 1)]


def test_what_belongs_to_no_incident_says_nothing_of_one() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(2).act(Act.CONTRAST_STARTED).act(Act.HELD)
    room.media(video=False).wait(0.25)
    for name in ("act.contrast_started", "act.held", "av.changed"):
        assert "incident" not in room.last(name).data, name


def test_an_alarm_acknowledged_by_name_belongs_to_its_incident() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(2).ups("workstation", Power.BATTERY).wait(2)
    room.act(Act.ACKNOWLEDGED, subject="power.on_battery workstation")
    assert room.last("act.acknowledged").data["incident"] == 2


def test_its_opening_is_told_before_its_events_and_its_closing_after() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(1).link("cellular").wait(70)
    names = [e.name for e in room.events if e.name.startswith(("incident.", "link.", "alarm."))]
    assert names == [
        *("incident.opened", "link.down.raised", "alarm.raised", "link.down.cleared", "alarm.cleared"),
        "incident.closed",
    ]


# ── a drill ────────────────────────────────────────────────────────────────────────────────────────────
def test_d1_what_a_drill_causes_is_the_drills() -> None:
    room = calm_room().act(Act.DRILL_STARTED).link("fiber", Verdict.DOWN).wait(2).router("1").wait(5)
    assert causes(room) == [("drill", "fiber")]
    room.act(Act.CONTINUITY_CONFIRMED).act(Act.DRILL_ENDED).wait(3)
    assert "drill.primary_offline box" in the_one(room).symptoms
    room.link("fiber").router("0").wait(2).act(Act.CONTINUITY_CONFIRMED).wait(130)
    assert causes(room) == []
    assert len(opened(room)) == 1


def test_d1_a_drill_that_turns_into_an_outage_is_recaused() -> None:
    room = calm_room().act(Act.DRILL_STARTED).link("fiber", Verdict.DOWN).wait(2).router("1").wait(5)
    room.link("cellular", Verdict.DOWN).media(audio=False, video=False).wait(5)
    assert causes(room) == [("all_links_down", None)]


# ── over restarts, and again ───────────────────────────────────────────────────────────────────────────
def test_a_restart_in_the_middle_keeps_the_number() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(3).router("1").wait(5)
    was = the_one(room)
    after = Room(room.plan, now=room.now + 20)
    after.state = load(dump(room.state, Moment("b", room.now, 0.0)), Moment("b", after.now, 0.0))
    assert the_one(after) == was
    after.link("fiber", Verdict.DOWN).link("cellular").router("1").media().wait(5)
    speaking(after).act(Act.CONTINUITY_CONFIRMED).link("fiber").wait(200)
    assert after.last("incident.closed").data["number"] == 1
    assert "incident.opened" not in after.names
    assert after.link("cellular", Verdict.DOWN).wait(1).state.incidents.last == 2


def speaking(room: Room) -> Room:
    """The instruments that the test does not use, so that none falls silent."""
    room.phone(True).ups("network", Power.MAINS).ups("workstation", Power.MAINS)
    return room.shaper("wan0")


def test_after_a_reboot_its_times_have_moved_and_quiet_begins_anew() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(30).link("cellular").wait(20)
    was = the_one(room)
    assert was.quiet_s is not None
    state = load(dump(room.state, Moment("b", room.now, 5000.0)), Moment("c", 40.0, 5300.0))
    (incident,) = state.incidents.open
    assert 40.0 - incident.onset_s == pytest.approx(room.now - was.onset_s + 300)
    assert incident.quiet_s is None


def test_replaying_what_was_heard_gives_the_same_incidents() -> None:
    room = mains_first(calm_room())
    room.ups("network", Power.MAINS).ups("workstation", Power.MAINS).link("fiber").link("cellular").router("0")
    room.media().phone(True).act(Act.ACKNOWLEDGED).wait(150)
    state, events = State(started_s=1000.0), list[Event]()
    for now, heard in room.heard:
        judged = judge(SITE, state, heard, now)
        state, events = judged.state, [*events, *judged.events]
    assert (state.incidents, state.alarms) == (room.state.incidents, room.state.alarms)
    assert events[-len(room.events) :] == room.events


def test_every_condition_that_calls_for_a_response_has_a_cause_with_a_name() -> None:
    assert {name.partition(".")[0] for name, c in BY_NAME.items() if c.severity is not Severity.INFO} <= set(CAUSES)


def test_a_site_with_one_line_has_no_other_to_blame() -> None:
    room = calm_room(Plan(links=(LinkPlan("fiber", LinkRole.PRIMARY),), has_media=True))
    room.link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(5)
    assert causes(room) == [("link_down", "fiber")]


def test_an_incident_that_waits_to_be_over_does_not_take_in_what_has_another_cause() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(3).router("1").wait(2).act(Act.CONTINUITY_CONFIRMED)
    room.link("fiber").wait(75)
    assert room.state.tier == 0
    room.media(video=False).wait(5)
    opened = [event.data for event in room.events if event.name == "incident.opened"]
    assert [each["cause"] for each in opened] == ["link_down", "remote_or_application"]
    assert room.last("tier.entered").data["incident"] == 2
