"""How far two ends are in agreeing on keys, from what DTLS and ZRTP leave in clear (RFC 6347 4.1, 9147 4, 6189 5)."""

import struct
from enum import StrEnum

from probes.errors import PeerError

DTLS_HEADER_LEN = 13
ZRTP_HEADER_LEN = 24  # up to the end of the message's type
ZRTP_COOKIE = 0x5A525450

_RECORD = struct.Struct("!BHH")
_ZRTP = struct.Struct("!HHIIHH8s")
_VERSIONS = (0xFEFF, 0xFEFD)  # DTLS 1.0 and 1.2; 1.3 says 1.2 where it has a version at all
_CONTENT_TYPES = range(20, 27)
_UNIFIED = range(32, 64)  # of DTLS 1.3: encrypted whatever it is
_CHANGE_CIPHER, _HANDSHAKE = 20, 22
_ZRTP_SEALED = (b"Confirm1", b"Confirm2", b"Conf2ACK")


class Stage(StrEnum):
    """What one packet shows of its sender."""

    ASKING = "asking"  # a handshake in clear
    SEALED = "sealed"  # it has keys and uses them, or says that it does from here on
    LIKELY_SEALED = "likely_sealed"  # the same, if this is DTLS 1.3 at all: the header has next to nothing to check
    OTHER = "other"


def parse_dtls(data: bytes, at: int) -> Stage:
    """The stage of the record at `at`. Raises PeerError where it is no DTLS record."""
    if at + DTLS_HEADER_LEN > len(data):
        raise PeerError(f"{max(0, len(data) - at)} bytes are no DTLS record")
    content, version, epoch = _RECORD.unpack_from(data, at)
    if content in _UNIFIED:
        return Stage.LIKELY_SEALED
    if content not in _CONTENT_TYPES or version not in _VERSIONS:
        raise PeerError(f"type {content}, version {version:#06x} is no DTLS record")
    if epoch or content == _CHANGE_CIPHER:
        return Stage.SEALED
    return Stage.ASKING if content == _HANDSHAKE else Stage.OTHER


def parse_zrtp(data: bytes, at: int) -> Stage:
    """The stage of the message at `at`. Raises PeerError where it is no ZRTP."""
    try:
        _, _, cookie, _, preamble, _, message = _ZRTP.unpack_from(data, at)
    except struct.error as error:
        raise PeerError(f"{max(0, len(data) - at)} bytes are no ZRTP message") from error
    if cookie != ZRTP_COOKIE or preamble != 0x505A:
        raise PeerError(f"cookie {cookie:#010x} is not ZRTP")
    return Stage.SEALED if message in _ZRTP_SEALED else Stage.ASKING
