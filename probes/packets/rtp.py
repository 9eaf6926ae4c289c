"""The fixed RTP header, RFC 3550 section 5.1: the 12 bytes that SRTP leaves in clear. edged looks no further."""

import struct
from typing import NamedTuple

from probes.errors import PeerError

HEADER_LEN = 12
_HEADER = struct.Struct("!BBHII")
_VERSION = 2
# RFC 5761 section 4: on a shared port a second byte of 192–223 is an RTCP packet type, so RTP leaves 64–95 unused.
_RTCP = range(192, 224)
_PADDING = 0x20
_EXTENSION_OR_CONTRIBUTORS = 0x1F


class RtpHeader(NamedTuple):
    """What a media packet says of itself in clear. `timestamp` counts the codec's clock (48 kHz Opus, 90 kHz video)."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    padding: bool = False
    """Ends in padding; how much, only its last byte tells, which is not ours to read."""
    bare: bool = True
    """No extension and no contributing sources: the payload begins at the 13th byte."""


def parse_rtp(data: bytes, at: int = 0) -> RtpHeader:
    """Read the header at offset `at`. Raises PeerError for STUN, DTLS, RTCP (RFC 7983) and noise."""
    try:
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data, at)
    except struct.error as error:
        raise PeerError(f"{max(0, len(data) - at)} bytes are no RTP header") from error
    if first >> 6 != _VERSION:
        raise PeerError(f"first byte {first:#04x} is not RTP version 2")
    if second in _RTCP:
        raise PeerError(f"packet type {second} is RTCP")
    padding, bare = first & _PADDING != 0, not first & _EXTENSION_OR_CONTRIBUTORS
    return RtpHeader(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, padding, bare)
