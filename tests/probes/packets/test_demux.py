import struct

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import PeerError
from probes.packets.demux import Kind, demultiplex


def kinds(first: int, second: int = 0) -> Kind | None:
    packet = bytes((first, second)) + bytes(40)
    try:
        return demultiplex(packet, 0, len(packet))[0]
    except PeerError:
        return None


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        (0, 3, Kind.STUN),
        (4, 15, None),
        (16, 19, Kind.ZRTP),
        (20, 63, Kind.DTLS),
        (64, 127, None),  # a TURN channel whose length is not the datagram's, and what nobody has
        (128, 191, Kind.RTP),
        (192, 255, None),
    ],
)
def test_the_first_octet_tells_the_protocol_as_in_rfc_7983(first: int, last: int, kind: Kind | None) -> None:
    assert {kinds(octet) for octet in range(first, last + 1)} == {kind}


@pytest.mark.parametrize(
    ("second", "kind"), [(191, Kind.RTP), (192, Kind.RTCP), (200, Kind.RTCP), (223, Kind.RTCP), (224, Kind.RTP)]
)
def test_the_second_octet_tells_rtcp_as_in_rfc_5761(second: int, kind: Kind) -> None:
    assert kinds(128, second) is kind


@pytest.mark.parametrize("padding", range(4))
def test_a_channel_is_looked_into_where_its_length_fits(padding: int) -> None:
    packet = struct.pack(">HH", 0x4FFF, 30) + b"\x80\x60" + bytes(28 + padding)
    assert demultiplex(b"before" + packet, 6, len(packet)) == (Kind.RTP, 10, 30, True)


PEER = struct.pack(">HHBBHI", 0x0012, 8, 0, 1, 5000, 7)
PEER_6 = struct.pack(">HHBBH", 0x0012, 20, 0, 2, 5000) + bytes(16)
DONT_FRAGMENT = struct.pack(">HH", 0x001A, 0)
SOFTWARE = struct.pack(">HH", 0x8022, 24) + bytes(24)


def carried(inner: bytes) -> bytes:
    """The attribute DATA."""
    return struct.pack(">HH", 0x0013, len(inner)) + inner + bytes(-len(inner) % 4)


def indication(*attributes: bytes, kind: int = 0x0017, cookie: int = 0x2112A442) -> bytes:
    body = b"".join(attributes)
    return struct.pack(">HHI", kind, len(body), cookie) + bytes(12) + body


RTP_INSIDE = carried(b"\x80\x60" + bytes(29))


@pytest.mark.parametrize("kind", [pytest.param(0x0016, id="to the server"), pytest.param(0x0017, id="from it")])
@pytest.mark.parametrize(
    ("attributes", "at"),
    [
        pytest.param((RTP_INSIDE, PEER), 24, id="data first, as coturn"),
        pytest.param((PEER, RTP_INSIDE), 36, id="data last, as browsers"),
        pytest.param((PEER_6, RTP_INSIDE), 48, id="a peer of IPv6"),
        pytest.param((DONT_FRAGMENT, PEER_6, RTP_INSIDE, SOFTWARE), 52, id="all there may be"),
    ],
)
def test_an_indication_is_looked_into_whatever_the_order_of_its_attributes(
    kind: int, attributes: tuple[bytes, ...], at: int
) -> None:
    packet = indication(*attributes, kind=kind)
    assert demultiplex(b"before" + packet, 6, len(packet)) == (Kind.RTP, 6 + at, 31, True)
    assert demultiplex(packet[: at + 12], 0, len(packet)) == (Kind.RTP, at, 31, True)  # as the kernel leaves it


@pytest.mark.parametrize("order", [("XOR-PEER-ADDRESS", "DATA"), ("DATA", "XOR-PEER-ADDRESS")])
def test_an_indication_of_another_s_making_is_looked_into(order: tuple[str, str]) -> None:
    message = stun.Message(message_method=stun.Method.SEND, message_class=stun.Class.INDICATION)
    values = {"XOR-PEER-ADDRESS": ("198.51.100.30", 5000), "DATA": b"\x80\x60" + bytes(29)}
    message.attributes.update((name, values[name]) for name in order)
    packet = bytes(message)
    kind, at, length, relayed = demultiplex(packet, 0, len(packet))
    assert (kind, packet[at : at + length], relayed) == (Kind.RTP, values["DATA"], True)


def test_another_stun_message_is_what_it_is() -> None:
    packet = indication(PEER, kind=0x0001)
    assert demultiplex(packet, 0, len(packet)) == (Kind.STUN, 0, len(packet), False)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(struct.pack(">HH", 0x4000, 30) + b"\x80" + bytes(33), id="longer than padding"),
        pytest.param(struct.pack(">HH", 0x4000, 30) + b"\x80" + bytes(28), id="shorter"),
        pytest.param(struct.pack(">HHHH", 0x4000, 4, 0x4000, 0), id="a channel in a channel"),
        pytest.param(b"\x40", id="one byte"),
        pytest.param(b"\x40\0\0", id="cut"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x40\0\0\0", id="an empty channel"),
    ],
)
def test_what_is_no_channel_is_refused(packet: bytes) -> None:
    with pytest.raises(PeerError):
        demultiplex(packet, 0, len(packet))


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(indication(RTP_INSIDE, cookie=1), id="no STUN"),
        pytest.param(indication(PEER, RTP_INSIDE)[:-4], id="shorter than it says"),
        pytest.param(indication(PEER, PEER, PEER, RTP_INSIDE), id="data behind too much else"),
        pytest.param(indication(SOFTWARE, RTP_INSIDE), id="data behind something long"),
        pytest.param(indication(PEER), id="no data"),
        pytest.param(indication(struct.pack(">HHHH", 0x0013, 90, 0x8060, 1)), id="data beyond the datagram"),
        pytest.param(indication(carried(indication(RTP_INSIDE))), id="an indication in an indication"),
        pytest.param(indication(carried(struct.pack(">HHHH", 0x4000, 4, 0x8060, 0))), id="a channel in an indication"),
        pytest.param(struct.pack(">HH", 0x4000, 55) + indication(RTP_INSIDE), id="an indication in a channel"),
    ],
)
def test_what_is_no_indication_is_refused(packet: bytes) -> None:
    with pytest.raises(PeerError):
        demultiplex(packet, 0, len(packet))


@given(st.binary(max_size=40), st.integers(0, 44))
def test_nothing_is_found_beyond_the_datagram(data: bytes, at: int) -> None:
    try:
        kind, start, length, _ = demultiplex(data, at, max(0, len(data) - at))
    except PeerError:
        return
    assert kind is not Kind.CHANNEL
    assert at <= start <= start + length <= len(data)


@given(st.binary(max_size=90), st.integers(0, 110), st.sampled_from([0x0016, 0x0017]))
def test_an_indication_however_cut_or_garbled_is_read_or_refused(body: bytes, kept: int, kind: int) -> None:
    packet = indication(body + bytes(-len(body) % 4), kind=kind)
    try:
        inner, start, length, relayed = demultiplex(packet[:kept], 0, len(packet))
    except PeerError:
        return
    assert relayed
    assert inner is not Kind.CHANNEL
    assert 24 <= start <= start + length <= len(packet)
