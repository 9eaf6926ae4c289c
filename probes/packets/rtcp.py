"""Whether an RTCP packet was sent in clear, from the headers of its first two reports (RFC 3550, 6.1; RFC 3711, 3.4).

In clear the lengths of all reports add up to the datagram exactly. An SRTCP packet is longer by its index word and tag,
and from the ninth byte on it is noise: that noise looks like a second header whose length fits once in two million.
Of the reports themselves nothing is read, and the kernel keeps no byte after the second header.
"""

import struct
from enum import StrEnum

from probes.errors import PeerError
from probes.packets.demux import RTCP_TYPES

SECOND_HEADER_LEN = 4
FIRST_REPORT_MAX = 128  # a sender report with four blocks is 124 bytes
_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!I")
_VERSION = 2
_INDEX_AND_TAG_MIN = 8  # an index word and a tag of 4 bytes, the shortest


class Dress(StrEnum):
    """How an RTCP packet is dressed."""

    CLEAR = "clear"
    SEALED = "sealed"
    UNSURE = "unsure"  # more reports than the headers at hand tell of


def parse_rtcp(data: bytes, at: int, length: int) -> tuple[int, Dress]:
    """(sender's SSRC, dress) of the packet at `at` with `length` bytes on the wire; `data` may hold less.

    Raises PeerError where it is no RTCP.
    """
    if at + 8 > len(data):
        raise PeerError(f"RTCP packet of {max(0, len(data) - at)} bytes")
    first_len = _report_len(data, at)
    if not 8 <= first_len <= length:
        raise PeerError(f"RTCP report of {first_len} bytes in a datagram of {length}")
    (sender,) = _SENDER.unpack_from(data, at + 4)
    return sender, _dress(data, at, first_len, length)


def _dress(data: bytes, at: int, first_len: int, length: int) -> Dress:
    if first_len == length:
        return Dress.CLEAR
    second = at + first_len
    if second + SECOND_HEADER_LEN > len(data):
        return Dress.UNSURE
    second_len = _report_len(data, second)
    if second_len and first_len + second_len == length:
        return Dress.CLEAR
    if second_len and first_len + second_len < length:
        return Dress.UNSURE
    return Dress.SEALED if length - first_len >= _INDEX_AND_TAG_MIN else Dress.UNSURE


def _report_len(data: bytes, at: int) -> int:
    """Bytes of the report that begins at `at`; 0 where none does."""
    first, kind, words = _HEADER.unpack_from(data, at)
    return 4 * (words + 1) if first >> 6 == _VERSION and kind in RTCP_TYPES else 0
