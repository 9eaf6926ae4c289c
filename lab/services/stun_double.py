"""A STUN server of our own, as bytes (RFC 8489): a Binding request is answered with where it seemed to come from.

Pure, and written apart from the prober's codec, so that neither hides a mistake of the other. Without a way to
authenticate anybody: it understands the attributes of credentials and passes over them.
"""

import struct
from ipaddress import ip_address

BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0101, 0x0111
MAGIC_COOKIE = 0x2112_A442
_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")

XOR_MAPPED_ADDRESS, ERROR_CODE, UNKNOWN_ATTRIBUTES, SOFTWARE = 0x0020, 0x0009, 0x000A, 0x8022
COMPREHENSION_OPTIONAL = 0x8000
"""From here up a server passes over what it does not know; below it must refuse."""
_UNDERSTOOD = {0x0006, 0x0008, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E}
"""USERNAME, MESSAGE-INTEGRITY, REALM, NONCE and their SHA-256 kin."""
_FAMILIES = {4: 1, 6: 2}
_NAME = b"lab"


def answer(data: bytes, source: tuple[str, int]) -> bytes | None:
    """The response to a datagram from `source` (address, port); None for what is no Binding request."""
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != BINDING_REQUEST or cookie != MAGIC_COOKIE or length != len(data) - _HEADER.size or length % 4:
        return None
    unknown = _unknown_attributes(data)
    if unknown is None:
        return None
    if unknown:
        refusal = _attribute(ERROR_CODE, b"\0\0\x04\x14Unknown Attribute")
        which = _attribute(UNKNOWN_ATTRIBUTES, b"".join(number.to_bytes(2) for number in unknown))
        return _message(BINDING_ERROR, transaction, refusal + which)
    mapped = _attribute(XOR_MAPPED_ADDRESS, _xor_mapped(*source, transaction))
    return _message(BINDING_SUCCESS, transaction, mapped + _attribute(SOFTWARE, _NAME))


def _unknown_attributes(data: bytes) -> list[int] | None:
    """Those that must be understood and are not; None where the attributes do not fill the message."""
    at, unknown = _HEADER.size, []
    while at < len(data):  # the message is whole words long, so an attribute's four bytes of header are always there
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        at += _ATTRIBUTE.size + -(-length // 4) * 4
        if kind < COMPREHENSION_OPTIONAL and kind not in _UNDERSTOOD:
            unknown.append(kind)
    return unknown if at == len(data) else None


def _xor_mapped(host: str, port: int, transaction: bytes) -> bytes:
    """Section 14.2: port and address xored with the cookie and, IPv6, the transaction behind it, so that no
    translator on the way rewrites them."""
    address = ip_address(host)
    mask = (MAGIC_COOKIE.to_bytes(4) + transaction)[: len(address.packed)]
    xored = bytes(a ^ b for a, b in zip(address.packed, mask, strict=True))
    return struct.pack("!BBH", 0, _FAMILIES[address.version], port ^ (MAGIC_COOKIE >> 16)) + xored


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _message(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    return _HEADER.pack(kind, len(attributes), MAGIC_COOKIE, transaction) + attributes
