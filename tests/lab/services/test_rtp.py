import pytest
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.rtp import RTP

from lab.services.rtp import AUDIO, HEADER, VIDEO, Arrivals, Packet, Stream, build, parse, sender_report


@pytest.mark.parametrize(("stream", "rate_bps", "packets_per_s"), [(AUDIO, 64_000, 50), (VIDEO, 1_497_600, 180)])
def test_streams_are_as_heavy_as_a_supervision_session(stream: Stream, rate_bps: int, packets_per_s: int) -> None:
    assert stream.rate_bps == rate_bps
    assert stream.ticks_per_s * stream.packets_per_tick == packets_per_s


@given(st.sampled_from([AUDIO, VIDEO]), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**63))
def test_what_is_built_is_read(stream: Stream, ssrc: int, number: int, sent_ns: int) -> None:
    datagram = build(stream, ssrc, number, sent_ns)
    assert len(datagram) == stream.packet_bytes
    assert parse(datagram) == Packet(stream.payload_type, ssrc, number, sent_ns)


def test_another_codec_reads_the_header() -> None:
    seen = RTP(build(VIDEO, 0xCAFE, 65536 * 3 + 11, 1))
    assert (seen.version, seen.payload_type, seen.marker, seen.sequence) == (2, 96, 1, 11)
    assert (seen.sourcesync, seen.timestamp) == (0xCAFE, (65536 * 3 + 11) // 6 * 3000)


def test_the_last_packet_of_a_frame_is_marked_and_all_of_a_frame_have_one_time() -> None:
    heads = [HEADER.unpack_from(build(VIDEO, 1, number, 0)) for number in range(12)]
    assert [bool(head[1] & 0x80) for head in heads] == [False] * 5 + [True] + [False] * 5 + [True]
    assert {head[3] for head in heads[:6]} == {0}
    assert {head[3] for head in heads[6:]} == {3000}


def test_a_frame_sent_again_keeps_its_time_and_its_packets_their_numbers() -> None:
    heads = [HEADER.unpack_from(build(VIDEO, 1, number, 0, tick=7)) for number in (600, 601)]
    assert [(head[2], head[3]) for head in heads] == [(600, 21_000), (601, 21_000)]


@pytest.mark.parametrize("stream", [AUDIO, VIDEO])
def test_another_codec_reads_the_reports_and_we_take_them_for_no_media(stream: Stream) -> None:
    raw = sender_report(stream, 0xCAFE, packets=10, tick=50, wall_s=1.5)
    report, description = RtcpPacket.parse(raw)
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(description, RtcpSdesPacket)
    said = report.sender_info
    assert (report.ssrc, said.ntp_timestamp) == (0xCAFE, (2_208_988_801 << 32) + (1 << 31))
    assert said.rtp_timestamp == 50 * stream.clock_hz // stream.ticks_per_s
    assert (said.packet_count, said.octet_count) == (10, 10 * (stream.packet_bytes - HEADER.size))
    assert [(each.ssrc, each.items) for each in description.chunks] == [(0xCAFE, [(1, stream.medium.encode())])]
    assert parse(raw) is None


def test_audio_is_never_marked_and_its_time_goes_by_20_ms() -> None:
    heads = [HEADER.unpack_from(build(AUDIO, 1, number, 0)) for number in range(3)]
    assert [(head[1], head[3]) for head in heads] == [(111, 0), (111, 960), (111, 1920)]


@given(st.binary(max_size=100))
def test_garbage_is_no_packet_or_a_packet_and_never_raises(raw: bytes) -> None:
    parse(raw)


def arrivals(*numbers: int, ssrc: int = 1) -> Arrivals:
    seen = Arrivals()
    for number in numbers:
        seen.add(Packet(111, ssrc, number, 1_000_000), 160, 1_250_000)
    return seen


@pytest.mark.parametrize(
    ("numbers", "received", "lost"),
    [((5, 6, 7), 3, 0), ((5, 7), 2, 1), ((5, 9), 2, 3), ((5, 7, 6), 3, 0), ((), 0, 0)],
)
def test_lost_is_what_never_came(numbers: tuple[int, ...], received: int, lost: int) -> None:
    figures = arrivals(*numbers).take()
    assert (figures["received"], figures["lost"]) == (received, lost)


def test_a_gap_is_counted_in_the_second_it_shows() -> None:
    seen = arrivals(1, 2)
    seen.take()
    seen.add(Packet(111, 1, 5, 0), 160, 0)
    assert seen.take()["lost"] == 2


def test_a_sender_that_starts_anew_lost_nothing() -> None:
    seen = arrivals(100, 101)
    seen.add(Packet(111, 2, 0, 0), 160, 0)
    assert seen.take()["lost"] == 0


def test_delays_are_in_microseconds() -> None:
    assert arrivals(1).take()["delays_us"] == [250]
