"""A connectivity check as a bystander sees it: the 20-byte header of a STUN binding (RFC 8489, section 5; RFC 7675)."""

import struct
from enum import StrEnum

from probes.errors import PeerError

HEADER_LEN = 20
MAGIC_COOKIE = 0x2112A442

_HEADER = struct.Struct("!HHI12s")


class Check(StrEnum):
    REQUEST = "request"
    ANSWER = "answer"
    """A success, or an error: the other end is there either way."""


_TYPES = {0x0001: Check.REQUEST, 0x0101: Check.ANSWER, 0x0111: Check.ANSWER}


def parse_check(data: bytes, at: int, length: int) -> tuple[Check, bytes]:
    """(request or answer, transaction id) of the message at `at` with `length` bytes on the wire.

    Raises PeerError for what is no STUN, and for what is no binding request or answer to one (TURN's own messages).
    """
    try:
        kind, body, cookie, transaction = _HEADER.unpack_from(data, at)
    except struct.error as error:
        raise PeerError(f"{max(0, len(data) - at)} bytes are no STUN header") from error
    if cookie != MAGIC_COOKIE or body % 4 or body + HEADER_LEN != length:
        raise PeerError(f"type {kind:#06x} of {body} bytes with cookie {cookie:#010x} in {length} bytes is not STUN")
    if (check := _TYPES.get(kind)) is None:
        raise PeerError(f"STUN message type {kind:#06x} is no binding check")
    return check, transaction
