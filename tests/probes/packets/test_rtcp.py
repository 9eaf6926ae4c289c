import struct
from random import Random

import pytest

from probes.errors import PeerError
from probes.packets.rtcp import Dress, parse_rtcp

SENDER = struct.pack(">BBHI", 0x80, 200, 6, 0xABCD) + bytes(20)
RECEIVER = struct.pack(">BBHI", 0x81, 201, 7, 0xABCD) + bytes(24)
DESCRIPTION = struct.pack(">BBHI", 0x81, 202, 3, 0xABCD) + b"\x01\x04room\0\0"
FEEDBACK = struct.pack(">BBHII", 0x8F, 205, 4, 0xABCD, 7) + bytes(8)


def sealed(report: bytes, *, more: int, tag: int, seed: int = 1) -> bytes:
    """As SRTCP leaves it (RFC 3711, 3.4): 8 bytes in clear, then noise, the index word and the tag."""
    noise = Random(seed)
    return report[:8] + noise.randbytes(len(report) - 8 + more) + b"\x80\0\0\x09" + noise.randbytes(tag)


@pytest.mark.parametrize(
    ("packet", "dress"),
    [
        pytest.param(SENDER + DESCRIPTION, Dress.CLEAR, id="sender report and description"),
        pytest.param(RECEIVER, Dress.CLEAR, id="a report alone (RFC 5506)"),
        pytest.param(FEEDBACK, Dress.CLEAR, id="feedback alone"),
        pytest.param(SENDER + DESCRIPTION + FEEDBACK, Dress.UNSURE, id="three reports: two headers are kept"),
        pytest.param(sealed(SENDER, more=20, tag=10), Dress.SEALED, id="SRTCP, tag of 80 bits"),
        pytest.param(sealed(SENDER, more=0, tag=10), Dress.SEALED, id="SRTCP of one report"),
        pytest.param(sealed(SENDER, more=0, tag=4), Dress.SEALED, id="SRTCP of one report, tag of 32 bits"),
        pytest.param(sealed(RECEIVER, more=60, tag=16), Dress.SEALED, id="SRTCP, AES-GCM"),
        pytest.param(RECEIVER + b"\0\0\0\0", Dress.UNSURE, id="four bytes too many"),
    ],
)
def test_h1_lengths_that_add_up_are_clear_and_noise_behind_the_first_report_is_not(packet: bytes, dress: Dress) -> None:
    assert parse_rtcp(b"??" + packet, 2, len(packet)) == (0xABCD, dress)
    first_and_next_header = packet[: 4 * (packet[3] + 1) + 4]
    assert parse_rtcp(first_and_next_header, 0, len(packet)) == (0xABCD, dress)


def test_h1_no_encrypted_report_of_ten_thousand_looks_clear() -> None:
    for seed in range(10_000):
        packet = sealed(SENDER, more=24, tag=10, seed=seed)
        assert parse_rtcp(packet, 0, len(packet))[1] is not Dress.CLEAR


def test_a_second_header_that_was_not_kept_says_nothing() -> None:
    assert parse_rtcp(SENDER[:12], 0, 60) == (0xABCD, Dress.UNSURE)


@pytest.mark.parametrize(
    ("packet", "length"),
    [
        pytest.param(SENDER[:7], 7, id="cut"),
        pytest.param(SENDER, 24, id="longer than its datagram"),
        pytest.param(b"\x80\xc8\0\0" + bytes(4), 8, id="a report of four bytes"),
        pytest.param(b"\x80\x60" + SENDER[2:], 28, id="RTP"),
    ],
)
def test_what_is_no_rtcp_is_refused(packet: bytes, length: int) -> None:
    with pytest.raises(PeerError):
        parse_rtcp(packet, 0, length)
