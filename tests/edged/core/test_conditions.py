"""Each condition: what raises it, what clears it, and that not knowing does neither."""

from dataclasses import replace

import pytest

from edged.core.conditions import CONDITIONS, sources, walk
from edged.core.observations import ClockReading, RecordReading, UplinkReading
from edged.core.plan import Plan
from edged.core.state import State
from tests.edged.core.room import SITE, calm_room


def test_with_nothing_known_nothing_is_raised() -> None:
    assert not any(latch.raised for latch in walk(SITE, State(started_s=0.0), 0.0).values())


def test_only_what_the_site_has_has_conditions() -> None:
    least = Plan(links=SITE.links[:1])
    about = {subject for condition in CONDITIONS for subject in condition.subjects(least)}
    assert about == {"fiber", "box", "link:fiber"}


def test_every_source_that_must_speak_has_a_limit_to_its_silence() -> None:
    latches = walk(SITE, State(started_s=0.0), 1000.0)
    assert {subject for name, subject in latches if name == "source.blind"} == set(sources(SITE))


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("uplink.lost", UplinkReading(0, False, 0, "refused"), UplinkReading(0, True, 0, None)),
        ("record.not_durable", RecordReading(0, False, "full"), RecordReading(0, True, None)),
        ("clock.not_synced", ClockReading(0, "unset"), ClockReading(0, "synced")),
    ],
)
def test_the_box_watches_itself(name: str, bad: object, good: object) -> None:
    room = calm_room()
    room._hear(bad)  # type: ignore[arg-type]
    room.wait(61)
    assert room.last(f"{name}.raised")
    room._hear(good)  # type: ignore[arg-type]
    room.wait(11)
    assert room.last(f"{name}.cleared").data["lasted_s"]


def test_a_router_not_asked_yet_is_not_silent() -> None:
    room = calm_room()
    assert room.state.router is not None
    starting = replace(room.state.router, answering=False, cause=type(room.state.router.cause).STARTING)
    assert ("router.silent", "router") not in walk(SITE, replace(room.state, router=starting), room.now)
