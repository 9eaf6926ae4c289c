"""ICMP and ICMPv6 echo (RFC 792, RFC 4443). Bytes in, facts out; where the bytes come from is not known here.

ICMPv6 leaves its checksum to the kernel, which alone knows the pseudo header.
"""

import struct
from dataclasses import dataclass

from probes.errors import MisuseError, PeerError

ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO_REQUEST_V6, ECHO_REPLY_V6 = 128, 129

_HEADER = struct.Struct("!BBHHH")

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_BYTE, _LOAD_HALF, _LOAD_BYTE_AT_X, _LOAD_HALF_AT_X = 0x30, 0x28, 0x50, 0x48
_LOAD_X_HEADER_LENGTH, _JUMP_IF_EQUAL, _RETURN = 0xB1, 0x15, 0x06


@dataclass(frozen=True, slots=True)
class Echo:
    ident: int
    sequence: int
    payload: bytes


def encode_request(echo: Echo, *, v6: bool = False) -> bytes:
    """An echo request. Raises MisuseError if ident or sequence is no 16-bit number."""
    try:
        unsummed = _HEADER.pack(ECHO_REQUEST_V6 if v6 else ECHO_REQUEST, 0, 0, echo.ident, echo.sequence) + echo.payload
    except struct.error as error:
        raise MisuseError(f"ICMP ident {echo.ident} or sequence {echo.sequence} does not fit 16 bits") from error
    if v6:
        return unsummed
    return unsummed[:2] + checksum(unsummed).to_bytes(2, "big") + unsummed[4:]


def decode_reply(message: bytes, *, v6: bool = False) -> Echo:
    """Reads an ICMP message that must be an echo reply. Raises PeerError if it is anything else, short or damaged."""
    if len(message) < _HEADER.size:
        raise PeerError(f"ICMP message of {len(message)} bytes, at least {_HEADER.size} expected")
    kind, code, _, ident, sequence = _HEADER.unpack_from(message)
    if (kind, code) != (ECHO_REPLY_V6 if v6 else ECHO_REPLY, 0):
        raise PeerError(f"ICMP type {kind} code {code} where an echo reply was expected")
    if not v6 and checksum(message) != 0:
        raise PeerError(f"ICMP echo reply {sequence} with a wrong checksum")
    return Echo(ident, sequence, message[_HEADER.size :])


def reply_filter(ident: int, *, v6: bool = False) -> bytes:
    """Classic BPF for a raw ICMP socket: echo replies to `ident` pass, all else is dropped unseen.

    IPv4 raw sockets see the IP header, of any length; IPv6 ones begin with the ICMP message. In the byte order of this
    machine.
    """
    at_message = _LOAD_BYTE_AT_X if not v6 else _LOAD_BYTE, _LOAD_HALF_AT_X if not v6 else _LOAD_HALF
    program = [
        *([] if v6 else [(_LOAD_X_HEADER_LENGTH, 0, 0, 0)]),
        (at_message[0], 0, 0, 0),
        (_JUMP_IF_EQUAL, 0, 3, ECHO_REPLY_V6 if v6 else ECHO_REPLY),
        (at_message[1], 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, 1, ident),
        (_RETURN, 0, 0, 0xFFFF),
        (_RETURN, 0, 0, 0),
    ]
    return b"".join(_INSTRUCTION.pack(*step) for step in program)


def message_of(packet: bytes) -> bytes:
    """The ICMP message inside an IPv4 packet, as a raw socket gives it. Raises PeerError if there is no IPv4 header."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        raise PeerError(f"{len(packet)} bytes without an IPv4 header on a raw socket")
    header_size = (packet[0] & 0x0F) * 4
    if not 20 <= header_size <= len(packet):
        raise PeerError(f"IPv4 header of {header_size} bytes in a packet of {len(packet)}")
    return packet[header_size:]


def checksum(message: bytes) -> int:
    """The Internet checksum (RFC 1071): 0 over a whole message whose own checksum is right."""
    if len(message) % 2:
        message += b"\0"
    total: int = sum(struct.unpack(f"!{len(message) // 2}H", message))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return ~total & 0xFFFF
