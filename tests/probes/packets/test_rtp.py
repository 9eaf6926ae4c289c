import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.rtp import RTP

from probes.errors import PeerError
from probes.packets.rtp import RtpHeader, parse_rtp


@given(
    payload_type=st.integers(0, 63) | st.integers(96, 127),
    marker=st.booleans(),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    padding=st.booleans(),
    extended=st.booleans(),
    before=st.binary(max_size=60),
)
def test_reads_what_an_independent_codec_wrote(
    payload_type: int,
    marker: bool,
    sequence: int,
    timestamp: int,
    ssrc: int,
    padding: bool,
    extended: bool,
    before: bytes,
) -> None:
    packet = RTP(
        version=2,
        payload_type=payload_type,
        marker=marker,
        sequence=sequence,
        timestamp=timestamp,
        sourcesync=ssrc,
        padding=padding,
        extension=extended,
    )
    expected = RtpHeader(payload_type, marker, sequence, timestamp, ssrc, padding, not extended)
    assert parse_rtp(before + bytes(packet), len(before)) == expected


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x80\x6f" + bytes(9), id="one byte short"),
        pytest.param(b"\x00\x01" + bytes(18), id="STUN"),
        pytest.param(b"\x16\xfe\xfd" + bytes(20), id="DTLS"),
        pytest.param(b"\x40\x00" + bytes(20), id="TURN channel"),
        pytest.param(b"\x80\xc8" + bytes(26), id="RTCP sender report"),
        pytest.param(b"\x81\xc9" + bytes(30), id="RTCP receiver report"),
    ],
)
def test_what_shares_the_port_with_media_is_no_media(packet: bytes) -> None:
    with pytest.raises(PeerError):
        parse_rtp(packet)


@given(st.binary(max_size=40), st.integers(0, 60))
def test_garbage_raises_nothing_but_the_room_s_error(data: bytes, at: int) -> None:
    try:
        header = parse_rtp(data, at)
    except PeerError:
        return
    assert data[at] >> 6 == 2
    assert 0 <= header.payload_type <= 127
