"""What a TURN client and its server wrap each other's packets in (RFC 8656): a channel, or an indication.

A browser sends in indications until its channel is bound, Firefox always (it knows no channels). A channel's header is
believed only where its length fits the datagram: the first octet of QUIC is in the same range. Of an indication the
attributes come in any order: libwebrtc and pion put DATA last, coturn first. So the peer's address may stand behind the
payload, where no filter that cuts the payload off can keep it: what is inside is told apart by its own numbers alone.
"""

import struct

from probes.errors import PeerError
from probes.packets.ice import HEADER_LEN, MAGIC_COOKIE

CHANNEL_HEADER_LEN = 4
CHANNEL_PADDING_MAX = 3  # over UDP it need not be padded to four bytes, and may be
CHANNEL_OCTETS = range(64, 80)  # the first octet, RFC 7983

SEND, DATA_COMES = 0x0016, 0x0017  # to the server, and from it (section 18)
DATA = 0x0013  # the attribute with a packet inside
ATTRIBUTE_HEADER_LEN = 4
SKIPPED_MAX = 2  # before DATA: XOR-PEER-ADDRESS and DONT-FRAGMENT (section 11.1)
SKIPPED_LEN_MAX = 20  # the address of an IPv6 peer
INDICATION_MAX = HEADER_LEN + SKIPPED_MAX * (ATTRIBUTE_HEADER_LEN + SKIPPED_LEN_MAX) + ATTRIBUTE_HEADER_LEN
"""Bytes before the packet inside, at most."""

_CHANNEL = struct.Struct("!HH")
_INDICATION = struct.Struct("!HHI")
_ATTRIBUTE = struct.Struct("!HH")


def is_indication(data: bytes, at: int) -> bool:
    """Whether the STUN message at `at` carries a packet."""
    return data[at] == 0 and data[at + 1] in (SEND, DATA_COMES)


def inside_channel(data: bytes, at: int, length: int) -> tuple[int, int]:
    """(offset, length on the wire) of what the channel at `at` carries. Raises PeerError where it is none."""
    if at + CHANNEL_HEADER_LEN > len(data):
        raise PeerError("a TURN channel's header is cut")
    channel, inside = _CHANNEL.unpack_from(data, at)
    if not 0 <= length - CHANNEL_HEADER_LEN - inside <= CHANNEL_PADDING_MAX:
        raise PeerError(f"TURN channel {channel:#06x} of {inside} bytes in a datagram of {length}")
    return at + CHANNEL_HEADER_LEN, inside


def inside_indication(data: bytes, at: int, length: int) -> tuple[int, int]:
    """(offset, length on the wire) of what the indication at `at` carries. Raises PeerError where it is none."""
    try:
        kind, body, cookie = _INDICATION.unpack_from(data, at)
        if cookie != MAGIC_COOKIE or body % 4 or body + HEADER_LEN != length:
            raise PeerError(f"type {kind:#06x} of {body} bytes in a datagram of {length} is no TURN indication")
        start = at + HEADER_LEN
        for _ in range(SKIPPED_MAX + 1):
            attribute, size = _ATTRIBUTE.unpack_from(data, start)
            start += ATTRIBUTE_HEADER_LEN
            if attribute == DATA and start + size <= at + length:
                return start, size
            if attribute == DATA or size > SKIPPED_LEN_MAX:
                raise PeerError(f"attribute {attribute:#06x} of {size} bytes in a TURN indication of {length}")
            start += size + -size % 4
    except struct.error as error:
        raise PeerError("a TURN indication's header is cut") from error
    raise PeerError("a TURN indication whose data come late, or not at all")
