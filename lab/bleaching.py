"""Sets the DSCP of an Ethernet frame's IP packet to 0, as many a provider's edge does to what it does not trust. Pure.

The ECN bits are left alone (RFC 3168), the IPv4 header checksum is corrected for the one word that changed (RFC 1624,
equation 3), whatever is not plain IPv4 or IPv6 passes as it is, and so does what is too short to be either.
"""

_ETHERTYPE = slice(12, 14)
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_IP = 14
"""Where the packet begins in the frame."""
_CHECKSUM = slice(_IP + 10, _IP + 12)
_V4_HEADER_BYTES, _V6_HEADER_BYTES = 20, 40
_ECN = 0x03


def bleached(frame: bytes) -> bytes:
    """The frame with DSCP 0; the very same object where nothing had to change."""
    kind = frame[_ETHERTYPE]
    if kind == _IPV4 and len(frame) >= _IP + _V4_HEADER_BYTES:
        return _bleached_v4(frame) if frame[_IP + 1] > _ECN else frame
    if kind == _IPV6 and len(frame) >= _IP + _V6_HEADER_BYTES:
        return _bleached_v6(frame)
    return frame


def _bleached_v4(frame: bytes) -> bytes:
    made = bytearray(frame)
    before = int.from_bytes(made[_IP : _IP + 2])
    made[_IP + 1] &= _ECN
    after = int.from_bytes(made[_IP : _IP + 2])
    total = (~int.from_bytes(made[_CHECKSUM]) & 0xFFFF) + (~before & 0xFFFF) + after
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    made[_CHECKSUM] = (~total & 0xFFFF).to_bytes(2)
    return bytes(made)


def _bleached_v6(frame: bytes) -> bytes:
    """The traffic class lies across two bytes: version and its upper half, its lower half and the flow label's first
    bits."""
    if not frame[_IP] & 0x0F and not frame[_IP + 1] & 0xC0:
        return frame
    made = bytearray(frame)
    made[_IP] &= 0xF0
    made[_IP + 1] &= 0x3F
    return bytes(made)
