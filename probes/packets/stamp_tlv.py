"""What may follow a STAMP packet: TLVs of RFC 8972, for the sender that adds them and the reflector that fills them.

Known here are Extra Padding, Class of Service and HMAC; a reflector marks every other as not understood. Nothing here
changes a length: what comes back is as long as what went out. Bytes in, facts out.
"""

import hmac
import struct
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import shake_128

from probes.errors import MisuseError

_EXTRA_PADDING, _CLASS_OF_SERVICE, _HMAC = 1, 4, 8
_LENGTHS = {_CLASS_OF_SERVICE: 4, _HMAC: 16}
_UNDERSTOOD = frozenset({_EXTRA_PADDING, _CLASS_OF_SERVICE, _HMAC})

_NOT_UNDERSTOOD, _MALFORMED, _NOT_INTACT = 0x80, 0x40, 0x20  # the flags U, M, I

_HEADER = struct.Struct("!BBH")
_COS = struct.Struct("!HH")
_SEQUENCE = struct.Struct("!I")

_MOST = 16
"""TLVs looked at in one packet; what follows is given back as it came. A packet made of nothing else would be 350."""
_LARGEST_PADDING = 0xFFFF


@dataclass(frozen=True, slots=True)
class CosSeen:
    """The Class of Service TLV of a reply."""

    asked_dscp: int
    """What the reply was to be marked with."""
    received_dscp: int
    """What our packet was marked with when it reached the reflector."""
    received_ecn: int
    refused: bool
    """The reflector's policy did not allow `asked_dscp`: it marked the reply as our packet was when it arrived."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What the HMAC TLV of a packet is made with: the key, and the sequence number in the packet's base."""

    key: bytes
    sequence: int


@dataclass(frozen=True, slots=True)
class _Tlv:
    at: int
    kind: int
    end: int
    malformed: bool


# ── the sender's ───────────────────────────────────────────────────────────────────────────────────────
def extra_padding(size: int) -> bytes:
    """An Extra Padding TLV of `size` bytes in all, header included. Raises MisuseError below 4 or above 65539.

    Filled with what no link can compress (RFC 8972 section 4.1), always the same.
    """
    if not _HEADER.size <= size <= _HEADER.size + _LARGEST_PADDING:
        raise MisuseError(f"no STAMP padding can have {size} bytes")
    filling = size - _HEADER.size
    return _HEADER.pack(_NOT_UNDERSTOOD, _EXTRA_PADDING, filling) + shake_128(b"").digest(filling)


def class_of_service(dscp: int) -> bytes:
    """Asks the reflector what our packet was marked with on arrival, and to mark its reply with `dscp`.

    Raises MisuseError if that is no 6-bit number.
    """
    _check_dscp(dscp)
    return _HEADER.pack(_NOT_UNDERSTOOD, _CLASS_OF_SERVICE, 4) + _COS.pack(dscp << 10, 0)


def sealed(tlvs: bytes, seal: Seal) -> bytes:
    """`tlvs` and the HMAC TLV that the authenticated mode demands after them. More padding may follow it."""
    return tlvs + _HEADER.pack(_NOT_UNDERSTOOD, _HMAC, 16) + _digest(tlvs, seal)


def read_class_of_service(tail: bytes, seal: Seal | None = None) -> CosSeen | None:
    """Reads what follows the fixed layout of a reply. None if the reflector does not say: it knows no TLVs and gave
    ours back, it has no such TLV, or what it says is damaged.

    With `seal` (the reply's own sequence number) an HMAC TLV must be there and right.
    """
    tlvs = _tlvs(tail)
    if any(tail[tlv.at] & _NOT_INTACT for tlv in tlvs) or (seal is not None and not _is_intact(tail, tlvs, seal)):
        return None
    for tlv in tlvs:
        if tlv.malformed or tail[tlv.at] & _MALFORMED:
            return None
        if tlv.kind == _CLASS_OF_SERVICE and not tail[tlv.at] & _NOT_UNDERSTOOD:
            marks, _ = _COS.unpack_from(tail, tlv.at + _HEADER.size)
            return CosSeen(marks >> 10, marks >> 4 & 0x3F, marks >> 2 & 3, bool(marks & 3))
    return None


# ── the reflector's ────────────────────────────────────────────────────────────────────────────────────
def reflect(
    tail: bytes, tos: int, *, permitted: Collection[int], asked: Seal | None = None, answer: Seal | None = None
) -> tuple[bytes, int | None]:
    """What follows the fixed layout of a reply to a packet that ended in `tail` and came with `tos` in its IP header,
    and the DSCP to send it with (None: nobody asked).

    `permitted` are the DSCPs a sender may ask for. `asked` and `answer` are the seals of request and reply in the
    authenticated mode, where only TLVs with a right HMAC are acted upon (RFC 8972 section 4.8; padding alone needs
    none). Without a key no HMAC can be verified, so TLVs that come with one are given back marked as not intact.
    """
    tlvs, reply = _tlvs(tail), bytearray(tail)
    intact = _is_intact(tail, tlvs, asked)
    dscp = None
    for tlv in tlvs:
        reply[tlv.at] = _flags(tlv, intact=intact)
        if tlv.kind == _CLASS_OF_SERVICE and intact and not tlv.malformed:
            wanted = reply[tlv.at + _HEADER.size] >> 2
            allowed = wanted in permitted
            marks = wanted << 10 | (tos >> 2) << 4 | (tos & 3) << 2 | (not allowed)
            _COS.pack_into(reply, tlv.at + _HEADER.size, marks, 0)
            dscp = dscp if dscp is not None else wanted if allowed else tos >> 2
    if answer is not None and intact:
        for tlv in tlvs:
            if tlv.kind == _HMAC and not tlv.malformed:
                reply[tlv.at + _HEADER.size : tlv.end] = _digest(bytes(reply[: tlv.at]), answer)
    return bytes(reply), dscp


def _flags(tlv: _Tlv, *, intact: bool) -> int:
    flags = 0 if intact else _NOT_INTACT
    if tlv.malformed:
        return flags | _MALFORMED
    return flags if tlv.kind in _UNDERSTOOD else flags | _NOT_UNDERSTOOD


# ── both ends' ─────────────────────────────────────────────────────────────────────────────────────────
def _tlvs(tail: bytes) -> list[_Tlv]:
    """Up to the first malformed one, whose end means nothing."""
    tlvs: list[_Tlv] = []
    at = 0
    while at < len(tail) and len(tlvs) < _MOST:
        if at + _HEADER.size > len(tail):
            tlvs.append(_Tlv(at, 0, len(tail), malformed=True))
            break
        _, kind, length = _HEADER.unpack_from(tail, at)
        end = at + _HEADER.size + length
        tlvs.append(_Tlv(at, kind, end, malformed=end > len(tail) or length != _LENGTHS.get(kind, length)))
        if tlvs[-1].malformed:
            break
        at = end
    return tlvs


def _is_intact(tail: bytes, tlvs: list[_Tlv], seal: Seal | None) -> bool:
    """Whether TLVs may be acted upon: as far as the mode demands it they carry one HMAC, in its place, and right."""
    kinds = [tlv.kind for tlv in tlvs]
    if _HMAC not in kinds:
        return seal is None or kinds in ([], [_EXTRA_PADDING])
    place = kinds.index(_HMAC)
    mac = tlvs[place]
    if seal is None or mac.malformed or any(kind != _EXTRA_PADDING for kind in kinds[place + 1 :]):
        return False
    return hmac.compare_digest(tail[mac.at + _HEADER.size : mac.end], _digest(tail[: mac.at], seal))


def _digest(tlvs: bytes, seal: Seal) -> bytes:
    """HMAC-SHA-256 cut to 16 bytes over the sequence number of the base packet and all TLVs before the HMAC's own."""
    return hmac.digest(seal.key, _SEQUENCE.pack(seal.sequence) + tlvs, "sha256")[:16]


def _check_dscp(dscp: int) -> None:
    if not 0 <= dscp <= 0x3F:
        raise MisuseError(f"DSCP {dscp} is no 6-bit number")
