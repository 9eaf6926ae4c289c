"""E1: second by second, what was live, dead and not observed. Nothing unobserved is ever told as live."""

import pytest

from edged.core.events import Event
from edged.core.observations import Act, DaemonPhase, Phase, Tick
from probes.reading import Medium, Protection, Way
from tests.edged.core.room import Room, calm_room

LANES = ("audio_to", "audio_from", "video_to", "video_from")
LIVE: dict[tuple[Medium, Way], bool | None] = {(medium, way): True for medium in Medium for way in Way}


def told(room: Room) -> list[Event]:
    return [event for event in room.events if event.name == "av.seconds"]


def band(room: Room, lane: str = "av") -> dict[int, str]:
    """Of each second that was told, by when it began, what was said of it; never twice."""
    found: dict[int, str] = {}
    for event in told(room):
        word, ended_s_ago = event.data[lane], event.data["ended_s_ago"]
        assert isinstance(word, str)
        assert isinstance(ended_s_ago, float)
        end = round(event.at_s - ended_s_ago)
        for back, letter in enumerate(reversed(word), start=1):
            assert end - back not in found, "a second is told once"
            found[end - back] = letter
    return found


def letters(room: Room, lane: str = "av") -> str:
    found = band(room, lane)
    return "".join(found[second] for second in sorted(found))


def closed(room: Room) -> Room:
    return room.act(Act.SESSION_CLOSED)


def test_e1_a_session_that_lived_throughout_is_told_as_live_in_every_second() -> None:
    room = closed(calm_room().wait(30))
    assert sorted(band(room)) == list(range(1000, 1035))
    assert set(letters(room)) == {"Y"}


@pytest.mark.parametrize(
    ("joined_s", "closed_s"), [(0.0, 0.0), (0.1, 0.1), (0.45, 0.2), (0.8, 0.6), (0.95, 0.9), (0.95, 0.1)]
)
def test_e1_no_second_is_missing_wherever_within_one_a_session_begins_and_ends(
    joined_s: float, closed_s: float
) -> None:
    room = calm_room(session=False).media().wait(joined_s).act(Act.SESSION_OPENED, "s-2")
    room.wait(12 - joined_s + closed_s)
    closed(room)
    assert sorted(band(room)) == list(range(1005, 1017))
    assert set(letters(room)) == {"Y"}


@pytest.mark.parametrize(
    ("medium", "way", "lane"),
    [
        (Medium.AUDIO, Way.TO_ROOM, "audio_to"),
        (Medium.AUDIO, Way.FROM_ROOM, "audio_from"),
        (Medium.VIDEO, Way.TO_ROOM, "video_to"),
        (Medium.VIDEO, Way.FROM_ROOM, "video_from"),
    ],
)
def test_e1_rule7_each_stream_has_its_lane_and_one_that_is_dead_makes_the_second_no(
    medium: Medium, way: Way, lane: str
) -> None:
    room = calm_room().streams({**LIVE, (medium, way): False}).wait(5).streams(LIVE).wait(10)
    closed(room)
    assert letters(room).count("N") in (5, 6)
    for each in LANES:
        assert ("D" in letters(room, each)) is (each == lane)


def test_e1_a_short_failure_within_a_second_makes_that_second_dead() -> None:
    room = calm_room().wait(0.25).media(video=False).wait(0.25).media().wait(8)
    closed(room)
    assert letters(room) == "YYYYYNYYYYYYY"


@pytest.mark.parametrize("unknown", [*LIVE, None])
def test_e1_rule7_what_nobody_knows_is_unobserved_and_never_live(unknown: tuple[Medium, Way] | None) -> None:
    lives = {stream: None if unknown in (None, stream) else True for stream in LIVE}
    room = calm_room().streams(lives).wait(15)
    assert set(letters(closed(room))[6:]) == {"U"}


def test_e1_an_observer_that_falls_silent_proves_nothing_more_after_two_seconds() -> None:
    room = calm_room().silence("media:").wait(10)
    assert letters(closed(room)) == "YYYYYYUUUUUUUUU"  # its last word was at 1004.25


@pytest.mark.parametrize("asleep_s", [1.5, 4.0, 9.0, 30.0, 150.0, 4000.0])
def test_e1_seconds_nobody_looked_at_are_not_live_however_long_the_box_slept(asleep_s: float) -> None:
    room = calm_room().wait(3)  # eight seconds wait to be told
    room.now += asleep_s
    room.media().wait(12)
    woke = int(1008 + asleep_s)
    found = band(closed(room))
    assert {found.get(second, "U") for second in range(1008, woke)} <= {"U"}
    assert all(found[second] == "Y" for second in range(1000, 1008))
    assert all(found[second] == "Y" for second in range(woke + 2, woke + 12))
    assert all(isinstance(n := event.data["seconds"], int) and n < 128 for event in told(room))


def test_e1_a_late_look_says_nothing_of_what_it_missed() -> None:
    room = calm_room()
    room.now += 0.7  # a loop that stood still
    room.hear(Tick(room.now)).wait(3.3)
    assert letters(closed(room)) == "YYYYYUYYY"


@pytest.mark.parametrize("away_s", [0.3, 0.9, 7.0])
@pytest.mark.parametrize("into_s", [0.0, 0.5, 0.85])
def test_e1_rule8_a_second_the_daemon_was_dead_in_is_not_live(away_s: float, into_s: float) -> None:
    room = calm_room().wait(10 + into_s)
    after = room.restarted(away_s=away_s).wait(5)
    found = {**band(room), **band(closed(after))}
    dead = range(int(room.now), int(room.now + away_s) + 1)
    assert {found.get(second, "U") for second in dead} == {"U"}
    assert "Y" in letters(after)


def test_e1_a_session_that_only_was_requested_is_not_supervised_and_has_no_seconds() -> None:
    room = calm_room(session=False).media().act(Act.SESSION_REQUESTED, "s-2").wait(15)
    assert told(room) == []
    room.act(Act.SESSION_JOINED).wait(12)
    assert len(told(room)) == 1


def test_e1_ten_seconds_are_told_at_a_time_and_what_waits_before_a_phase_changes_or_the_daemon_goes() -> None:
    room = calm_room().wait(20)
    assert {event.data["seconds"] for event in told(room)} == {10}
    room.wait(2).act(Act.CONTRAST_STARTED)
    assert (told(room)[-1].data["phase"], told(room)[-1].data["seconds"]) == ("pre", 7)
    room.wait(4).hear(DaemonPhase(room.now, Phase.STOPPING, "1", "c", "continued"))
    assert told(room)[-1].data["phase"] == "injecting"
    assert sorted(band(room)) == list(range(1000, 1031))


def test_e1_rule10_each_second_carries_both_verdicts() -> None:
    room = calm_room().wait(6).media(video=False).wait(25)
    closed(room)
    last = told(room)[-1].data
    assert set(str(last["av"])) == {"N"}
    assert last["tier"] == 2
    assert (last["room"], last["session"]) == ("room", "s-1")


def test_e1_the_source_and_the_protection_are_told_with_the_seconds() -> None:
    room = calm_room().streams(LIVE, protection=Protection.CLEAR).wait(10)
    assert (told(room)[-1].data["source"], told(room)[-1].data["protection"]) == ("observer", "clear")
    room.platform().wait(10)
    assert told(room)[-1].data["source"] == "platform"
    room.silence("platform:None").silence("media:").wait(20)
    assert told(room)[-1].data["source"] == "none"
