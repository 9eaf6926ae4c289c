"""The state of a room whose media are told by configured ports and payload types."""

from ipaddress import ip_network

import pytest

from probes.media_settings import MediaSettings
from probes.media_state import MediaState, blind_reading
from probes.reading import MediaReading, Medium, StreamReading, Way
from tests.probes.media_wire import OPUS, PLATFORM, ROOM, VP8, Capture, Path, Sender, frozen, in_order, rtp

SETTINGS = MediaSettings.model_validate(
    {
        "interface": "lan0",
        "room_networks": ["10.77.0.0/24", "fd77::/64"],
        "platform_networks": ["198.51.100.30/32", "2001:db8::/32"],
        "audio": {"ports": [5004], "payload_types": [111]},
        "video": {"ports": [5006], "payload_types": [96], "silence_s": 2.0},
    }
)
START_S = 5000.0
AUDIO_OUT = (Medium.AUDIO, Way.FROM_ROOM)
AUDIO_IN = (Medium.AUDIO, Way.TO_ROOM)
VIDEO_IN = (Medium.VIDEO, Way.TO_ROOM)


def path(source: str, destination: str, *, source_port: int = 40000, destination_port: int = 40000) -> Path:
    return Path(source, destination, source_port, destination_port)


AUDIO_OUT_PATH = path(ROOM, PLATFORM, destination_port=5004)
AUDIO_IN_PATH = path(PLATFORM, ROOM, source_port=5004)
VIDEO_IN_PATH = path(PLATFORM, ROOM, source_port=5006)


def fed(*captures: Capture) -> MediaState:
    state = MediaState(SETTINGS, {"": SETTINGS.room_networks})
    for at_s, frame in in_order(*captures):
        state.feed(frame, START_S + at_s)
    return state


def two(way: Path, payload_type: int = 111) -> Capture:
    """The fewest packets that are a source."""
    return [(0.0, way.frame(rtp(n, 960 * n, payload_type=payload_type))) for n in (1, 2)]


def read(state: MediaState, at_s: float = 0.0) -> MediaReading:
    return state.reading("", START_S + at_s)


def stream(state: MediaState, key: tuple[Medium, Way], at_s: float) -> StreamReading:
    return next(s for s in read(state, at_s).streams if (s.medium, s.way) == key)


@pytest.mark.parametrize(
    ("way", "payload_type", "key"),
    [
        pytest.param(AUDIO_OUT_PATH, 111, AUDIO_OUT, id="audio from the room"),
        pytest.param(AUDIO_IN_PATH, 111, AUDIO_IN, id="audio to the room"),
        pytest.param(VIDEO_IN_PATH, 96, VIDEO_IN, id="video to the room"),
        pytest.param(path("fd77::20", "2001:db8::30", destination_port=5004), 111, AUDIO_OUT, id="audio over IPv6"),
        pytest.param(AUDIO_OUT_PATH, 96, None, id="video's payload type on audio's port"),
        pytest.param(path(ROOM, PLATFORM, source_port=5004), 111, None, id="the port on the room's side"),
        pytest.param(path(ROOM, "203.0.113.9", destination_port=5004), 111, None, id="another host"),
        pytest.param(path(ROOM, "10.77.0.30", destination_port=5004), 111, None, id="inside the room"),
        pytest.param(path("203.0.113.9", PLATFORM, destination_port=5004), 111, None, id="passing by the room"),
    ],
)
def test_direction_is_told_by_address_and_a_hinted_medium_by_port_and_payload_type_at_once(
    way: Path, payload_type: int, key: tuple[Medium, Way] | None
) -> None:
    live = [(s.medium, s.way, s.confidence) for s in read(fed(two(way, payload_type))).streams if s.live]
    assert live == ([(*key, 1.0)] if key else [])


@pytest.mark.parametrize(
    ("after_s", "live", "age_s"),
    [(0.0, True, 0.0), (1.0, True, 1.0), (1.05, False, 1.05), (3600.0, False, 3600.0), (3600.1, None, 3600.1)],
)
def test_a_stream_lives_then_is_silent_then_is_forgotten(after_s: float, live: bool | None, age_s: float) -> None:
    reading = stream(fed(two(AUDIO_OUT_PATH)), AUDIO_OUT, after_s)
    assert reading.live is live
    assert reading.age_s == pytest.approx(age_s)


def test_rule7_what_was_never_seen_is_unknown_and_never_live() -> None:
    state = fed(two(AUDIO_OUT_PATH))
    assert stream(state, AUDIO_IN, 0) == StreamReading(Medium.AUDIO, Way.TO_ROOM, None, None, 0.0, None)
    assert state.liveness("", START_S) == tuple(s.live for s in read(state).streams)


def test_each_medium_has_its_own_patience() -> None:
    state = fed(two(AUDIO_IN_PATH), two(VIDEO_IN_PATH, 96))
    assert stream(state, AUDIO_IN, 1.5).live is False
    assert stream(state, VIDEO_IN, 1.5).live is True


def test_rule7_one_direction_alone_is_one_direction_alone() -> None:
    state = fed(two(AUDIO_OUT_PATH), OPUS.packets(0, 2.0, AUDIO_IN_PATH))
    assert stream(state, AUDIO_IN, 2.0).live is True
    assert stream(state, AUDIO_OUT, 2.0).live is False


def test_rate_and_loss_are_of_the_last_second() -> None:
    packets = OPUS.packets(0, 4.0, AUDIO_IN_PATH)
    lossy_packets = [packet for n, packet in enumerate(packets) if n < 100 or n % 10]
    calm, lossy = stream(fed(packets[:100]), AUDIO_IN, 2.0), stream(fed(lossy_packets), AUDIO_IN, 4.0)
    assert (calm.packet_rate_hz, calm.loss_pct) == (50.0, 0.0)
    assert lossy.packet_rate_hz == 45.0
    assert lossy.loss_pct == pytest.approx(10.0)
    gone = stream(fed(lossy_packets), AUDIO_IN, 5.5)
    assert (gone.packet_rate_hz, gone.loss_pct) == (0.0, None)


def test_loss_is_counted_per_source() -> None:
    """Two simulcast layers with far apart numbers, one of which loses every second packet."""
    low, high = Sender(1800, 0.02, 1, 96), Sender(1800, 0.02, 2, 96, sequence=30_000, timestamp=9)
    state = fed(low.packets(0, 1.5, VIDEO_IN_PATH), high.packets(0, 1.5, VIDEO_IN_PATH)[::2])
    assert stream(state, VIDEO_IN, 1.5).loss_pct == pytest.approx(25.0, abs=1)


@pytest.mark.parametrize("outage_s", [3.0, 10.0, 60.0])
def test_a_stream_that_returns_after_an_outage_has_lost_nothing_since(outage_s: float) -> None:
    end_s = 2.0 + outage_s
    state = fed(OPUS.packets(0, 1.0, AUDIO_IN_PATH), OPUS.packets(1.0 + outage_s, 1.0, AUDIO_IN_PATH))
    back = stream(state, AUDIO_IN, end_s)
    assert (back.live, back.loss_pct) == (True, 0.0)
    assert back.packet_rate_hz >= 49.0  # the first one of numbers far ahead may be anything


def test_loss_is_unknown_while_the_kernel_dropped_our_own_copy() -> None:
    state = fed(OPUS.packets(0, 5.0, AUDIO_IN_PATH)[::2])
    state.overrun(START_S + 3.0)
    assert stream(state, AUDIO_IN, 3.0).loss_pct is None
    assert stream(state, AUDIO_IN, 4.0).loss_pct is None
    assert stream(state, AUDIO_IN, 4.5).loss_pct == pytest.approx(50.0, abs=2)


def test_one_packet_alone_is_nothing_even_where_it_was_told_to_be() -> None:
    state = fed(two(AUDIO_IN_PATH)[:1], [(0.1, AUDIO_IN_PATH.frame(rtp(9000, 5, ssrc=99)))])
    assert read(state, 0.2).streams == read(fed()).streams


def test_a_single_odd_packet_ends_no_silence() -> None:
    odd = [(4.0, AUDIO_IN_PATH.frame(rtp(40_000, 77)))]  # of the right source, far from its numbers
    state = fed(OPUS.packets(0, 2.0, AUDIO_IN_PATH), odd)
    assert stream(state, AUDIO_IN, 4.0).live is False


def test_a_flood_of_sources_beside_a_stream_neither_hides_nor_feeds_it() -> None:
    flood = [
        (n * 0.001, VIDEO_IN_PATH.frame(rtp(n * 777, n * 91, ssrc=1000 + n, payload_type=96))) for n in range(3000)
    ]
    reading = stream(fed(VP8.packets(0, 3.0, VIDEO_IN_PATH), flood), VIDEO_IN, 3.0)
    assert (reading.live, reading.frame_rate_hz, reading.packet_rate_hz) == (True, 30.0, 120.0)


def test_t2_a_hinted_video_that_shows_one_picture_is_lost_while_its_packets_come() -> None:
    state = fed(VP8.packets(0, 2.0, VIDEO_IN_PATH), frozen(VP8, 2.0, 3.0, VIDEO_IN_PATH))
    reading = stream(state, VIDEO_IN, 5.0)
    assert (reading.live, reading.frame_rate_hz) == (False, 0.0)
    assert reading.frozen_for_s == pytest.approx(3.0, abs=0.1)
    assert reading.age_s is not None
    assert reading.age_s < 0.1


def test_rooms_are_told_apart_by_their_networks() -> None:
    rooms = {"ct": (ip_network("10.77.0.0/25"),), "mr": (ip_network("10.77.0.128/25"),)}
    state = MediaState(SETTINGS, rooms)
    for at_s, frame in two(path(PLATFORM, "10.77.0.200", source_port=5004)):
        state.feed(frame, START_S + at_s)
    live = {(name, s.medium, s.way) for name in rooms for s in state.reading(name, START_S).streams if s.live}
    assert live == {("mr", Medium.AUDIO, Way.TO_ROOM)}
    assert [state.reading(name, START_S).room for name in state.rooms] == ["ct", "mr"]


def test_a_blind_observer_knows_nothing() -> None:
    reading = blind_reading(START_S, "ct")
    assert (reading.observing, reading.room) == (False, "ct")
    assert [(s.medium, s.way) for s in reading.streams] == [(m, w) for m in Medium for w in Way]
    assert all(s.live is None and s.age_s is None and s.loss_pct is None for s in reading.streams)
