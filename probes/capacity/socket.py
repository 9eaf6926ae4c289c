"""A datagram socket for thousands of packets a second: read in batches, stamped by the kernel on arrival.

Stamps are turned into the monotonic clock where they are read: a step of the wall clock in mid-measurement would look
like a queue.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import TypeAlias

from probes.kernel_time import Address, Ancillary

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h
_SO_RCVBUFFORCE = 33
_TIMESPEC = struct.Struct("@ll")
_LARGEST = 9216
_ROOM_FOR_CONTROL = 128
_AT_ONCE = 128  # datagrams read before the loop gets its turn: ~1.5 ms
_RECEIVE_BUFFER_BYTES = 4 << 20  # a stall of ours of 100 ms at 100 Mbit/s must not look like loss on the line

# linux/in.h, linux/in6.h: not all of these have names in Python.
_IP_PKTINFO, _IPV6_RECVPKTINFO, _IPV6_PKTINFO = 8, 49, 50
_IN_PKTINFO = struct.Struct("@i4s4s")

Arrived: TypeAlias = Callable[[bytes, Address, int, Ancillary], None]
"""Told the datagram, whose it is, when it arrived in nanoseconds of the monotonic clock, and what came with it."""


class LoadSocket:
    """Owns `sock` and closes it. `arrived` runs in the loop's reader and must not raise."""

    def __init__(self, sock: socket.socket, arrived: Arrived) -> None:
        self._sock, self._arrived = sock, arrived
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        _enlarge(sock)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._read)

    @property
    def address(self) -> Address:
        own: Address = self._sock.getsockname()
        return own

    def send(self, *parts: bytes, to: Address | None = None, control: Ancillary | None = None) -> bool:
        """Whether the kernel took the datagram now; False: its queue is full. Raises OSError for all other refusals.

        What an earlier datagram was answered with by ICMP is not one: silence will tell.
        """
        try:
            if to is None:
                self._sock.sendmsg(parts)
            else:
                self._sock.sendmsg(parts, control or [], 0, to)
        except (BlockingIOError, ConnectionRefusedError):
            return False
        return True

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def _read(self) -> None:
        receive, arrived = self._sock.recvmsg, self._arrived
        wall_ahead_ns = time.time_ns() - time.monotonic_ns()
        for _ in range(_AT_ONCE):
            try:
                data, control, _, address = receive(_LARGEST, _ROOM_FOR_CONTROL)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier datagram, told once
                continue
            arrived(data, address, _arrival_ns(control, wall_ahead_ns), control)
            if self._sock.fileno() < 0:  # `arrived` closed us
                return


def listening_socket(family: int, host: str, port: int) -> socket.socket:
    """A bound socket that tells which of our addresses was asked. Raises OSError, OverflowError."""
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        sock.bind((host, port))
    except (OSError, OverflowError):
        sock.close()
        raise
    return sock


def from_where_it_was_asked(control: Ancillary) -> Ancillary:
    """Makes an answer leave from the address its question came to, which a wildcard socket would not."""
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(data) == _IN_PKTINFO.size:
            _, ours, _ = _IN_PKTINFO.unpack(data)
            return [(level, kind, _IN_PKTINFO.pack(0, ours, bytes(4)))]
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            return [(level, kind, data)]
    return []


def _arrival_ns(control: Ancillary, wall_ahead_ns: int) -> int:
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds * 1_000_000_000 + nanoseconds - wall_ahead_ns)
    return time.monotonic_ns()


def _enlarge(sock: socket.socket) -> None:
    """Beyond the host's limit needs CAP_NET_ADMIN over the host; what the limit allows is the fallback."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    except PermissionError:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
