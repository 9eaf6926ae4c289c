"""Against scapy's independent codec (unauthenticated) and against the byte offsets of RFC 8762 (authenticated, which it
lacks).
"""

import contextlib
import hashlib
import hmac
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.stamp import (
    ErrorEstimate,
    STAMPSessionReflectorTestUnauthenticated,
    STAMPSessionSenderTestUnauthenticated,
)

from probes.errors import MisuseError, PeerError, ProbeError
from probes.packets import stamp
from probes.packets.ntp_time import to_ntp

KEY = b"a key of the NOC"
NOW_NS = 1_750_000_000 * 10**9
NOW = to_ntp(NOW_NS)

longs, quads, shorts, octets = (st.integers(0, 2**bits - 1) for bits in (32, 64, 16, 8))
requests = st.builds(stamp.Request, longs, quads, shorts, shorts)
replies = st.builds(stamp.Reply, longs, quads, shorts, quads, requests, octets)


def estimate(raw: int) -> ErrorEstimate:
    return ErrorEstimate(S=raw >> 15, Z=raw >> 14 & 1, scale=raw >> 8 & 0x3F, multiplier=raw & 0xFF)


def ntp_error(raw: int) -> int:
    """scapy writes its timestamps as NTP only where the estimate says NTP."""
    return raw & ~0x4000


@given(requests)
def test_a_request_is_byte_for_byte_what_scapy_builds(request: stamp.Request) -> None:
    theirs = STAMPSessionSenderTestUnauthenticated(
        seq=request.sequence, err_estimate=estimate(ntp_error(request.error)), ssid=request.ssid
    )
    packet = bytearray(bytes(theirs))
    packet[4:12] = request.sent.to_bytes(8, "big")  # scapy takes timestamps as rounded floats
    ours = stamp.Request(request.sequence, request.sent, ntp_error(request.error), request.ssid)
    assert stamp.encode_request(ours) == bytes(packet)
    assert stamp.decode_request(bytes(packet)) == ours


@given(replies)
def test_a_reply_is_byte_for_byte_what_scapy_builds(reply: stamp.Reply) -> None:
    asked = reply.request
    theirs = STAMPSessionReflectorTestUnauthenticated(
        seq=reply.sequence,
        err_estimate=estimate(ntp_error(reply.error)),
        ssid=asked.ssid,
        seq_sender=asked.sequence,
        err_estimate_sender=estimate(ntp_error(asked.error)),
        ttl_sender=reply.request_ttl,
    )
    packet = bytearray(bytes(theirs))
    packet[4:12], packet[16:24], packet[28:36] = (
        n.to_bytes(8, "big") for n in (reply.sent, reply.received, asked.sent)
    )
    ours = stamp.Reply(
        reply.sequence,
        reply.sent,
        ntp_error(reply.error),
        reply.received,
        stamp.Request(asked.sequence, asked.sent, ntp_error(asked.error), asked.ssid),
        reply.request_ttl,
    )
    assert stamp.encode_reply(ours) == bytes(packet)
    assert stamp.decode_reply(bytes(packet)) == ours


@given(requests)
def test_scapy_reads_the_fields_of_our_request(request: stamp.Request) -> None:
    theirs = STAMPSessionSenderTestUnauthenticated(stamp.encode_request(request))
    assert (theirs.seq, theirs.ssid, theirs.mbz) == (request.sequence, request.ssid, 0)
    assert bytes(theirs.err_estimate)[:2] == request.error.to_bytes(2, "big")


@given(requests)
def test_an_authenticated_request_has_its_fields_where_the_rfc_puts_them(request: stamp.Request) -> None:
    packet = stamp.encode_request(request, KEY)
    expected = bytearray(96)
    expected[0:4] = request.sequence.to_bytes(4, "big")
    expected[16:24] = request.sent.to_bytes(8, "big")
    expected[24:26] = request.error.to_bytes(2, "big")
    expected[26:28] = request.ssid.to_bytes(2, "big")
    assert packet[:96] == bytes(expected)
    assert packet[96:] == hmac.new(KEY, bytes(expected), hashlib.sha256).digest()[:16]
    assert stamp.decode_request(packet, KEY) == request


@given(replies)
def test_an_authenticated_reply_has_its_fields_where_the_rfc_puts_them(reply: stamp.Reply) -> None:
    packet = stamp.encode_reply(reply, KEY)
    expected = bytearray(96)
    expected[0:4] = reply.sequence.to_bytes(4, "big")
    expected[16:24] = reply.sent.to_bytes(8, "big")
    expected[24:26] = reply.error.to_bytes(2, "big")
    expected[26:28] = reply.request.ssid.to_bytes(2, "big")
    expected[32:40] = reply.received.to_bytes(8, "big")
    expected[48:52] = reply.request.sequence.to_bytes(4, "big")
    expected[64:72] = reply.request.sent.to_bytes(8, "big")
    expected[72:74] = reply.request.error.to_bytes(2, "big")
    expected[80] = reply.request_ttl
    assert packet[:96] == bytes(expected)
    assert packet[96:] == hmac.new(KEY, bytes(expected), hashlib.sha256).digest()[:16]
    assert stamp.decode_reply(packet, KEY) == reply


@given(replies, st.integers(0, 112 * 8 - 1))
def test_one_flipped_bit_in_an_authenticated_packet_is_noticed(reply: stamp.Reply, bit: int) -> None:
    damaged = bytearray(stamp.encode_reply(reply, KEY))
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PeerError, match="not signed"):
        stamp.decode_reply(bytes(damaged), KEY)


@given(st.binary(max_size=200), st.sampled_from([None, KEY]))
def test_garbage_raises_nothing_but_the_rooms_error(data: bytes, key: bytes | None) -> None:
    for read in (stamp.decode_request, stamp.decode_reply):
        try:
            read(data, key)
        except ProbeError:
            continue


@given(replies)
def test_the_time_kept_is_read_in_the_reflectors_own_format_or_refused(reply: stamp.Reply) -> None:
    with contextlib.suppress(PeerError):
        received_ns, sent_ns = stamp.reflector_times_ns(reply, near_ns=NOW_NS)
        assert 0 <= sent_ns - received_ns <= 3600 * 10**9
        assert abs(received_ns - NOW_NS) <= 2**31 * 10**9


@pytest.mark.parametrize(
    ("error", "received", "sent", "kept_ns"),
    [
        (0, 10 << 32, 10 << 32 | 0x4000_0000, 250_000_000),
        (0, 0xFFFF_FFFF_FFFF_FFFF, 0, 1),  # across the NTP rollover of 2036
        (0x4000, 10 << 32, 10 << 32 | 70_000, 70_000),  # PTP
    ],
)
def test_known_residences(error: int, received: int, sent: int, kept_ns: int) -> None:
    reply = stamp.Reply(0, sent, error, received, stamp.Request(0, 0, 0, 0), 64)
    received_ns, sent_ns = stamp.reflector_times_ns(reply, near_ns=NOW_NS)
    assert sent_ns - received_ns == kept_ns


@pytest.mark.parametrize("key", [None, KEY])
def test_the_answer_to_one_of_ours_is_known_whoever_gives_it(key: bytes | None) -> None:
    ours = stamp.Reply(1, NOW + 5, 3, NOW, stamp.Request(5, 6, 7, 8), 64)
    # Its clock may say anything, and be in any format.
    reflectors = stamp.Reply(9, 77, 0x4001, 88, stamp.Request(ours.sequence, ours.sent, ours.error, 8), 0)
    shortly_s = 10 << 32
    assert stamp.answers_a_packet_of(stamp.encode_reply(ours, key), NOW + shortly_s, key), "an echo service"
    assert stamp.answers_a_packet_of(stamp.encode_reply(reflectors, key), NOW + shortly_s, key)
    assert stamp.answers_a_packet_of(stamp.encode_reply(reflectors, key), NOW - shortly_s, key), "our clock was set"


@pytest.mark.parametrize("key", [None, KEY])
def test_a_senders_packet_is_none_whatever_it_is_filled_with(key: bytes | None) -> None:
    dice = Random(1)
    for number in range(1000):
        packet = bytearray(stamp.encode_request(stamp.Request(number, NOW, 1, 8), key))
        assert not stamp.answers_a_packet_of(bytes(packet), NOW, key)
        filling = slice(16, 44) if key is None else slice(28, 96)
        packet[filling] = dice.randbytes(filling.stop - filling.start)
        assert not stamp.answers_a_packet_of(bytes(packet), NOW, key)


@pytest.mark.parametrize("now", [NOW, 0, 2**64 - 1], ids=["today", "after the rollover", "before it"])
@pytest.mark.parametrize(("off_s", "ours"), [(0, True), (3599, True), (-3599, True), (3601, False), (-3601, False)])
def test_an_answer_to_one_of_ours_may_be_an_hour_under_way(now: int, off_s: int, ours: bool) -> None:
    stamp_then = (now + (off_s << 32)) % 2**64
    far = NOW // 2
    for received, sent in ((stamp_then, far), (far, stamp_then)):
        packet = stamp.encode_reply(stamp.Reply(1, 2, 3, received, stamp.Request(5, sent, 7, 8), 64))
        assert stamp.answers_a_packet_of(packet, now) is ours


@given(st.floats(1e-9, 1e9))
def test_the_error_estimate_never_understates_and_is_within_a_percent(error_s: float) -> None:
    raw = stamp.error_estimate(error_s)
    said_s = (raw & 0xFF) * 2.0 ** ((raw >> 8 & 0x3F) - 32)
    assert raw & 0xFF
    assert error_s - 2**-33 <= said_s <= error_s * 1.016 + 2**-32


def test_what_does_not_fit_is_our_own_mistake() -> None:
    with pytest.raises(MisuseError):
        stamp.encode_request(stamp.Request(-1, 0, 0, 0))
    with pytest.raises(MisuseError):
        stamp.encode_request(stamp.Request(0, 0, 0, 0x10000), KEY)
    with pytest.raises(MisuseError):
        stamp.error_estimate(1e30)
