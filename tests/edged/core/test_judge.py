"""What the judge records, and that it is a function of its arguments."""

from dataclasses import replace
from itertools import pairwise

from edged.core.effects import Effect
from edged.core.events import Channel, Event
from edged.core.judge import judge
from edged.core.observations import AccessRefused, Act, SourceFailed
from edged.core.state import State
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power


def a_bad_night() -> Room:
    room = calm_room().ups("network", Power.BATTERY).link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(9)
    room.router("1").media().wait(5).act(Act.CONTINUITY_CONFIRMED).link("cellular", Verdict.DOWN)
    room.media(audio=False, video=False).phone(False).wait(20)
    room.link("cellular").link("fiber").router("0").media().phone(True).ups("network", Power.MAINS)
    return room.act(Act.ACKNOWLEDGED).act(Act.CONTINUITY_CONFIRMED).wait(120)


def test_replaying_what_was_heard_gives_the_same_events_and_effects() -> None:
    room = a_bad_night()
    state = State(started_s=1000.0)
    events: list[Event] = []
    effects: list[Effect] = []
    for now, heard in room.heard:
        judged = judge(SITE, state, heard, now)
        state = judged.state
        events += judged.events
        effects += judged.effects
    assert state == room.state
    assert events[-len(room.events) :] == room.events
    assert effects[-len(room.effects) :] == room.effects


def test_each_tier_is_told_once_when_it_is_entered() -> None:
    tiers = a_bad_night().tiers
    assert all(a != b for a, b in pairwise(tiers))
    assert tiers[-1] == 0


def test_mains_lost_and_back_is_a_condition_raised_and_cleared() -> None:
    room = calm_room().ups("network", Power.BATTERY).wait(2)
    told = room.last("power.on_battery.raised").data
    assert (told["at"], told["severity"]) == ("network", "alarm")
    room.ups("network", Power.MAINS).wait(7)
    assert room.last("power.on_battery.cleared").data["at"] == "network"


def test_unknown_power_neither_raises_nor_clears() -> None:
    room = calm_room().ups("network", Power.UNKNOWN).wait(10)
    assert "power.on_battery.raised" not in room.names
    room.ups("network", Power.BATTERY).wait(1).ups("network", Power.UNKNOWN).wait(60)
    assert "power.on_battery.cleared" not in room.names


def test_a_source_that_falls_silent_is_blind() -> None:
    room = calm_room()
    del room._says["link:fiber"]
    room.wait(12)
    assert room.last("source.blind.raised").data["at"] == "link:fiber"
    assert room.doc()["blind"] == ["link:fiber"]
    room.link("fiber").wait(1)
    assert "source.blind.cleared" in room.names


def test_acts_are_audited_with_who_role_and_reason() -> None:
    room = calm_room(session=False).act(Act.SESSION_OPENED, "s-9")
    assert room.last("act.session_opened").data == {
        "act": "session_opened",
        "actor": "tech",
        "role": "operate",
        "reason": "drill",
        "session": "s-9",
        "room": "room",
        "subject": None,
        "for_s": None,
    }


def test_opening_twice_is_idempotent_and_another_session_is_refused() -> None:
    room = calm_room().act(Act.SESSION_OPENED, "s-1")
    assert "act.refused" not in room.names
    room.act(Act.SESSION_OPENED, "s-2")
    assert room.last("act.refused").data["refused"] == "another_session_is_open"
    assert room.state.session is not None
    assert room.state.session.id == "s-1"


def test_closing_no_session_is_refused() -> None:
    room = calm_room(session=False).act(Act.SESSION_CLOSED)
    assert room.last("act.refused").data["refused"] == "no_session_is_open"


def test_refused_access_and_failed_sources_are_recorded() -> None:
    for observation, name in (
        (AccessRefused(1.0, "eve", "none", "act"), "access.refused"),
        (SourceFailed(1.0, "router", "OSError", 1), "source.failed"),
    ):
        events = judge(SITE, State(started_s=0.0), observation, 1.0).events
        assert [(e.channel, e.name) for e in events if e.name == name] == [(Channel.LOG, name)]


def test_a_source_that_fails_for_ever_does_not_fill_the_record() -> None:
    told = [judge(SITE, State(started_s=0.0), SourceFailed(1.0, "r", "E", n), 1.0).events for n in range(1, 2000)]
    assert sum(event.name == "source.failed" for events in told for event in events) == 4


def test_av_compliance_is_recorded_when_it_changes() -> None:
    room = calm_room().media(video=False).wait(3).media().wait(3)
    changes = [event.data["av_compliant"] for event in room.events if event.name == "av.changed"]
    assert changes == [False, True]


def test_a_carrier_that_the_config_names_no_more_is_nobody_until_the_router_says() -> None:
    renamed = replace(SITE, links=(SITE.links[0], replace(SITE.links[1], name="lte", wan="2")))
    after = calm_room().router("1").wait(3).restarted(away_s=1, talking=False)
    after.plan = renamed
    after.link("fiber").link("lte").media().wait(2)
    assert after.state.carrier is None
    assert after.doc()["tier"]["tier"] == 2, "the failover still waits for its word"  # type: ignore[index]
    assert after.router("2").wait(1).state.carrier == "lte"
