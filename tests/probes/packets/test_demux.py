import struct

import pytest
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
    assert demultiplex(b"before" + packet, 6, len(packet)) == (Kind.RTP, 10, 30, 0x4FFF)


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


@given(st.binary(max_size=40), st.integers(0, 44))
def test_nothing_is_found_beyond_the_datagram(data: bytes, at: int) -> None:
    try:
        kind, start, length, _ = demultiplex(data, at, max(0, len(data) - at))
    except PeerError:
        return
    assert kind is not Kind.CHANNEL
    assert at <= start <= start + length <= len(data)
