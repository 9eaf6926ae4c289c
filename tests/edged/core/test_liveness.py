"""Ranked words on media: platform, wire, links; each with its age. Unknown never lives."""

from dataclasses import replace
from itertools import product

import pytest

from edged.core.liveness import OBSERVER_FRESH_S, PLATFORM_FRESH_S, STREAMS, Source, both_ways, words
from edged.core.observations import Act, PlatformSaid
from edged.core.rooms import RoomState
from probes.reading import MediaReading, Medium, StreamReading, Verdict, Way
from tests.edged.core.room import SITE, calm_room

NOW = 1000.0
STREAM = (Medium.AUDIO, Way.TO_ROOM)


def platform(live: bool | None, *, age_s: float = 1.0) -> PlatformSaid:
    return PlatformSaid(NOW - age_s, None, live, live, live, live)


def observer(live: bool | None, *, age_s: float = 0.5, observing: bool = True, confidence: float = 0.9) -> MediaReading:
    streams = tuple(StreamReading(m, w, live, 0.0, 50.0, 0.0, confidence=confidence) for m, w in STREAMS)
    return MediaReading(NOW - age_s, observing, streams)


@pytest.mark.parametrize(
    ("told", "seen", "all_down_s", "live", "source"),
    [
        pytest.param(None, None, None, None, Source.NONE, id="nobody says anything"),
        pytest.param(None, None, 990.0, False, Source.LINKS, id="no line, and nobody else says anything"),
        pytest.param(None, observer(True), 990.0, True, Source.OBSERVER, id="packets seen beat dead probes"),
        pytest.param(None, observer(False), None, False, Source.OBSERVER, id="seen dead"),
        pytest.param(None, observer(None), None, None, Source.NONE, id="seen, and not known"),
        pytest.param(platform(False), observer(True), None, False, Source.PLATFORM, id="the platform knows more"),
        pytest.param(platform(True), observer(None), None, True, Source.PLATFORM, id="the platform alone knows"),
        pytest.param(platform(True), None, 990.0, True, Source.PLATFORM, id="the platform against the links"),
        pytest.param(platform(None), observer(True), None, True, Source.OBSERVER, id="the platform did not say"),
        pytest.param(
            platform(True, age_s=2.0), observer(False), None, False, Source.OBSERVER, id="lost after the platform spoke"
        ),
        pytest.param(
            platform(True, age_s=0.1), observer(False, age_s=2.0), None, True, Source.PLATFORM, id="back since then"
        ),
        pytest.param(
            platform(True, age_s=0.1), observer(False, age_s=0.9), None, False, Source.OBSERVER, id="seen dead just now"
        ),
        pytest.param(
            platform(True, age_s=PLATFORM_FRESH_S + 0.1), None, None, None, Source.NONE, id="a stale word is none"
        ),
        pytest.param(
            platform(False, age_s=PLATFORM_FRESH_S + 0.1), observer(True), None, True, Source.OBSERVER, id="stale no"
        ),
        pytest.param(platform(True, age_s=PLATFORM_FRESH_S), None, None, True, Source.PLATFORM, id="just not stale"),
        pytest.param(None, observer(True, age_s=OBSERVER_FRESH_S + 0.1), None, None, Source.NONE, id="seen long ago"),
        pytest.param(None, observer(True, observing=False), None, None, Source.NONE, id="a blind observer"),
        pytest.param(
            None, observer(True, observing=False), 990.0, False, Source.LINKS, id="blind, and no line is left"
        ),
    ],
)
def test_rule7_the_best_fresh_word_on_a_stream_counts_and_a_loss_seen_later_than_the_platforms_word_stands(
    told: PlatformSaid | None, seen: MediaReading | None, all_down_s: float | None, live: bool | None, source: Source
) -> None:
    word = words(RoomState(platform=told, media=seen), all_down_s=all_down_s, now=NOW)[STREAM]
    assert (word.live, word.source) == (live, source)


@pytest.mark.parametrize(
    ("room", "age_s", "confidence"),
    [
        (RoomState(platform=platform(True, age_s=1.5)), 1.5, 1.0),
        (RoomState(media=observer(True, age_s=0.25, confidence=0.7)), 0.25, 0.7),
        (RoomState(), 10.0, 0.5),
    ],
)
def test_every_word_carries_its_age_and_how_sure_it_is(room: RoomState, age_s: float, confidence: float) -> None:
    word = words(room, all_down_s=990.0, now=NOW)[STREAM]
    assert (word.age_s, word.confidence) == (age_s, confidence)


def test_t3_rule7_a_platform_that_goes_on_calling_dead_streams_live_hides_no_loss() -> None:
    room = calm_room().media(audio=False, video=False)
    for _ in range(3):
        room.wait(0.5).hear(PlatformSaid(room.now, None, True, True, True, True)).wait(1.5)
    assert room.state.tier == 3


def test_rule7_rule17_what_the_platform_said_of_another_session_watches_over_none() -> None:
    plan = replace(SITE, has_media=False)
    room = calm_room(plan, session=False).silence("media:").platform().act(Act.SESSION_OPENED, "s-1").wait(3)
    room.silence("platform:None").act(Act.SESSION_CLOSED).wait(30).act(Act.SESSION_OPENED, "s-2").wait(1)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(5)
    assert room.state.tier == 3
    assert room.link("fiber").link("cellular").wait(31).state.tier == 0


@pytest.mark.parametrize(("one", "other"), list(product((True, False, None), repeat=2)))
def test_rule7_a_medium_lives_only_both_ways_and_unknown_is_never_live(one: bool | None, other: bool | None) -> None:
    said = PlatformSaid(NOW, None, one, other, True, True)
    held = words(RoomState(platform=said), all_down_s=None, now=NOW)
    assert both_ways(held, Medium.VIDEO) is True
    expected = False if False in (one, other) else True if one and other else None
    assert both_ways(held, Medium.AUDIO) is expected


def test_no_source_ever_makes_a_stream_live_that_none_called_live() -> None:
    for told, seen, all_down_s in product(
        (None, platform(False), platform(None), platform(True, age_s=7.0)),
        (None, observer(False), observer(None), observer(True, age_s=4.0), observer(True, observing=False)),
        (None, 990.0),
    ):
        held = words(RoomState(platform=told, media=seen), all_down_s=all_down_s, now=NOW)
        assert not any(word.live for word in held.values())
