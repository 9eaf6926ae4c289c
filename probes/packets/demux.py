"""What a datagram of a media flow is, by its first octet (RFC 7983), looking inside a TURN channel (RFC 8656, 12.4).

A channel's header is believed only where its length fits the datagram: the first octet of QUIC is in the same range.
"""

import struct
from enum import StrEnum

from probes.errors import PeerError

CHANNEL_HEADER_LEN = 4
CHANNEL_PADDING_MAX = 3  # over UDP it need not be padded to four bytes, and may be
RTCP_TYPES = range(192, 224)  # of the second octet, RFC 5761 section 4

_CHANNEL = struct.Struct("!HH")


class Kind(StrEnum):
    """The protocols that share a media port."""

    STUN = "stun"
    ZRTP = "zrtp"
    DTLS = "dtls"
    CHANNEL = "channel"
    RTP = "rtp"
    RTCP = "rtcp"


_FIRST_OCTETS = (
    (range(4), Kind.STUN),
    (range(16, 20), Kind.ZRTP),
    (range(20, 64), Kind.DTLS),
    (range(64, 80), Kind.CHANNEL),
    (range(128, 192), Kind.RTP),
)
_KINDS: tuple[Kind | None, ...] = tuple(
    next((kind for octets, kind in _FIRST_OCTETS if first in octets), None) for first in range(256)
)


def demultiplex(data: bytes, at: int, length: int) -> tuple[Kind, int, int, int]:
    """(kind, offset, length on the wire, TURN channel or 0) of what a datagram carries; never a channel itself.

    The payload begins at `at` and had `length` bytes on the wire; `data` may hold less. Raises PeerError for what is
    none of these.
    """
    kind = _kind(data, at)
    if kind is not Kind.CHANNEL:
        return kind, at, length, 0
    if at + CHANNEL_HEADER_LEN > len(data):
        raise PeerError("a TURN channel's header is cut")
    channel, inside = _CHANNEL.unpack_from(data, at)
    if not 0 <= length - CHANNEL_HEADER_LEN - inside <= CHANNEL_PADDING_MAX:
        raise PeerError(f"TURN channel {channel:#06x} of {inside} bytes in a datagram of {length}")
    kind = _kind(data, at + CHANNEL_HEADER_LEN)
    if kind is Kind.CHANNEL:
        raise PeerError("a TURN channel inside a TURN channel")
    return kind, at + CHANNEL_HEADER_LEN, inside, channel


def _kind(data: bytes, at: int) -> Kind:
    if at + 2 > len(data):
        raise PeerError(f"{max(0, len(data) - at)} bytes are no media packet")
    kind = _KINDS[data[at]]
    if kind is None:
        raise PeerError(f"first octet {data[at]} is of no protocol on a media port")
    return Kind.RTCP if kind is Kind.RTP and data[at + 1] in RTCP_TYPES else kind
