"""May the next injection begin? Each row of the table, made true alone in a room that is otherwise ready."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edged.core.observations import Act, ClockReading, RecordReading
from edged.core.plan import PhonePlan, Plan
from edged.core.readiness import ROWS, Level, Readiness, readiness
from edged.core.situation import situation
from probes.line_reading import StandbyReading
from probes.reading import Protection, Verdict
from tests.edged.core.room import SITE, Room, calm_room
from tests.edged.core.test_seconds import LIVE
from ups.reading import Power

FULL = replace(
    SITE, has_mobile=True, links=(SITE.links[0], replace(SITE.links[1], standby=True, mcc_mnc="311-480", asn=6167))
)


def fit(room: Room, found: bool | None = True) -> Room:
    return room.hear(StandbyReading("cellular", room.now, 1500, 46, 46, 8e6, 8e6, room.now, found, ()))


def ready_room(plan: Plan = FULL, *, session: bool = True) -> Room:
    room = calm_room(plan, session=session).mobile(mcc_mnc="310-260", asn=21928)
    room.hear(RecordReading(room.now, True, None)).hear(ClockReading(room.now, "synced"))
    return fit(room).wait(1)


def ready(room: Room) -> Readiness:
    return readiness(room.plan, room.state, situation(room.plan, room.state, room.now))


Disturb = Callable[[Room], Room]

CASES: dict[str, tuple[Plan, Disturb]] = {
    "t4_latched": (FULL, lambda r: r.phone(False).media(audio=False, video=False).wait(5).media().phone(True)),
    "tier_in_force": (FULL, lambda r: r.router("1").router("0").wait(2)),
    "no_session": (FULL, lambda r: r.act(Act.SESSION_CLOSED)),
    "not_joined": (FULL, lambda r: r.act(Act.SESSION_CLOSED).act(Act.SESSION_REQUESTED, "s-2")),
    "av_not_live": (FULL, lambda r: r.media(video=False)),
    "av_unknown": (FULL, lambda r: r.media(video=None)),
    "no_line": (FULL, lambda r: r.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).silence("media:").wait(7)),
    "carrier_down": (FULL, lambda r: r.link("fiber", Verdict.DOWN)),
    "not_admissible": (replace(FULL, links=(replace(FULL.links[0], up_bps=5e6), FULL.links[1])), lambda r: r),
    "low_battery": (FULL, lambda r: r.ups("network", Power.LOW_BATTERY)),
    "drill": (FULL, lambda r: r.act(Act.DRILL_STARTED)),
    "clear_text_media": (FULL, lambda r: r.streams(LIVE, protection=Protection.CLEAR)),
    "carrier_unknown": (FULL, lambda r: r.link("fiber", Verdict.UNKNOWN)),
    "carrier_degraded": (FULL, lambda r: r.link("fiber", Verdict.DEGRADED)),
    "rate_unknown": (replace(FULL, links=(replace(FULL.links[0], up_bps=None), FULL.links[1])), lambda r: r),
    "no_second_link": (replace(FULL, links=FULL.links[:1]), lambda r: r),
    "standby_down": (FULL, lambda r: r.link("cellular", Verdict.DOWN)),
    "standby_unfit": (FULL, lambda r: fit(r, found=False)),
    "standby_unproven": (FULL, lambda r: r.link("cellular", Verdict.DEGRADED)),
    "on_battery": (FULL, lambda r: r.ups("workstation", Power.BATTERY)),
    "ups_unknown": (FULL, lambda r: r.ups("network", Power.UNKNOWN)),
    "media_not_watched": (replace(FULL, has_media=False), lambda r: r.platform()),
    "phone_not_watched": (replace(FULL, has_phone=False), lambda r: r),
    "phone_dead": (FULL, lambda r: r.phone(False)),
    "phone_unproven": (FULL, lambda r: r.phone(None)),
    "phone_unregistered": (FULL, lambda r: r.phone(True, registered=False)),
    "phone_shared_fate": (replace(FULL, phones={"": PhonePlan(rides_on=("fiber",))}), lambda r: r),
    "mobile_silent": (FULL, lambda r: r.mobile(False)),
    "mobile_same_carrier": (FULL, lambda r: r.mobile(mcc_mnc="311-480", asn=6167)),
    "clock_untrusted": (FULL, lambda r: r.hear(ClockReading(r.now, "unset"))),
    "record_not_durable": (FULL, lambda r: r.hear(RecordReading(r.now, False, "full"))),
    "source_blind": (FULL, lambda r: r.silence("router").wait(16)),
}
BESIDES = {"no_line": {"av_not_live", "carrier_down", "standby_down", "tier_in_force", "source_blind"}}
"""What cannot but be wrong as well."""


def test_a_room_in_which_everything_is_known_to_be_well_is_green() -> None:
    assert ready(ready_room()) == Readiness(Level.GREEN, ())


@pytest.mark.parametrize("code", CASES)
def test_each_reason_shows_alone_at_its_level_when_it_is_so(code: str) -> None:
    plan, disturb = CASES[code]
    found = ready(disturb(ready_room(plan)))
    row = next(row for row in ROWS if row.code == code)
    assert set(found.reasons) - BESIDES.get(code, set()) == {code}
    assert found.level is row.level or (code in BESIDES and found.level is Level.RED)


def test_every_row_was_tried() -> None:
    assert set(CASES) | {"restarted_just_now"} == {row.code for row in ROWS}


def test_after_a_start_it_takes_a_moment_until_anything_is_green() -> None:
    after = ready_room().restarted(away_s=1)
    after.hear(RecordReading(after.now, True, None)).hear(ClockReading(after.now, "synced"))
    assert ready(fit(after)) == Readiness(Level.AMBER, ("restarted_just_now",))
    assert ready(after.wait(5.25)).level is Level.GREEN


def test_rule7_with_nothing_known_nothing_is_ready() -> None:
    found = ready(Room(FULL))
    assert found.level is Level.RED
    assert {"no_session", "carrier_unknown", "ups_unknown", "phone_unproven", "clock_untrusted"} <= set(found.reasons)


def test_red_reasons_come_first() -> None:
    found = ready(ready_room().phone(False).media(video=False))
    assert found == Readiness(Level.RED, ("av_not_live", "phone_dead"))


def test_rule10_audio_alone_is_never_ready_for_an_injection() -> None:
    room = ready_room().media(video=False).wait(10)
    assert ready(room).level is Level.RED
    assert room.state.tier == 2


def test_t1_a_line_that_is_slow_or_loses_data_is_never_green() -> None:
    for room in (ready_room().link("fiber", rtt_s=0.2), ready_room().media(loss_pct=9.0)):
        assert ready(room.wait(6)) == Readiness(Level.AMBER, ("carrier_degraded",))
        assert room.state.tier == 1


def test_h1_media_once_seen_in_clear_are_not_ready_until_keys_were_agreed() -> None:
    room = ready_room().streams(LIVE, protection=Protection.CLEAR).wait(2)
    assert ready(room.streams(LIVE, protection=Protection.UNKNOWN).wait(60)) == Readiness(
        Level.RED, ("clear_text_media",)
    )
    assert ready(room.streams(LIVE).wait(2)).level is Level.GREEN
