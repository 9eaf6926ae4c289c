"""One alarm, one required response: what is announced, what is damped, what is out of sight."""

import json
from dataclasses import replace
from typing import Any

import pytest

from edged.core.checkpoint import Moment, dump, load
from edged.core.observations import Act, CertificateReading, Reason
from edged.core.readiness import readiness
from edged.core.situation import situation
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power

WATCHED = replace(SITE, certificates=("own", "ca", "broker"), has_mobile=True)
NUISANCE = Reason.NUISANCE


def lines(room: Room) -> list[dict[str, Any]]:
    doc: Any = room.doc()["alarms"]
    return list(doc)


def kpi(room: Room) -> dict[str, Any]:
    doc: Any = room.doc()["kpi"]
    return dict(doc)


def said(room: Room) -> list[tuple[str, object]]:
    return [(e.name.removeprefix("alarm."), e.data["alarm"]) for e in room.events if e.name.startswith("alarm.")]


def certificate(room: Room, days: float, which: str = "own") -> Room:
    room._hear(CertificateReading(room.now, which, days))
    return room


def days_pass(room: Room, seconds: float) -> Room:
    """With nothing heard in between; a day of ticks would take a minute."""
    room._says.clear()
    room.now += seconds
    return room.wait(0.25)


def drowse(room: Room, seconds: float) -> Room:
    """The same readings, but only every five seconds: enough for what goes slowly, in a room without a session."""
    for _ in range(int(seconds // 5)):
        room.now += 5
        for reading in room._says.values():
            room._hear(replace(reading, at_s=room.now))
    return room


# ── one response ───────────────────────────────────────────────────────────────────────────────────────
def test_an_alarm_says_what_to_do_who_and_by_when() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(5)
    demanded = SITE.protocol.alarm("link.down")
    assert lines(room) == [
        {
            "alarm": "link.down cellular",
            "condition": "link.down",
            "at": "cellular",
            "severity": "alarm",
            "say": demanded.say,
            "who": demanded.who,
            "by_s": demanded.by_s,
            "for_s": 5.0,
            "acknowledged": False,
            "shelved_for_s": None,
            "suppressed": False,
            "flapping": False,
            "incident": 1,
            "symptoms": 0,
        }
    ]
    assert room.last("alarm.raised").data == {"alarm": "link.down cellular", "severity": "alarm", "incident": 1}


def test_information_is_no_alarm() -> None:
    room = certificate(calm_room(replace(WATCHED, has_mobile=False)), 29.0).wait(70)
    assert "certificate.expires_30d.raised" in room.names
    assert (lines(room), said(room)) == ([], [])


def test_a_storm_is_one_line_led_by_its_cause() -> None:
    room = calm_room().ups("network", Power.OFF).ups("workstation", Power.OFF)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).router(None).phone(False)
    room.media(audio=False, video=False).wait(5)
    (line,) = lines(room)
    assert (line["alarm"], line["incident"], line["symptoms"]) == ("power.off network", 1, 5)
    assert [event for event in said(room) if event[0] == "raised"] == [("raised", "power.off network")]


def test_lines_that_fall_one_by_one_are_announced_once_and_the_router_leads() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(0.5).link("cellular", Verdict.DOWN).router(None).wait(5)
    assert said(room) == [("raised", "link.down fiber")]
    assert [(line["alarm"], line["symptoms"]) for line in lines(room)] == [("link.down fiber", 2)]


def test_what_calls_for_a_more_urgent_response_is_announced_at_once() -> None:
    room = calm_room().ups("network", Power.BATTERY).wait(5).ups("network", Power.LOW_BATTERY).wait(0.25)
    assert said(room) == [("raised", "power.on_battery network"), ("raised", "power.low_battery network")]
    assert [line["alarm"] for line in lines(room)] == ["power.low_battery network"]


def test_a_symptom_that_outlives_its_cause_is_announced_late() -> None:
    room = calm_room().ups("network", Power.OFF).wait(1).phone(False).wait(5).ups("network", Power.MAINS).wait(40)
    assert [line["alarm"] for line in lines(room)] == ["phone.unreachable phone"]
    assert ("raised", "phone.unreachable phone") not in said(room)
    room.wait(40)
    assert said(room)[-1] == ("raised", "phone.unreachable phone")


def test_what_only_a_tier_tells_is_led_by_the_tier() -> None:
    room = calm_room().media(audio=True, video=False).wait(5)
    assert room.state.tier == 2
    assert lines(room) == []
    assert said(room) == []


def test_lines_come_in_the_order_to_read_them() -> None:
    room = certificate(calm_room(WATCHED), 13.0).wait(2).link("cellular", Verdict.DOWN).wait(2)
    room.mobile().ups("workstation", Power.BATTERY).wait(2)
    urgent = ["power.on_battery workstation", "link.down cellular", "certificate.expires_14d own"]
    assert [line["alarm"] for line in lines(room)] == urgent
    room.act(Act.ACKNOWLEDGED, subject=urgent[0])
    room.act(Act.SHELVED, subject=urgent[1], for_s=600, reason=NUISANCE)
    assert [line["alarm"] for line in lines(room)] == [urgent[2], urgent[0], urgent[1]]


# ── acknowledged ───────────────────────────────────────────────────────────────────────────────────────
def test_one_alarm_is_acknowledged_by_name_and_all_without() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).ups("workstation", Power.BATTERY).wait(2)
    room.act(Act.ACKNOWLEDGED, subject="link.down cellular")
    assert {line["alarm"]: line["acknowledged"] for line in lines(room)} == {
        "power.on_battery workstation": False,
        "link.down cellular": True,
    }
    assert all(line["acknowledged"] for line in lines(room.act(Act.ACKNOWLEDGED)))


def test_what_comes_anew_is_not_acknowledged() -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(2).act(Act.ACKNOWLEDGED).link("cellular").wait(20)
    assert lines(room) == []
    assert [line["acknowledged"] for line in lines(room.link("cellular", Verdict.DOWN).wait(1))] == [False]


# ── shelved ────────────────────────────────────────────────────────────────────────────────────────────
def shelved() -> Room:
    room = calm_room().link("cellular", Verdict.DOWN).wait(2)
    return room.act(Act.SHELVED, subject="link.down cellular", for_s=60, reason=NUISANCE)


def test_a_shelved_alarm_comes_back_by_itself() -> None:
    room = shelved().wait(20)
    assert [line["shelved_for_s"] for line in lines(room)] == [40.0]
    room.wait(41)
    assert [line["shelved_for_s"] for line in lines(room)] == [None]
    assert room.last("alarm.unshelved").data == {"alarm": "link.down cellular", "why": "time"}


def test_a_shelved_alarm_comes_back_when_asked() -> None:
    room = shelved().act(Act.UNSHELVED, subject="link.down cellular").wait(1)
    assert [line["shelved_for_s"] for line in lines(room)] == [None]
    assert room.last("alarm.unshelved").data["why"] == "asked"
    assert room.wait(120).names.count("alarm.unshelved") == 1


def test_a_shelf_outlasts_a_flap_and_nothing_is_announced_from_it() -> None:
    room = shelved().link("cellular").wait(15).link("cellular", Verdict.DOWN).wait(5)
    assert said(room).count(("raised", "link.down cellular")) == 1
    assert [line["shelved_for_s"] is None for line in lines(room)] == [False]


def test_shelving_touches_neither_tiers_nor_readiness_nor_the_record() -> None:
    rooms = []
    for shelve in (False, True):
        room = calm_room().link("fiber", Verdict.DOWN).wait(3).router("1").wait(1)
        if shelve:
            room.act(Act.SHELVED, subject="link.down fiber", for_s=3600, reason=NUISANCE)
        rooms.append(room.media(audio=False, video=False).wait(30))
    plain, hidden = rooms
    assert plain.state.rooms == hidden.state.rooms
    assert plain.state.conditions == hidden.state.conditions
    ready = [readiness(room.plan, room.state, situation(room.plan, room.state, room.now)) for room in rooms]
    assert ready[0] == ready[1]
    recorded = [[e for e in room.events if not e.name.startswith(("alarm.", "act."))] for room in rooms]
    assert recorded[0] == recorded[1]


@pytest.mark.parametrize("row", ["t3.av", "t4.phone_dead"])
def test_t3_t4_rows_cannot_be_shelved(row: str) -> None:
    room = calm_room().link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).phone(False)
    room.media(audio=False, video=False).wait(10)
    assert room.room.is_up(row)
    room.act(Act.SHELVED, subject=f"{row} room", for_s=60, reason=NUISANCE)
    assert room.last("act.refused").data["refused"] == "no_such_alarm"
    assert room.state.alarms.shelves_s == {}


# ── a drill ────────────────────────────────────────────────────────────────────────────────────────────
def test_d1_what_a_drill_makes_is_suppressed_until_it_is_over() -> None:
    room = calm_room().act(Act.DRILL_STARTED).link("fiber", Verdict.DOWN).wait(2).router("1").wait(5)
    assert [(line["alarm"], line["suppressed"]) for line in lines(room)] == [("link.down fiber", True)]
    assert said(room) == []
    room.act(Act.DRILL_ENDED).wait(1)
    assert [(line["alarm"], line["suppressed"]) for line in lines(room)] == [("drill.primary_offline box", False)]
    assert said(room) == [("raised", "drill.primary_offline box")]


def test_d1_what_a_drill_does_not_make_is_not_suppressed() -> None:
    room = calm_room().act(Act.DRILL_STARTED).link("fiber", Verdict.DOWN).wait(2).router("1").wait(2).phone(False)
    assert said(room.wait(1)) == [("raised", "phone.unreachable phone")]


# ── down slow ──────────────────────────────────────────────────────────────────────────────────────────
def flap(room: Room, *, down_s: float = 2.0, up_s: float = 3.0) -> Room:
    return room.link("cellular", Verdict.DOWN).wait(down_s).link("cellular").wait(up_s)


def test_an_alarm_stays_for_its_hold_and_lasted_until_its_condition_went() -> None:
    room = flap(calm_room(), down_s=5, up_s=9)
    assert len(lines(room)) == 1
    assert lines(room.wait(2)) == []
    assert room.last("alarm.cleared").data == {"alarm": "link.down cellular", "lasted_s": 5.0, "incident": 1}


def test_one_that_comes_and_goes_is_announced_once_and_told_to_flap() -> None:
    room = calm_room()
    for _ in range(5):
        flap(room)
    assert [what for what in said(room) if "link.down" in str(what[1])] == [
        ("raised", "link.down cellular"),
        ("flapping", "link.down cellular"),
    ]
    assert room.last("alarm.flapping").data == {"alarm": "link.down cellular", "raises": 3, "incident": 1}
    assert lines(room)[0]["flapping"]
    assert kpi(room)["flapping"] == 1
    assert said(room)[-1] == ("raised", "alarms.flapping box")


def test_the_hold_grows_from_ten_seconds_to_ten_minutes_and_no_further() -> None:
    room = calm_room()
    holds = [flap(room).state.alarms.flaps["link.down", "cellular"].hold_s for _ in range(8)]
    assert holds == [10, 20, 40, 80, 160, 320, 600, 600]


def test_ten_minutes_of_rest_and_all_is_forgotten() -> None:
    room = drowse(flap(flap(flap(calm_room(session=False)))), 700)
    assert lines(room) == []
    assert room.state.alarms.flaps == {}
    assert "alarms.flapping.cleared" in room.names
    assert said(flap(room))[-1] == ("raised", "link.down cellular")


def test_escalation_is_never_damped_by_flapping() -> None:
    room = calm_room().ups("network", Power.BATTERY).wait(2)
    for _ in range(4):
        room.ups("network", Power.MAINS).wait(7).ups("network", Power.BATTERY).wait(2)
    room.ups("network", Power.LOW_BATTERY).wait(0.25)
    assert said(room)[-1] == ("raised", "power.low_battery network")


# ── how well they are kept ─────────────────────────────────────────────────────────────────────────────
def test_alarms_a_day_are_those_announced_in_the_last_24_hours() -> None:
    room = flap(flap(calm_room(), up_s=30).ups("workstation", Power.BATTERY).wait(3), up_s=30)
    assert kpi(room) == {"a_day": 3, "standing": 0, "flapping": 0, "most_frequent": "link.down"}
    days_pass(room, 23 * 3600)
    assert kpi(room)["a_day"] >= 3
    days_pass(room, 3700)
    assert kpi(room)["most_frequent"] != "link.down"


def test_the_buckets_are_bounded_to_a_day() -> None:
    room = calm_room()
    for _ in range(30):
        days_pass(flap(room, up_s=11), 3600)
    assert len(room.state.alarms.hours) <= 25


def test_five_alarms_that_stand_for_a_day_are_an_alarm_themselves() -> None:
    room = calm_room(WATCHED).link("cellular", Verdict.DOWN).ups("workstation", Power.BATTERY).mobile(False)
    certificate(certificate(room, 5.0), 5.0, "ca").wait(60)
    room.now += 86_400
    room.wait(1.0)
    assert kpi(room)["standing"] >= 5
    assert room.last("alarms.standing.raised").data["severity"] == "warning"
    assert ("raised", "alarms.standing box") in said(room)


def test_alarms_about_alarms_are_no_incidents() -> None:
    room = calm_room()
    for _ in range(5):
        flap(room)
    assert [each.cause for each in room.state.incidents.open] == ["link_down"]
    assert {line["alarm"]: line["incident"] for line in lines(room)}["alarms.flapping box"] is None


# ── over restarts ──────────────────────────────────────────────────────────────────────────────────────
def test_a_restart_keeps_who_knows_what_is_shelved_and_what_flaps() -> None:
    room = flap(flap(calm_room())).link("cellular", Verdict.DOWN).ups("workstation", Power.BATTERY).wait(5)
    room.act(Act.ACKNOWLEDGED).act(Act.SHELVED, subject="link.down cellular", for_s=600, reason=NUISANCE).wait(1)
    after = Room(room.plan, now=room.now + 5)
    after.state = load(dump(room.state, Moment("b", room.now, 0.0)), Moment("b", after.now, 0.0))
    assert after.state.alarms == room.state.alarms
    after.link("cellular", Verdict.DOWN).ups("workstation", Power.BATTERY).wait(3)
    assert said(after) == []
    assert [line["acknowledged"] for line in lines(after)][-1]


def test_after_a_reboot_a_shelf_comes_down_early_never_late() -> None:
    room = shelved()
    state = load(dump(room.state, Moment("b", room.now, 5000.0)), Moment("c", 20.0, 5030.0))
    assert state.alarms.shelves_s["link.down", "cellular"] == pytest.approx(20.0 + 30.0)


def test_alarms_recorded_before_there_were_any_are_none() -> None:
    room = shelved()
    kept = json.loads(dump(room.state, Moment("b", room.now, 0.0)))
    del kept["alarms"], kept["incidents"]
    state = load(json.dumps(kept).encode(), Moment("b", room.now, 0.0))
    assert (state.alarms.standing, state.incidents.open) == ({}, ())


def test_what_lies_on_the_shelf_can_be_taken_off_while_it_is_gone_for_a_moment() -> None:
    room = calm_room().link("cellular", Verdict.DEGRADED).wait(2)
    room.act(Act.SHELVED, subject="link.degraded cellular", for_s=600.0).link("cellular").wait(1)
    assert "act.unshelved" in room.act(Act.UNSHELVED, subject="link.degraded cellular").names
    assert "act.refused" not in room.names
