from collections.abc import Iterable
from ipaddress import ip_address

import pytest

from probes.media_settings import MediaSettings
from probes.media_state import MediaState, blind_reading
from probes.packets.frame import UdpFrame
from probes.packets.rtp import RtpHeader
from probes.reading import Medium, StreamReading, Way

SETTINGS = MediaSettings.model_validate(
    {
        "interface": "lan0",
        "room_networks": ["10.77.0.0/24", "fd77::/64"],
        "platform_networks": ["198.51.100.30/32", "2001:db8::/32"],
        "audio": {"ports": [5004], "payload_types": [111]},
        "video": {"ports": [5006], "payload_types": [96], "silence_s": 2.0},
    }
)
ROOM, PLATFORM = "10.77.0.20", "198.51.100.30"
START_S = 5000.0
AUDIO_OUT = (Medium.AUDIO, Way.FROM_ROOM)
AUDIO_IN = (Medium.AUDIO, Way.TO_ROOM)
VIDEO_IN = (Medium.VIDEO, Way.TO_ROOM)


def udp(source: str, destination: str, *, source_port: int = 40000, destination_port: int = 40000) -> UdpFrame:
    return UdpFrame(ip_address(source).packed, ip_address(destination).packed, source_port, destination_port, 42, 100)


def rtp(payload_type: int, sequence: int = 1, ssrc: int = 7) -> RtpHeader:
    return RtpHeader(payload_type, False, sequence, 0, ssrc)


AUDIO_OUT_FRAME = udp(ROOM, PLATFORM, destination_port=5004)
AUDIO_IN_FRAME = udp(PLATFORM, ROOM, source_port=5004)
VIDEO_IN_FRAME = udp(PLATFORM, ROOM, source_port=5006)


def stream(state: MediaState, key: tuple[Medium, Way], at_s: float) -> StreamReading:
    return next(s for s in state.reading(START_S + at_s).streams if (s.medium, s.way) == key)


def fed(packets: Iterable[tuple[float, UdpFrame, RtpHeader]]) -> MediaState:
    state = MediaState(SETTINGS)
    for at_s, frame, header in packets:
        state.feed(frame, header, START_S + at_s)
    return state


@pytest.mark.parametrize(
    ("frame", "payload_type", "key"),
    [
        pytest.param(AUDIO_OUT_FRAME, 111, AUDIO_OUT, id="audio from the room"),
        pytest.param(AUDIO_IN_FRAME, 111, AUDIO_IN, id="audio to the room"),
        pytest.param(VIDEO_IN_FRAME, 96, VIDEO_IN, id="video to the room"),
        pytest.param(udp("fd77::20", "2001:db8::30", destination_port=5004), 111, AUDIO_OUT, id="audio over IPv6"),
        pytest.param(AUDIO_OUT_FRAME, 96, None, id="video's payload type on audio's port"),
        pytest.param(udp(ROOM, PLATFORM, source_port=5004), 111, None, id="the port on the room's side"),
        pytest.param(udp(ROOM, "203.0.113.9", destination_port=5004), 111, None, id="another host"),
        pytest.param(udp(ROOM, "10.77.0.30", destination_port=5004), 111, None, id="inside the room"),
        pytest.param(udp("203.0.113.9", PLATFORM, destination_port=5004), 111, None, id="passing by the room"),
    ],
)
def test_direction_is_told_by_address_and_medium_by_port_and_payload_type(
    frame: UdpFrame, payload_type: int, key: tuple[Medium, Way] | None
) -> None:
    reading = fed([(0, frame, rtp(payload_type))]).reading(START_S)
    live = [(s.medium, s.way) for s in reading.streams if s.live]
    assert live == ([key] if key else [])


@pytest.mark.parametrize(
    ("after_s", "live", "age_s"),
    [(0.0, True, 0.0), (1.0, True, 1.0), (1.05, False, 1.05), (3600.0, False, 3600.0), (3600.1, None, 3600.1)],
)
def test_a_stream_lives_then_is_silent_then_is_forgotten(after_s: float, live: bool | None, age_s: float) -> None:
    reading = stream(fed([(0, AUDIO_OUT_FRAME, rtp(111))]), AUDIO_OUT, after_s)
    assert reading.live is live
    assert reading.age_s == pytest.approx(age_s)


def test_what_was_never_seen_is_unknown() -> None:
    state = fed([(0, AUDIO_OUT_FRAME, rtp(111))])
    assert stream(state, AUDIO_IN, 0) == StreamReading(Medium.AUDIO, Way.TO_ROOM, None, None, 0.0, None)
    assert state.liveness(START_S) == tuple(s.live for s in state.reading(START_S).streams)


def test_each_medium_has_its_own_patience() -> None:
    state = fed([(0, AUDIO_IN_FRAME, rtp(111)), (0, VIDEO_IN_FRAME, rtp(96))])
    assert stream(state, AUDIO_IN, 1.5).live is False
    assert stream(state, VIDEO_IN, 1.5).live is True


def test_one_direction_alone_is_one_direction_alone() -> None:
    state = fed([(n * 0.02, AUDIO_IN_FRAME, rtp(111, n)) for n in range(100)])
    state.feed(AUDIO_OUT_FRAME, rtp(111), START_S)
    assert stream(state, AUDIO_IN, 2.0).live is True
    assert stream(state, AUDIO_OUT, 2.0).live is False


def test_rate_and_loss_are_of_the_last_second() -> None:
    packets = [(n * 0.02, AUDIO_IN_FRAME, rtp(111, n)) for n in range(200) if n < 100 or n % 10]
    state = fed(packets)
    calm, lossy = stream(fed(packets[:100]), AUDIO_IN, 2.0), stream(state, AUDIO_IN, 4.0)
    assert (calm.packet_rate_hz, calm.loss_pct) == (50.0, 0.0)
    assert lossy.packet_rate_hz == 45.0
    assert lossy.loss_pct == pytest.approx(10.0)
    gone = stream(state, AUDIO_IN, 5.5)
    assert (gone.packet_rate_hz, gone.loss_pct) == (0.0, None)


def test_loss_is_counted_per_source() -> None:
    """Two simulcast layers with far apart numbers, one of which loses every second packet."""
    packets = [(n * 0.02, VIDEO_IN_FRAME, rtp(96, n, ssrc=1)) for n in range(75)]
    packets += [(n * 0.02, VIDEO_IN_FRAME, rtp(96, 30000 + n, ssrc=2)) for n in range(0, 75, 2)]
    assert stream(fed(sorted(packets, key=lambda p: p[0])), VIDEO_IN, 1.5).loss_pct == pytest.approx(25.0, abs=1)


def test_a_stream_that_returns_after_an_outage_has_lost_nothing_since() -> None:
    packets = [(n * 0.02, AUDIO_IN_FRAME, rtp(111, n)) for n in (*range(50), *range(550, 600))]
    back = stream(fed(packets), AUDIO_IN, 12.0)
    assert (back.live, back.packet_rate_hz, back.loss_pct) == (True, 50.0, 0.0)


def test_loss_is_unknown_while_the_kernel_dropped_our_own_copy() -> None:
    state = fed([(n * 0.02, AUDIO_IN_FRAME, rtp(111, n)) for n in range(0, 250, 2)])
    state.overrun(START_S + 3.0)
    assert stream(state, AUDIO_IN, 3.0).loss_pct is None
    assert stream(state, AUDIO_IN, 4.0).loss_pct is None
    assert stream(state, AUDIO_IN, 4.5).loss_pct == pytest.approx(50.0, abs=2)


def test_a_flood_of_sources_counts_as_packets_and_is_not_remembered() -> None:
    state = fed([(n * 0.001, VIDEO_IN_FRAME, rtp(96, n, ssrc=n)) for n in range(1000)])
    reading = stream(state, VIDEO_IN, 1.0)
    assert (reading.live, reading.packet_rate_hz) == (True, 1000.0)


def test_a_blind_observer_knows_nothing() -> None:
    reading = blind_reading(START_S)
    assert reading.observing is False
    assert [(s.medium, s.way) for s in reading.streams] == [(m, w) for m in Medium for w in Way]
    assert all(s.live is None and s.age_s is None and s.loss_pct is None for s in reading.streams)
