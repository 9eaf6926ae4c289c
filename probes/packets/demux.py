"""What a datagram of a media flow is, by its first octet (RFC 7983), looking inside what a TURN relay wraps it in."""

from enum import StrEnum

from probes.errors import PeerError
from probes.packets.turn import CHANNEL_OCTETS, inside_channel, inside_indication, is_indication

RTCP_TYPES = range(192, 224)  # of the second octet, RFC 5761 section 4


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
    (CHANNEL_OCTETS, Kind.CHANNEL),
    (range(128, 192), Kind.RTP),
)
_KINDS: tuple[Kind | None, ...] = tuple(
    next((kind for octets, kind in _FIRST_OCTETS if first in octets), None) for first in range(256)
)


def demultiplex(data: bytes, at: int, length: int) -> tuple[Kind, int, int, bool]:
    """(kind, offset, length on the wire, whether by a TURN relay) of what a datagram carries; never a wrapping itself.

    The payload begins at `at` and had `length` bytes on the wire; `data` may hold less. Raises PeerError for what is
    none of these.
    """
    kind = _kind(data, at)
    if kind is Kind.CHANNEL:
        at, length = inside_channel(data, at, length)
    elif kind is Kind.STUN and is_indication(data, at):
        at, length = inside_indication(data, at, length)
    else:
        return kind, at, length, False
    kind = _kind(data, at)
    if kind is Kind.CHANNEL or (kind is Kind.STUN and is_indication(data, at)):
        raise PeerError("a TURN relay's packet inside another")
    return kind, at, length, True


def _kind(data: bytes, at: int) -> Kind:
    if at + 2 > len(data):
        raise PeerError(f"{max(0, len(data) - at)} bytes are no media packet")
    kind = _KINDS[data[at]]
    if kind is None:
        raise PeerError(f"first octet {data[at]} is of no protocol on a media port")
    return Kind.RTCP if kind is Kind.RTP and data[at + 1] in RTCP_TYPES else kind
