"""ICMP and ICMPv6 echo (RFC 792, RFC 4443). Bytes in, facts out; where the bytes come from is not known here.

ICMPv6 leaves its checksum to the kernel, which alone knows the pseudo header.
"""

import struct

from probes.errors import MisuseError, PeerError

ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO_REQUEST_V6, ECHO_REPLY_V6 = 128, 129

TOKEN_SIZE = 8
_PADDING = bytes(32)  # 44 bytes of payload, 72 on the wire: as large as STAMP's, so that both see the same queue
_MESSAGE = struct.Struct("!BBHHH8sI32s")

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_BYTE, _LOAD_HALF, _LOAD_BYTE_AT_X, _LOAD_HALF_AT_X = 0x30, 0x28, 0x50, 0x48
_LOAD_X_HEADER_LENGTH, _JUMP_IF_EQUAL, _RETURN = 0xB1, 0x15, 0x06


class NumberedEchoes:
    """Echo requests that differ in a number alone, and their replies. All else is prepared once, the checksum too.

    The payload is a secret token, the number and zeroes; the sequence is the number's low 16 bits. Raises MisuseError
    for an ident of more than 16 bits or a token of another size.
    """

    def __init__(self, ident: int, token: bytes, *, v6: bool) -> None:
        if not 0 <= ident <= 0xFFFF or len(token) != TOKEN_SIZE:
            raise MisuseError(f"ICMP ident {ident} is no 16-bit number, or {token!r} no token of {TOKEN_SIZE} bytes")
        self._ident, self._token = ident, token
        self._request, self._reply = (ECHO_REQUEST_V6, ECHO_REPLY_V6) if v6 else (ECHO_REQUEST, ECHO_REPLY)
        unnumbered = _MESSAGE.pack(self._request, 0, 0, ident, 0, token, 0, _PADDING)
        self._sum = None if v6 else 0xFFFF - checksum(unnumbered)

    def request(self, number: int) -> bytes:
        """The request of a 32-bit number. Raises MisuseError if it is none."""
        sequence, summed = number & 0xFFFF, 0
        if self._sum is not None:
            total = self._sum + 2 * sequence + (number >> 16)
            total = (total & 0xFFFF) + (total >> 16)
            summed = ~(total + (total >> 16)) & 0xFFFF
        try:
            return _MESSAGE.pack(self._request, 0, summed, self._ident, sequence, self._token, number, _PADDING)
        except struct.error as error:
            raise MisuseError(f"ICMP number {number} does not fit 32 bits") from error

    def number_of(self, message: bytes) -> int | None:
        """The number of an ICMP message that is the whole and undamaged reply to one of these; otherwise None.

        Ident and checksum are not looked at: a datagram socket's ident is the kernel's own, and the token says more
        than either.
        """
        if len(message) != _MESSAGE.size:
            return None
        kind, code, _, _, sequence, token, number, padding = _MESSAGE.unpack(message)
        ours = (kind, code, sequence, token, padding) == (self._reply, 0, number & 0xFFFF, self._token, _PADDING)
        return int(number) if ours else None


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
