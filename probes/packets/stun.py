"""STUN binding (RFC 8489): one request, and from its response the address and port the server saw us come from.

Old servers answer too: MAPPED-ADDRESS serves where XOR-MAPPED-ADDRESS is missing, and the attributes RFC 3489 had are
known by number. Nobody is authenticated here, so what a response says is as true as its server; the 96 random bits of
the transaction keep out whoever cannot see the request.
"""

import struct
from binascii import crc32
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from probes.errors import MisuseError, PeerError

PORT = 3478
TRANSACTION_SIZE = 12

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_ADDRESS = struct.Struct("!xBH")
_ERROR_CODE = struct.Struct("!xxBB")
_COOKIE = 0x2112A442
_COOKIE_BYTES = _COOKIE.to_bytes(4, "big")
_REQUEST, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111

_MAPPED_ADDRESS, _XOR_MAPPED_ADDRESS = 0x0001, 0x0020
_MESSAGE_INTEGRITY, _MESSAGE_INTEGRITY_SHA256, _FINGERPRINT = 0x0008, 0x001C, 0x8028
_ERROR_CODE_TYPE = 0x0009
_OPTIONAL = 0x8000  # at and above this, what is not known is skipped (section 14)
_UNDERSTOOD = frozenset(
    (
        *(_MAPPED_ADDRESS, _XOR_MAPPED_ADDRESS, _MESSAGE_INTEGRITY, _MESSAGE_INTEGRITY_SHA256, _ERROR_CODE_TYPE),
        *(0x0006, 0x000A, 0x0014, 0x0015, 0x001D, 0x001E),  # USERNAME … USERHASH: an error response may carry them
        *(0x0002, 0x0003, 0x0004, 0x0005, 0x0007, 0x000B),  # of RFC 3489: RESPONSE-ADDRESS … REFLECTED-FROM
    )
)
_FINGERPRINT_MASK = 0x5354554E  # "STUN", section 14.7
_ADDRESS_SIZES = {1: 4, 2: 16}  # bytes by address family


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where our request came from, as the server saw it: behind a NAT, the NAT's outer side."""

    address: IPv4Address | IPv6Address
    port: int


class ErrorResponse(PeerError):
    """The server answered this very request, and declined: `code` is 300 to 699 (section 14.8)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"STUN error {code} {reason!r}")
        self.code = code


def encode_request(transaction: bytes) -> bytes:
    """A binding request of 20 bytes. Raises MisuseError unless `transaction` is 12 bytes; let them be random."""
    if len(transaction) != TRANSACTION_SIZE:
        raise MisuseError(f"a STUN transaction id has {TRANSACTION_SIZE} bytes, not {len(transaction)}")
    return _HEADER.pack(_REQUEST, 0, _COOKIE, transaction)


def transaction_of(data: bytes) -> bytes:
    """Which transaction a message belongs to, whatever it says. Raises PeerError if it is no STUN message."""
    return _header(data)[1]


def decode_response(data: bytes, transaction: bytes) -> Mapped:
    """Reads the response to the request with `transaction`.

    Raises ErrorResponse where the server declined, PeerError where this is no response to that request, is damaged, or
    has no address, or an attribute that must be understood and is not.
    """
    kind, answered = _header(data)
    if answered != transaction:
        raise PeerError(f"STUN message of transaction {answered.hex()}, {transaction.hex()} was asked")
    if kind not in (_SUCCESS, _ERROR):
        raise PeerError(f"STUN message type {kind:#06x} is no binding response")
    attributes = _attributes(data)
    if kind == _ERROR:
        raise _declined(attributes.get(_ERROR_CODE_TYPE, b""))
    if unknown := [attribute for attribute in attributes if attribute < _OPTIONAL and attribute not in _UNDERSTOOD]:
        raise PeerError(f"STUN attributes {', '.join(map(hex, unknown))} must be understood and are not")
    if _XOR_MAPPED_ADDRESS in attributes:
        return _mapped(attributes[_XOR_MAPPED_ADDRESS], _COOKIE_BYTES + transaction)
    if _MAPPED_ADDRESS in attributes:
        return _mapped(attributes[_MAPPED_ADDRESS], bytes(16))
    raise PeerError("STUN response without a mapped address")


def _header(data: bytes) -> tuple[int, bytes]:
    if len(data) < _HEADER.size:
        raise PeerError(f"STUN message of {len(data)} bytes, at least {_HEADER.size} expected")
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind >> 14 or cookie != _COOKIE:
        raise PeerError(f"type {kind:#06x} with cookie {cookie:#010x} is not STUN")
    if length % 4 or length != len(data) - _HEADER.size:
        raise PeerError(f"STUN length {length} in a message of {len(data)} bytes")
    return kind, transaction


def _attributes(data: bytes) -> dict[int, bytes]:
    """The first value of each type. Of what follows a MESSAGE-INTEGRITY only a FINGERPRINT counts (section 14.5)."""
    found: dict[int, bytes] = {}
    at, sealed = _HEADER.size, False
    while at < len(data):  # a multiple of 4 is left, so there is room for type and length
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        end = at + _ATTRIBUTE.size + length
        if end > len(data):
            raise PeerError(f"STUN attribute {kind:#06x} of {length} bytes ends beyond the message")
        if kind == _FINGERPRINT:
            _check_fingerprint(data, at, end)
        elif not sealed:
            found.setdefault(kind, data[at + _ATTRIBUTE.size : end])
        sealed = sealed or kind in (_MESSAGE_INTEGRITY, _MESSAGE_INTEGRITY_SHA256)
        at = end + -length % 4
    return found


def _check_fingerprint(data: bytes, at: int, end: int) -> None:
    if end != len(data) or end - at != _ATTRIBUTE.size + 4:
        raise PeerError("STUN FINGERPRINT is not the last attribute, or not of 4 bytes")
    if int.from_bytes(data[-4:], "big") != crc32(data[:at]) ^ _FINGERPRINT_MASK:
        raise PeerError("STUN message with a wrong FINGERPRINT: damaged on the way")


def _declined(value: bytes) -> PeerError:
    if len(value) < _ERROR_CODE.size:
        return PeerError(f"STUN error response whose ERROR-CODE has {len(value)} bytes")
    hundreds, rest = _ERROR_CODE.unpack_from(value)
    hundreds &= 0x07
    if not 3 <= hundreds <= 6 or rest > 99:
        return PeerError(f"STUN error code {hundreds}·100 + {rest} does not exist")
    return ErrorResponse(hundreds * 100 + rest, value[_ERROR_CODE.size :][:128].decode("utf-8", "replace"))


def _mapped(value: bytes, mask: bytes) -> Mapped:
    """An address attribute (sections 14.1, 14.2); `mask` begins with the cookie, zeros where nothing is masked."""
    if len(value) < _ADDRESS.size:
        raise PeerError(f"STUN address of {len(value)} bytes")
    family, port = _ADDRESS.unpack_from(value)
    packed = value[_ADDRESS.size :]
    if len(packed) != _ADDRESS_SIZES.get(family):
        raise PeerError(f"STUN address of family {family} with {len(packed)} bytes")
    plain = bytes(left ^ right for left, right in zip(packed, mask, strict=False))
    return Mapped(_address(plain), port ^ int.from_bytes(mask[:2], "big"))


def _address(packed: bytes) -> IPv4Address | IPv6Address:
    """A server with one socket for both families sees IPv4 as ::ffff:a.b.c.d."""
    if len(packed) == 4:
        return IPv4Address(packed)
    address = IPv6Address(packed)
    return address.ipv4_mapped or address
