import aioice.stun
from aiortc.rtp import RtpPacket, is_rtcp
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from bench.media_traffic import PACKETS_PER_S, Stream, consent, ethernet, flows, opening, report


def test_two_sessions_are_1400_packets_a_second() -> None:
    assert PACKETS_PER_S == 1400
    each = [stream.frames_per_s * stream.packets_per_frame for flow in flows() for stream in flow.streams]
    assert sum(each) == PACKETS_PER_S
    assert len({stream.ssrc for flow in flows() for stream in flow.streams}) == len(each)


def test_another_codec_reads_the_frames_and_their_last_packet_is_marked() -> None:
    stream = Stream(96, 90_000, 30, 10, 1050, 7)
    packets = [RtpPacket.parse(raw) for number in (1, 2) for raw in stream.frame(number)]
    assert [packet.timestamp for packet in packets] == [3000] * 10 + [6000] * 10
    assert [packet.sequence_number for packet in packets] == list(range(1, 21))
    assert [packet.marker for packet in packets] == ([0] * 9 + [1]) * 2


def test_another_codec_reads_the_frame_around_it() -> None:
    seen = Ether(ethernet(b"payload", ("10.77.0.20", 5), ("198.51.100.30", 6)))
    assert (seen["IP"].src, seen["IP"].dst, seen[UDP].sport, seen[UDP].dport) == ("10.77.0.20", "198.51.100.30", 5, 6)
    assert bytes(seen[UDP].payload) == b"payload"


def test_checks_are_stun_handshakes_dtls_and_reports_rtcp() -> None:
    asked, answered = (aioice.stun.parse_message(consent(answer=answer)) for answer in (False, True))
    assert asked.message_class is aioice.stun.Class.REQUEST
    assert answered.message_class is aioice.stun.Class.RESPONSE
    for server in (False, True):
        check, *records = opening(server)
        aioice.stun.parse_message(check)
        assert all(20 <= record[0] < 64 and record[1:3] == b"\xfe\xfd" for record in records)
    assert is_rtcp(report(7))
