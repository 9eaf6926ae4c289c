"""The drill: its interlocks, its label, and that the primary line must be back whatever happens (D1, rule 16)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edged.core.drill import INTERLOCKS, primary_is_back, refusal
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.state import is_drilled
from probes.line_reading import StandbyReading
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power

TWO = replace(SITE, rooms=("angio", "ct"))
PROVEN = replace(SITE, links=(SITE.links[0], replace(SITE.links[1], standby=True)))


def fitness(fit: bool | None) -> Callable[[Room], Room]:
    def said(room: Room) -> Room:
        lacks = () if fit else ("mtu",)
        return room.hear(StandbyReading("cellular", room.now, 1500, 46, 46, 8e6, 8e6, room.now, fit, lacks))

    return said


@pytest.mark.parametrize(
    ("plan", "disturb", "refused"),
    [
        pytest.param(SITE, lambda room: room, None, id="all is well"),
        pytest.param(SITE, lambda room: room.act(Act.CONTRAST_STARTED), "contrast_given", id="injecting"),
        pytest.param(
            SITE,
            lambda room: room.act(Act.CONTRAST_STARTED).act(Act.CONTRAST_ENDED),
            "contrast_given",
            id="monitoring",
        ),
        pytest.param(
            SITE,
            lambda room: room.act(Act.CONTRAST_STARTED).act(Act.CONTRAST_ENDED).act(Act.MONITORING_ENDED),
            None,
            id="the monitoring window is over",
        ),
        pytest.param(SITE, lambda room: room.link("fiber", rtt_s=0.2).wait(6), "tier_in_force", id="tier 1"),
        pytest.param(SITE, lambda room: room.media(video=False).wait(3), "tier_in_force", id="tier 2"),
        pytest.param(SITE, lambda room: room.media(audio=False).wait(4), "tier_in_force", id="tier 3"),
        pytest.param(
            SITE, lambda room: room.phone(False).media(audio=False, video=False).wait(5), "tier_in_force", id="tier 4"
        ),
        pytest.param(SITE, lambda room: room.ups("network", Power.BATTERY), "on_battery", id="on battery"),
        pytest.param(SITE, lambda room: room.ups("workstation", Power.BATTERY), "on_battery", id="the workstation too"),
        pytest.param(SITE, lambda room: room.ups("network", Power.UNKNOWN), "on_battery", id="power unknown"),
        pytest.param(SITE, lambda room: room.link("cellular", Verdict.DOWN), "standby_unproven", id="standby down"),
        pytest.param(
            SITE, lambda room: room.link("cellular", Verdict.DEGRADED), "standby_unproven", id="standby degraded"
        ),
        pytest.param(PROVEN, lambda room: room, "standby_unproven", id="fitness never looked at"),
        pytest.param(PROVEN, fitness(False), "standby_unproven", id="standby unfit"),
        pytest.param(PROVEN, fitness(None), "standby_unproven", id="fitness not known"),
        pytest.param(PROVEN, fitness(True), None, id="standby proven fit"),
    ],
)
def test_rule16_d1_a_drill_is_refused_by_each_interlock(
    plan: Plan, disturb: Callable[[Room], Room], refused: str | None
) -> None:
    room = disturb(calm_room(plan))
    assert refusal(room.plan, room.state) == refused
    room.act(Act.DRILL_STARTED)
    assert room.last("act.refused" if refused else "act.drill_started").data.get("refused") == refused
    assert (room.state.drill is None) is (refused is not None)


def test_rule16_every_interlock_was_tried() -> None:
    assert {row.code for row in INTERLOCKS} == {
        "contrast_given",
        "tier_in_force",
        "on_battery",
        "standby_unproven",
        "primary_not_carrying",
    }


def test_rule16_a_drill_on_the_backup_line_is_none() -> None:
    room = calm_room(session=False).router("1").wait(62)
    assert room.state.tier == 0
    assert room.act(Act.DRILL_STARTED).last("act.refused").data["refused"] == "primary_not_carrying"


def test_rule16_contrast_in_another_room_of_the_site_locks_it_too() -> None:
    room = Room(TWO).link("fiber").link("cellular").router("0").ups("network", Power.MAINS)
    room.ups("workstation", Power.MAINS).act(Act.SESSION_OPENED, "s-ct", room="ct").media(room="ct").wait(3)
    room.act(Act.CONTRAST_STARTED, room="ct").act(Act.DRILL_STARTED)
    assert room.last("act.refused").data["refused"] == "contrast_given"


# ── what it does ──
def unplugged(room: Room) -> Room:
    """The primary is taken offline, and the router takes the backup in two seconds."""
    return room.act(Act.DRILL_STARTED).link("fiber", Verdict.DOWN).wait(2).router("1").wait(3)


def test_rule4_d1_a_drill_is_labelled_a_drill_in_every_tier_event() -> None:
    room = unplugged(calm_room()).wait(40)
    entered = [event for event in room.events if event.name == "tier.entered"]
    assert [event.tier for event in entered] == [2, 3]
    assert all(event.data["drill"] is True for event in entered)
    real = calm_room().link("fiber", Verdict.DOWN).wait(5)
    assert real.last("tier.entered").data["drill"] is False


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda room: room.act(Act.CONTRAST_STARTED), "contrast_given"),
        (lambda room: room.link("cellular", Verdict.DOWN).media(audio=False, video=False).wait(18), "tier_in_force"),
        (lambda room: room.ups("network", Power.BATTERY), "on_battery"),
        (lambda room: room.act(Act.CONTINUITY_CONFIRMED).wait(56), "out_of_time"),
    ],
    ids=["contrast", "the backup fails too", "mains fail", "forgotten"],
)
def test_rule16_a_drill_ends_by_itself_and_says_why(happens: Callable[[Room], Room], why: str) -> None:
    room = happens(unplugged(calm_room(replace(SITE, thresholds=replace(SITE.thresholds, drill_within_s=60.0)))))
    assert room.last("drill.aborted").data["why"] == why
    assert room.names.count("drill.aborted") == 1


@pytest.mark.parametrize("end", [Act.DRILL_ENDED, Act.DRILL_ABORTED])
def test_rule16_after_its_end_the_primary_must_be_back_and_until_then_it_is_an_alarm(end: Act) -> None:
    room = unplugged(calm_room()).act(end).wait(30)
    assert ("drill.primary_offline", "box") in room.state.conditions
    assert not primary_is_back(room.plan, room.state)
    room.link("fiber").wait(2)
    assert ("drill.primary_offline", "box") in room.state.conditions, "plugged in is not yet carrying"
    room.router("0").wait(1)
    assert "drill.primary_offline.cleared" in room.names


def test_rule16_rule8_a_drill_outlives_a_restart_so_that_the_primary_still_must_come_back() -> None:
    room = unplugged(calm_room()).act(Act.DRILL_ABORTED)
    after = room.restarted(away_s=20).wait(1)
    assert after.state.drill is not None
    assert ("drill.primary_offline", "box") in after.state.conditions


def test_ending_no_drill_is_refused_and_starting_one_twice_is_repeated() -> None:
    room = calm_room().act(Act.DRILL_ENDED)
    assert room.last("act.refused").data["refused"] == "no_drill"
    room.act(Act.DRILL_STARTED).act(Act.DRILL_STARTED)
    assert room.names[-1] == "act.repeated"


def test_rule4_the_failback_within_a_drill_is_labelled_a_drill_too() -> None:
    room = unplugged(calm_room()).act(Act.CONTINUITY_CONFIRMED).link("fiber").wait(62)
    assert room.state.tier == 0
    room.router("0").wait(1)
    assert room.last("tier.entered").data["drill"] is True
    room.act(Act.CONTINUITY_CONFIRMED).act(Act.DRILL_ENDED).wait(1)
    assert room.state.drill is None
    assert "drill.over" in room.names


def test_rule4_the_failback_that_ends_a_drill_is_labelled_a_drill_too() -> None:
    room = unplugged(calm_room()).act(Act.CONTINUITY_CONFIRMED).link("fiber").wait(62)
    room.act(Act.DRILL_ENDED).router("0").wait(1)
    assert room.last("tier.entered").data["drill"] is True


def test_rule16_what_follows_a_drill_that_became_a_real_outage_is_no_drill() -> None:
    room = unplugged(calm_room()).link("cellular", Verdict.DOWN).media(audio=False, video=False).wait(40)
    assert "drill.aborted" in room.names
    assert room.wait(100).last("tier.entered").data["drill"] is False


def test_rule16_ending_a_drill_twice_is_no_mistake_and_is_told_as_repeated() -> None:
    room = unplugged(calm_room()).act(Act.DRILL_ENDED)
    assert room.names.count("act.drill_ended") == 1
    assert room.act(Act.DRILL_ENDED).last("act.repeated").data["act"] == "drill_ended"
    assert room.act(Act.DRILL_ABORTED).names.count("act.repeated") == 2


@pytest.mark.parametrize(
    "happens",
    [
        lambda room: room.media(audio=False, video=False).wait(40),
        lambda room: room.media(audio=False).wait(5),
        lambda room: room.ups("network", Power.BATTERY).wait(1),
    ],
    ids=["sound and picture lost", "the sound alone", "mains fail"],
)
def test_rule16_what_is_lost_after_a_drill_and_before_the_primary_is_back_is_no_drill(
    happens: Callable[[Room], Room],
) -> None:
    room = unplugged(calm_room()).act(Act.DRILL_ENDED).wait(2)
    assert is_drilled(room.state)
    happens(room)
    assert not is_drilled(room.state)
    room.act(Act.ACKNOWLEDGED).media().wait(1)
    room.link("fiber").router("0").wait(2)
    assert room.state.drill is None


def test_rule16_a_restart_in_a_drill_ends_it_only_for_a_ups_that_says_so_or_says_nothing() -> None:
    after = unplugged(calm_room()).act(Act.CONTINUITY_CONFIRMED).restarted(away_s=2, talking=False)
    after.link("fiber", Verdict.DOWN).link("cellular").router("1").media().phone(True).wait(5)
    assert "drill.aborted" not in after.names
    assert after.restarted(away_s=2).ups("network", Power.BATTERY).last("drill.aborted").data["why"] == "on_battery"
    assert after.wait(41).last("drill.aborted").data["why"] == "on_battery"
