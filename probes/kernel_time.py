"""Datagrams stamped by the kernel as they leave and arrive, over an asyncio loop.

Stamps taken here under asyncio are 180–700 µs late (p99 3.3 ms); the kernel's are good to some 10 µs. Transmit stamps
come back through the socket's error queue, numbered by the kernel in order of sending. Where a stamp is missing the
next best is used, and every round trip says which it was.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# linux/net_tstamp.h, linux/errqueue.h, asm-generic/socket.h: Python names none of these.
_SO_TIMESTAMPING: Final = 37
_TX_SOFTWARE, _RX_SOFTWARE, _SOFTWARE, _OPT_ID, _OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
_FROM_KERNEL: Final = _TX_SOFTWARE | _RX_SOFTWARE | _SOFTWARE | _OPT_TSONLY
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_FROM_TIMESTAMPING: Final = 4  # sock_extended_err.ee_origin
_EXTENDED_ERRORS: Final = frozenset({(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)})
_EXTENDED_ERROR = struct.Struct("@4xB7xI")  # its origin, and the number of the datagram
_TIMESPEC = struct.Struct("@ll")

_ROOM_FOR_CONTROL: Final = 256
_LARGEST: Final = 2048  # no packet of ours is larger; what is cut off was garbage
_AT_ONCE: Final = 64  # datagrams read before the loop gets its turn: ~1 ms
_UNSTAMPED_KEPT: Final = 256
_CLOCK_STEP_S: Final = 1e-3  # slewing moves both clocks alike; what parts them is a step, or a pause between two reads

Ancillary = list[tuple[int, int, bytes]]
Address = tuple[str, int] | tuple[str, int, int, int]
"""A socket address: IPv4, or IPv6 with flow label and scope."""


class Stamps(StrEnum):
    """Where the two ends of a round trip were stamped."""

    KERNEL = "kernel"
    ARRIVAL = "arrival"  # only its end by the kernel: too long by what the send call took
    USER = "user"  # neither: 0.2–3 ms too long


@dataclass(slots=True)
class Sent:
    """One datagram handed to the kernel. `kernel_ns` (Unix time) is filled in when the stamp comes back."""

    user_ns: int
    monotonic_s: float
    kernel_ns: int | None = None


@dataclass(slots=True)  # not frozen, which would cost as much again as reading the datagram
class Received:
    data: bytes
    address: Address
    control: Ancillary
    user_ns: int
    monotonic_s: float
    kernel_ns: int | None


def wall_clock_stepped(sent: Sent, received: Received) -> bool:
    """Whether the wall clock was set between the two, so that stamps of one cannot be compared with the other's."""
    wall_s = (received.user_ns - sent.user_ns) / 1e9
    return abs(wall_s - (received.monotonic_s - sent.monotonic_s)) > _CLOCK_STEP_S


def round_trip_s(sent: Sent, received: Received) -> tuple[float, Stamps]:
    """Seconds from `sent` to `received` by the best stamps there are.

    Kernel stamps are wall-clock time. Where that clock was set meanwhile, or gives a figure below zero or beyond what
    the monotonic clock saw from outside, the monotonic figure stands.
    """
    outside_s = received.monotonic_s - sent.monotonic_s
    if received.kernel_ns is None or wall_clock_stepped(sent, received):
        return outside_s, Stamps.USER
    left_ns, stamps = (sent.user_ns, Stamps.ARRIVAL) if sent.kernel_ns is None else (sent.kernel_ns, Stamps.KERNEL)
    inside_s = (received.kernel_ns - left_ns) / 1e9
    if 0 <= inside_s <= outside_s + 50e-6:  # 50 µs: the two clocks are not read at the same instant
        return inside_s, stamps
    return outside_s, Stamps.USER


def ends_ns(sent: Sent, received: Received) -> tuple[int, int] | None:
    """Unix nanoseconds when `sent` left and `received` came, by the stamps `round_trip_s` believes; None where the wall
    clock was set between the two.
    """
    if wall_clock_stepped(sent, received):
        return None
    _, stamps = round_trip_s(sent, received)
    left_ns = sent.kernel_ns if stamps is Stamps.KERNEL else None
    came_ns = None if stamps is Stamps.USER else received.kernel_ns
    return sent.user_ns if left_ns is None else left_ns, received.user_ns if came_ns is None else came_ns


class StampedSocket:
    """A bound datagram or raw socket on the running loop; `arrived` is called for every datagram, in order.

    Owns `sock` and closes it. `arrived` runs in the loop's reader and must not raise. Up to `at_once` datagrams are
    read before the loop gets its turn; 1 where they come one by one spares the call that says there is no second.
    """

    def __init__(
        self,
        sock: socket.socket,
        arrived: Callable[[Received], None],
        *,
        transmit: bool = True,
        at_once: int = _AT_ONCE,
    ) -> None:
        self._sock = sock
        self._arrived = arrived
        self._loop = asyncio.get_running_loop()
        self._unstamped: dict[int, Sent] = {}  # in the order of sending
        self._next_key = 0
        self._transmit, self._at_once = transmit, at_once
        sock.setblocking(False)
        self._ask_for_stamps()
        self._loop.add_reader(sock.fileno(), self._read)

    def send(self, data: bytes, address: Address | None = None, control: Ancillary | None = None) -> Sent:
        """Hands `data` to the kernel now; without an address to the one `sock` is connected to. Raises OSError when
        the kernel refuses; nothing is retried.
        """
        sent = Sent(time.time_ns(), time.monotonic())
        try:
            if address is None:
                self._sock.send(data)
            else:
                self._sock.sendmsg([data], control or [], 0, address)
        except OSError:
            self._restart_keys()
            raise
        if self._transmit:
            self._await_stamp(sent)
        return sent

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def stamp_now(self) -> None:
        """Takes in the transmit stamps that are there."""
        while self._unstamped:
            try:
                _, control, _, _ = self._sock.recvmsg(0, _ROOM_FOR_CONTROL, socket.MSG_ERRQUEUE)
            except OSError:  # empty, or an ICMP error of an earlier datagram: silence will tell
                return
            self._take_stamp(control)

    def _await_stamp(self, sent: Sent) -> None:
        self._unstamped[self._next_key] = sent
        self._next_key = (self._next_key + 1) & 0xFFFF_FFFF
        if len(self._unstamped) > _UNSTAMPED_KEPT:
            del self._unstamped[next(iter(self._unstamped))]
        # Most drivers stamp inside the send call. Reading it here spares the loop a wake-up per probe.
        self.stamp_now()

    def _take_stamp(self, control: Ancillary) -> None:
        key = _key_of(control)
        if key is not None and (sent := self._unstamped.pop(key, None)) is not None:
            kernel_ns = kernel_stamp_ns(control)
            # A stamp from before the send call belongs to another datagram.
            sent.kernel_ns = kernel_ns if kernel_ns is not None and kernel_ns >= sent.user_ns else None

    def _restart_keys(self) -> None:
        """Kernels before 6.3 count a datagram they then refuse: begin again at 0 rather than pair stamps wrongly."""
        if self._transmit:
            self._unstamped.clear()
            self._next_key = 0
            self._ask_for_stamps()

    def _ask_for_stamps(self) -> None:
        wanted = _FROM_KERNEL if self._transmit else _FROM_KERNEL & ~_TX_SOFTWARE
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, wanted)
            if self._transmit:  # only now the number: turning it on anew is what sets it to 0
                self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, wanted | _OPT_ID)
        except OSError:  # a kernel without: every round trip will say "user"
            self._transmit = False

    def _read(self) -> None:
        for count in range(self._at_once):
            try:
                data, control, _, address = self._sock.recvmsg(_LARGEST, _ROOM_FOR_CONTROL)
            except BlockingIOError:
                if count == 0:
                    self._drain_errors()
                return
            except OSError:  # an ICMP error of an earlier datagram, told once
                continue
            now_s, now_ns = time.monotonic(), time.time_ns()
            if self._unstamped:
                self.stamp_now()
            self._arrived(Received(data, address, control, now_ns, now_s, kernel_stamp_ns(control)))
            if self._sock.fileno() < 0:  # `arrived` closed us
                return

    def _drain_errors(self) -> None:
        """An error queue left full would wake the loop for ever."""
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                _, control, _, _ = self._sock.recvmsg(0, _ROOM_FOR_CONTROL, socket.MSG_ERRQUEUE)
                self._take_stamp(control)


def kernel_stamp_ns(control: Ancillary) -> int | None:
    """Unix nanoseconds of the software stamp among control messages; None if the kernel gave none."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPING and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds * 1_000_000_000 + nanoseconds) or None
    return None


def _key_of(control: Ancillary) -> int | None:
    """The number the kernel gave the datagram whose transmit stamp is among control messages."""
    for level, kind, data in control:
        if (level, kind) in _EXTENDED_ERRORS and len(data) >= _EXTENDED_ERROR.size:
            origin, key = _EXTENDED_ERROR.unpack_from(data)
            return int(key) if origin == _FROM_TIMESTAMPING else None
    return None
