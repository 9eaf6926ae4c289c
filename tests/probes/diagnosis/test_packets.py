"""What is sent is what our own codecs read, and what routers say of it is known again, however little they quote."""

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.diagnosis.packets import Flow, Protocol, Question, Said, build, read, smallest
from probes.packets import icmp, stamp
from probes.packets.stamp_tlv import class_of_service
from probes.path_document import Kind

V4 = Flow("10.77.0.11", "198.51.100.20", 40123, 862, 0x1234, 46)
V6 = Flow("fd00:77::11", "fd00:20::20", 40123, 862, 0x1234, 46)
FLOWS = pytest.mark.parametrize("flow", [V4, V6], ids=["v4", "v6"])
PROTOCOLS = pytest.mark.parametrize("protocol", list(Protocol))


def header(flow: Flow) -> int:
    return 40 if flow.v6 else 20


def error(flow: Flow, kind: int, code: int, quote: bytes, *, rest: int = 0) -> bytes:
    """As a raw socket gives it: IPv4 with its header."""
    message = struct.pack("!BBHI", kind, code, 0, rest) + quote
    if flow.v6:
        return message
    whole = message[:2] + icmp.checksum(message).to_bytes(2, "big") + message[4:]
    return (
        struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(whole), 1, 0, 60, 1, 0, b"\x64\x40\x01\x01", b"\x0a\x4d\x00\x0b")
        + whole
    )


def exceeded(flow: Flow, quote: bytes) -> bytes:
    return error(flow, 3 if flow.v6 else 11, 0, quote)


def at_the_hop(flow: Flow, packet: bytes, *, dscp: int, ttl: int) -> bytes:
    """The packet as it is when its TTL is over."""
    if flow.v6:
        return struct.pack("!I", 6 << 28 | dscp << 22) + packet[4:7] + bytes([ttl]) + packet[8:]
    return packet[:1] + bytes([dscp << 2]) + packet[2:8] + bytes([ttl]) + packet[9:]


# ── made ───────────────────────────────────────────────────────────────────────────────────────────────
@FLOWS
@PROTOCOLS
@pytest.mark.parametrize("extra", [0, 1, 17, 1300])
def test_a_packet_has_the_size_ttl_and_code_point_asked_for(flow: Flow, protocol: Protocol, extra: int) -> None:
    size = smallest(flow) + extra
    packet = build(flow, Question(7, protocol, 5, size))
    assert len(packet) == size
    ttl, traffic_class = (
        (packet[7], struct.unpack("!I", packet[:4])[0] >> 20 & 0xFF) if flow.v6 else (packet[8], packet[1])
    )
    assert (ttl, traffic_class) == (5, 46 << 2)
    if not flow.v6:
        assert packet[6] & 0x40, "don't fragment"
        assert icmp.checksum(packet[:20]) == 0


@FLOWS
def test_a_datagram_is_a_stamp_request_that_asks_for_the_code_point(flow: Flow) -> None:
    packet = build(flow, Question(7, Protocol.UDP, 5, smallest(flow) + 9))
    source, destination, length, checksum = struct.unpack_from("!HHHH", packet, header(flow))
    assert (source, destination, length) == (40123, 862, len(packet) - header(flow))
    assert checksum != 0
    payload = packet[header(flow) + 8 :]
    assert stamp.decode_request(payload).sequence == 7
    assert payload[stamp.SIZE :].startswith(class_of_service(46))


@FLOWS
def test_echo_requests_differ_in_number_and_not_in_checksum(flow: Flow) -> None:
    """Routers that spread load by it see one flow."""
    sums = {build(flow, Question(number, Protocol.ICMP, 9, 120))[header(flow) + 2 :][:2] for number in (1, 77, 65535)}
    assert len(sums) == 1


def test_an_echo_request_is_as_the_rfc_has_it() -> None:
    message = build(V4, Question(9, Protocol.ICMP, 9, 120))[20:]
    assert struct.unpack_from("!BBxxHH", message) == (8, 0, 0x1234, 9)
    assert icmp.checksum(message) == 0


# ── read ───────────────────────────────────────────────────────────────────────────────────────────────
@FLOWS
@PROTOCOLS
@pytest.mark.parametrize("quoted", [8, 64, 500])
def test_a_hop_tells_what_it_saw(flow: Flow, protocol: Protocol, quoted: int) -> None:
    """`quoted` bytes behind the IP header: 8 as RFC 792 has it, hundreds as today (RFC 1812, RFC 4443)."""
    asked = [Question(number, protocol, number, smallest(flow) + number) for number in (1, 2, 3)]
    quote = at_the_hop(flow, build(flow, asked[1]), dscp=10, ttl=1)[: header(flow) + quoted]
    assert read(exceeded(flow, quote), flow, asked) == Said(Kind.TIME_EXCEEDED, 2, 10, 1, None)


def test_of_packets_alike_the_quoted_sequence_or_identification_tells_which() -> None:
    asked = [Question(number, Protocol.UDP, number, 1400) for number in (1, 2, 3)]
    packet = build(V4, asked[2])
    for quote in (packet[:28], packet[:4] + b"\xab\xcd" + packet[6:80]):
        said = read(exceeded(V4, quote), V4, asked)
        assert said is not None
        assert said.number == 3


def test_a_rewritten_identification_and_a_short_quote_leave_the_length() -> None:
    asked = [Question(number, Protocol.UDP, number, smallest(V4) + number) for number in (1, 2, 3)]
    packet = build(V4, asked[1])
    said = read(exceeded(V4, packet[:4] + b"\xab\xcd" + packet[6:28]), V4, asked)
    assert said is not None
    assert said.number == 2


@pytest.mark.parametrize(
    ("flow", "kind", "code", "means"),
    [
        (V4, 3, 0, Kind.NET_UNREACHABLE),
        (V4, 3, 1, Kind.HOST_UNREACHABLE),
        (V4, 3, 3, Kind.PORT_UNREACHABLE),
        (V4, 3, 13, Kind.PROHIBITED),
        (V6, 1, 0, Kind.NET_UNREACHABLE),
        (V6, 1, 1, Kind.PROHIBITED),
        (V6, 1, 3, Kind.HOST_UNREACHABLE),
        (V6, 1, 4, Kind.PORT_UNREACHABLE),
    ],
)
def test_a_refusal_is_told_by_its_kind(flow: Flow, kind: int, code: int, means: Kind) -> None:
    question = Question(4, Protocol.UDP, 9, 120)
    said = read(error(flow, kind, code, build(flow, question)), flow, [question])
    assert said is not None
    assert (said.kind, said.number, said.mtu) == (means, 4, None)


@FLOWS
def test_too_big_tells_the_size_that_fits(flow: Flow) -> None:
    question = Question(4, Protocol.ICMP, 64, 1500)
    kind, code = (2, 0) if flow.v6 else (3, 4)
    said = read(error(flow, kind, code, build(flow, question)[:548], rest=1400), flow, [question])
    assert said == Said(Kind.TOO_BIG, 4, 46, 64, 1400)


@FLOWS
def test_an_echo_reply_counts_if_it_is_ours(flow: Flow) -> None:
    kind = 129 if flow.v6 else 0
    ours, other = (error(flow, kind, 0, bytes(40), rest=ident << 16 | 9) for ident in (0x1234, 0x4321))
    assert read(ours, flow, []) == Said(Kind.ECHO_REPLY, 9)
    assert read(other, flow, []) is None


@FLOWS
def test_what_is_said_of_others_packets_is_none_of_ours(flow: Flow) -> None:
    question = Question(4, Protocol.UDP, 9, 120)
    packet = build(flow, question)
    at = header(flow)
    elsewhere = packet[: at - 1] + b"\x99" + packet[at:]
    another_port = packet[: at + 2] + b"\0\x35" + packet[at + 4 :]
    for quote in (elsewhere, another_port):
        assert read(exceeded(flow, quote), flow, [question]) is None
    reassembly = error(flow, 3 if flow.v6 else 11, 1, packet)
    assert read(reassembly, flow, [question]) is None


# ── garbage ────────────────────────────────────────────────────────────────────────────────────────────
ASKED = [Question(4, Protocol.UDP, 9, 120), Question(5, Protocol.ICMP, 9, 121)]


@FLOWS
@given(data=st.data())
@settings(max_examples=300)
def test_garbage_says_nothing_and_breaks_nothing(flow: Flow, data: st.DataObject) -> None:
    whole = exceeded(flow, build(flow, data.draw(st.sampled_from(ASKED))))
    cut = data.draw(st.integers(0, len(whole)))
    flips = data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6))
    broken = bytearray(whole)
    for at, value in flips:
        broken[at] = value
    for message in (bytes(broken[:cut]), data.draw(st.binary(max_size=200))):
        said = read(message, flow, ASKED)
        assert said is None or said.number <= 65535


def test_addresses_are_packed_as_the_kernel_reads_them() -> None:
    packet = build(V6, Question(4, Protocol.UDP, 9, 120))
    assert packet[8:24] == socket.inet_pton(socket.AF_INET6, V6.source)
    assert packet[24:40] == socket.inet_pton(socket.AF_INET6, V6.target)
