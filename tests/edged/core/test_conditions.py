"""Each condition: what raises it, what clears it, and that not knowing does neither."""

from dataclasses import replace

import pytest

from edged.core.conditions import CONDITIONS, sources, walk
from edged.core.observations import Act, CertificateReading, ClockReading, RecordReading, UplinkReading
from edged.core.plan import PhonePlan, Plan
from edged.core.state import State
from tests.edged.core.room import SITE, calm_room


def test_with_nothing_known_nothing_is_raised() -> None:
    assert not any(latch.raised for latch in walk(SITE, State(started_s=0.0), 0.0).values())


def test_only_what_the_site_has_has_conditions() -> None:
    least = Plan(links=SITE.links[:1])
    about = {subject for condition in CONDITIONS for subject in condition.subjects(least)}
    assert about == {"fiber", "box", "link:fiber", "room"}


def test_every_source_that_must_speak_has_a_limit_to_its_silence() -> None:
    latches = walk(SITE, State(started_s=0.0), 1000.0)
    assert {subject for name, subject in latches if name == "source.blind"} == set(sources(SITE))


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("uplink.lost", UplinkReading(0, False, 0, "refused"), UplinkReading(0, True, 0, None)),
        ("record.not_durable", RecordReading(0, False, "full"), RecordReading(0, True, None)),
        ("clock.not_synced", ClockReading(0, "unset"), ClockReading(0, "synced")),
        ("clock.implausible", ClockReading(0, "unset", plausible=False), ClockReading(0, "unset")),
        ("record.reserve_full", RecordReading(0, True, None, reserve_pct=90), RecordReading(0, True, None)),
        ("record.no_second_copy", RecordReading(0, True, None, second_copy=False), RecordReading(0, True, None)),
        ("record.low_space", RecordReading(0, True, None, low_space=True), RecordReading(0, True, None)),
        ("certificate.expires_30d", CertificateReading(0, "own", 29.9), CertificateReading(0, "own", 90)),
        ("certificate.expires_14d", CertificateReading(0, "ca", 13.9), CertificateReading(0, "ca", 29)),
        ("certificate.expires_7d", CertificateReading(0, "broker", 6.9), CertificateReading(0, "broker", 13)),
        ("certificate.expired", CertificateReading(0, "own", -0.1), CertificateReading(0, "own", 6)),
        (
            "certificate.not_exchanged",
            CertificateReading(0, "own", 60, error="no_key"),
            CertificateReading(0, "own", 60),
        ),
        (
            "uplink.over_budget",
            UplinkReading(0, True, 0, None, link="cellular", over_budget=True),
            UplinkReading(0, True, 0, None, link="cellular"),
        ),
    ],
)
def test_the_box_watches_itself(name: str, bad: object, good: object) -> None:
    room = calm_room(replace(SITE, certificates=("own", "ca", "broker")))
    room._hear(bad)  # type: ignore[arg-type]
    room.wait(61)
    assert room.last(f"{name}.raised")
    room._hear(good)  # type: ignore[arg-type]
    room.wait(61)
    assert room.last(f"{name}.cleared").data["lasted_s"]


def test_a_router_not_asked_yet_is_not_silent() -> None:
    room = calm_room()
    assert room.state.router is not None
    starting = replace(room.state.router, answering=False, cause=type(room.state.router.cause).STARTING)
    assert ("router.silent", "router") not in walk(SITE, replace(room.state, router=starting), room.now)


def test_rule7_a_platform_that_alone_sees_the_media_and_falls_silent_in_a_session_is_told() -> None:
    room = calm_room(replace(SITE, has_media=False), session=False).silence("media:").platform()
    room.act(Act.SESSION_OPENED, "s-2").wait(3).silence("platform:None").wait(20)
    assert room.last("media.unknown.raised").data["at"] == "room"
    room.platform().wait(1)
    assert "media.unknown.cleared" in room.names


def test_rule7_where_nobody_sees_the_media_that_is_no_news_in_every_session() -> None:
    room = calm_room(replace(SITE, has_media=False)).silence("media:").wait(30)
    assert ("media.unknown", "room") not in room.state.conditions


def test_c1_each_phone_line_that_nothing_is_heard_of_is_blind_though_another_ones_still_talks() -> None:
    plan = replace(SITE, rooms=("angio", "ct"), has_phone=False, phones={"angio": PhonePlan(), "ct": PhonePlan()})
    room = calm_room(plan, session=False).phone(True, room="angio").phone(True, room="ct").wait(3)
    room.silence("phone:ct").wait(40)
    assert "phone:ct" in str(room.doc()["blind"])
    assert "phone:angio" not in str(room.doc()["blind"])
