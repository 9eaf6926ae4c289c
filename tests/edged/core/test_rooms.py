"""Several procedure rooms behind one router: lines and power are the site's, all else is each room's own."""

from dataclasses import replace

import pytest

from edged.core.observations import Act
from edged.core.plan import PhonePlan, Plan
from edged.core.snapshot import snapshot
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room
from ups.reading import Power

TWO = replace(SITE, rooms=("angio", "ct"))
OWN_PHONES = replace(TWO, has_phone=False, phones={"angio": PhonePlan(), "ct": PhonePlan()})


def both(plan: Plan = TWO, *sessions: str) -> Room:
    """A calm site with a session in each room named."""
    room = Room(plan)
    room.link("fiber").link("cellular").router("0").ups("network", Power.MAINS).ups("workstation", Power.MAINS)
    for name in room.plan.rooms:
        room.media(room=name) if name in sessions else room.media(audio=None, video=None, room=name)
        if room.plan.has_phone:
            room.phone(True)
        else:
            room.phone(True, room=name)
        if name in sessions:
            room.act(Act.SESSION_OPENED, f"s-{name}", room=name)
    room.wait(5)
    assert room.state.tier == 0
    room.events.clear()
    return room


def tiers(room: Room) -> dict[str, int]:
    return {name: held.tier for name, held in room.state.rooms.items()}


@pytest.mark.parametrize(("ill", "well"), [("angio", "ct"), ("ct", "angio")])
def test_t3_media_lost_in_one_room_are_that_rooms_tier_and_the_sites_is_the_highest(ill: str, well: str) -> None:
    room = both(TWO, "angio", "ct").media(audio=False, video=False, room=ill).wait(5)
    assert tiers(room) == {ill: 3, well: 0}
    assert (room.state.tier, room.state.leading_room) == (3, ill)
    entered = [event for event in room.events if event.name == "tier.entered"]
    assert [event.data["room"] for event in entered] == [ill]
    assert room.state.rooms[well].av_compliant is True


def test_t2_rule4_a_failover_is_every_rooms_and_each_must_confirm_its_own() -> None:
    room = both(TWO, "angio", "ct").router("1").wait(5).act(Act.CONTINUITY_CONFIRMED, room="ct").wait(40)
    assert tiers(room) == {"angio": 3, "ct": 2}
    room.wait(25)
    assert tiers(room) == {"angio": 3, "ct": 0}, "a room that confirmed does not wait for the other"
    room.act(Act.CONTINUITY_CONFIRMED, room="angio").wait(65)
    assert tiers(room) == {"angio": 0, "ct": 0}


def test_rule8_contact_by_phone_in_one_room_does_not_serve_the_other() -> None:
    room = both(TWO, "angio", "ct")
    for name in TWO.rooms:
        room.media(audio=False, video=False, room=name)
    room.wait(10).act(Act.PHONE_CONFIRMED, room="ct").wait(111)
    assert tiers(room) == {"angio": 4, "ct": 3}


def test_rule9_an_acknowledgement_in_one_room_does_not_unlatch_the_other() -> None:
    room = both(TWO, "angio", "ct").phone(False)
    for name in TWO.rooms:
        room.media(audio=False, video=False, room=name)
    room.wait(5)
    for name in TWO.rooms:
        room.media(room=name)
    room.phone(True).act(Act.ACKNOWLEDGED, room="angio").wait(40)
    assert tiers(room) == {"angio": 0, "ct": 4}
    room.act(Act.ONSITE_PRESENT, room="ct").wait(1)
    assert tiers(room) == {"angio": 0, "ct": 0}


def test_c1_a_dead_phone_is_that_of_its_room() -> None:
    room = both(OWN_PHONES, "angio", "ct").phone(False, room="angio")
    for name in TWO.rooms:
        room.media(audio=False, video=False, room=name)
    assert tiers(room.wait(5)) == {"angio": 4, "ct": 3}
    assert ("phone.unreachable", "angio") in room.state.conditions


def test_rule11_each_room_has_its_own_deadlines() -> None:
    room = both(TWO, "angio", "ct").media(audio=False, video=False, room="angio").wait(30)
    room.media(audio=False, video=False, room="ct").wait(1)
    due_s = {name: held.timers["phone"].due_s for name, held in room.state.rooms.items()}
    assert due_s["ct"] - due_s["angio"] == 30.0
    room.act(Act.MOBILE_UP, room="ct")
    assert not room.state.rooms["angio"].timers["mobile"].met


def test_rule17_a_room_without_a_session_is_judged_by_the_lines_while_the_other_is_in_session() -> None:
    room = both(TWO, "ct").media(audio=False, video=False, room="angio").wait(10)
    assert tiers(room) == {"angio": 0, "ct": 0}
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(5)
    assert tiers(room)["angio"] == 3
    assert tiers(room)["ct"] < 3, "its media flow"


def test_e1_the_seconds_of_each_session_are_told_apart() -> None:
    room = both(TWO, "angio", "ct").wait(8).media(video=False, room="ct").wait(14)
    told = [event.data for event in room.events if event.name == "av.seconds"]
    assert {(data["room"], data["session"]) for data in told} == {("angio", "s-angio"), ("ct", "s-ct")}
    assert not any("D" in str(data["video_to"]) for data in told if data["room"] == "angio")
    assert any("D" in str(data["video_to"]) for data in told if data["room"] == "ct")


def test_rule8_a_restart_keeps_each_rooms_session_tier_and_deadlines() -> None:
    room = both(TWO, "angio", "ct").media(audio=False, video=False, room="ct").wait(20)
    after = room.restarted(away_s=10)
    assert tiers(after) == {"angio": 0, "ct": 3}
    assert after.state.rooms["angio"].session == room.state.rooms["angio"].session
    assert after.state.rooms["ct"].timers["phone"].due_s == room.state.rooms["ct"].timers["phone"].due_s


def test_the_status_shows_every_room_and_the_leading_one_first() -> None:
    room = both(TWO, "angio", "ct").media(audio=False, video=False, room="ct").wait(5)
    doc = snapshot(TWO, room.state, room.now)
    assert isinstance(doc["tier"], dict)
    assert (doc["tier"]["room"], doc["tier"]["tier"]) == ("ct", 3)
    assert isinstance(doc["rooms"], list)
    assert {each["room"] for each in doc["rooms"]} == {"angio", "ct"}
