"""A packet socket on one interface that lets only the headers of media packets in, with the kernel's time of arrival.

It is bound to one interface, so a frame that crosses a bridge is seen once. The filter is attached before the bind: not
one other packet ever gets in. The kernel queues, we look now and then, its stamps keep the times true meanwhile.
"""

import ctypes
import os
import socket
import struct
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from probes.packets.bpf_code import Instruction, encode
from probes.packets.turn import INDICATION_MAX

_ETH_P_ALL = 0x0003  # only this one also sees what the box itself sends out of the interface
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35  # SO_TIMESTAMPNS_OLD, struct timespec of longs
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_TIMESPEC = struct.Struct("@ll")
_STATISTICS = struct.Struct("@II")
# Ethernet with VLAN, the longest IPv4 header, UDP, a TURN indication, RTCP's first report and the next one's header.
_HEADERS_MAX = 18 + 60 + 8 + INDICATION_MAX + 132
# The kernel charges about 2.3 kB a packet whatever is kept of it: 4 MiB are two seconds of 1,000 packets/s.
_BUFFER_BYTES = 4 << 20


class MediaTap:
    """Headers of filtered packets on `interface`. Raises OSError when opened or read where that is impossible."""

    def __init__(self, interface: str, program: Iterable[Instruction]) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            _attach(self._socket, encode(program))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            _enlarge(self._socket)
            self._socket.setblocking(False)
            self._socket.bind((interface, _ETH_P_ALL))
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def read(self, limit: int) -> list[tuple[bytes, float]]:
        """Up to `limit` waiting packets, oldest first: headers, and seconds since they came by the wall clock.

        Fewer than `limit` means nothing is left. An age may be nonsense if the wall clock stepped: bound it.
        """
        now_s = time.time()
        packets: list[tuple[bytes, float]] = []
        receive = self._socket.recvmsg
        try:
            while len(packets) < limit:
                headers, ancillary, _, _ = receive(_HEADERS_MAX, 64)
                packets.append((headers, now_s - _stamp_s(ancillary, now_s)))
        except BlockingIOError:
            pass
        return packets

    def dropped(self) -> int:
        """Packets the kernel could not queue for us since the last call."""
        raw = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        return int(_STATISTICS.unpack(raw)[1])


def _stamp_s(ancillary: list[tuple[int, int, bytes]], otherwise_s: float) -> float:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return float(seconds + nanoseconds * 1e-9)
    return otherwise_s


def _attach(sock: socket.socket, program: bytes) -> None:
    """SO_ATTACH_FILTER takes `struct sock_fprog`: a count and a pointer, which must live until the call is done."""
    instructions = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)


def _enlarge(sock: socket.socket) -> None:
    """Beyond the host's limit needs CAP_NET_ADMIN over the host; what the limit allows is the fallback."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)


def why_blind(error: OSError, interface: str) -> str:
    """One line for a person: what keeps the observer from seeing."""
    return f"media observer on {interface}: {error.strerror or os.strerror(error.errno or 0)}"
