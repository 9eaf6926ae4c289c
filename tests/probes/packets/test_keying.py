import struct

import pytest

from probes.errors import PeerError
from probes.packets.keying import Stage, parse_dtls, parse_zrtp


def record(content: int, *, version: int = 0xFEFD, epoch: int = 0) -> bytes:
    return struct.pack(">BHHHIH", content, version, epoch, 0, 1, 40)


def zrtp(message: bytes, *, cookie: bytes = b"ZRTP", preamble: bytes = b"PZ") -> bytes:
    return b"\x10\0\0\1" + cookie + b"\0\0\0\7" + preamble + b"\0\3" + message


@pytest.mark.parametrize(
    ("packet", "stage"),
    [
        pytest.param(record(22, version=0xFEFF), Stage.ASKING, id="ClientHello, which says DTLS 1.0"),
        pytest.param(record(22), Stage.ASKING, id="handshake"),
        pytest.param(record(20), Stage.SEALED, id="change of cipher, which a server sends last"),
        pytest.param(record(21), Stage.OTHER, id="an alert in clear: refused, perhaps"),
        pytest.param(record(22, epoch=1), Stage.SEALED, id="Finished"),
        pytest.param(record(23, epoch=1), Stage.SEALED, id="a data channel in mid-session"),
        pytest.param(b"\x2f" + bytes(12), Stage.LIKELY_SEALED, id="DTLS 1.3"),
    ],
)
def test_h1_a_dtls_record_shows_how_far_its_sender_is(packet: bytes, stage: Stage) -> None:
    assert parse_dtls(b"?" + packet, 1) is stage


@pytest.mark.parametrize(
    ("message", "stage"), [(b"Hello   ", Stage.ASKING), (b"Confirm1", Stage.SEALED), (b"Conf2ACK", Stage.SEALED)]
)
def test_h1_a_zrtp_message_shows_how_far_its_sender_is(message: bytes, stage: Stage) -> None:
    assert parse_zrtp(zrtp(message), 0) is stage


@pytest.mark.parametrize("packet", [record(22)[:12], record(28), record(22, version=0x0303), b""])
def test_what_is_no_dtls_is_refused(packet: bytes) -> None:
    with pytest.raises(PeerError):
        parse_dtls(packet, 0)


@pytest.mark.parametrize("packet", [zrtp(b"Hello   ", cookie=b"zrtp"), zrtp(b"Hello   ", preamble=b"zp"), zrtp(b"Hel")])
def test_what_is_no_zrtp_is_refused(packet: bytes) -> None:
    with pytest.raises(PeerError):
        parse_zrtp(packet, 0)
