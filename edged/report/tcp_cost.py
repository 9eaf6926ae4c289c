"""What a TCP connection has cost on the wire so far, by the kernel's own count (TCP_INFO, tcp(7), linux/tcp.h)."""

import socket
import struct

_HEADERS = {socket.AF_INET: 52, socket.AF_INET6: 72}
"""IP and TCP with time stamps, of each segment."""
_RECEIVED, _SEGMENTS, _SENT = struct.Struct("Q"), struct.Struct("2I"), struct.Struct("Q")
_RECEIVED_AT, _SEGMENTS_AT, _SENT_AT = 128, 136, 200
_SIZE = 208


def cost_bytes(sock: socket.socket) -> int:
    """Both ways, headers and what was sent again included; 0 where the kernel does not say (before Linux 4.19)."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    except OSError:  # closed meanwhile
        return 0
    if len(info) < _SIZE:
        return 0
    (received,), (sent,) = _RECEIVED.unpack_from(info, _RECEIVED_AT), _SENT.unpack_from(info, _SENT_AT)
    return int(received + sent + sum(_SEGMENTS.unpack_from(info, _SEGMENTS_AT)) * _HEADERS.get(sock.family, 52))
