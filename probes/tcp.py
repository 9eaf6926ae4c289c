"""TCP connect: does the handshake of a service complete? For links whose provider drops ICMP and knows no STAMP.

A reset is an answer: somebody is there. The round trip is the kernel's own figure of the handshake. A handshake that
needed a second SYN counts as lost: one probe, one outcome. It costs the far side a connection, hence the slow pace.
"""

import asyncio
import errno
import socket
import struct
import time
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from probes.kernel_time import Stamps
from probes.prober import (
    Answered,
    Heard,
    Pin,
    Prober,
    Refusal,
    TargetSettings,
    family_of,
    pinned_socket,
    refusal_of,
    socket_address,
)

# linux/tcp.h, struct tcp_info: tcpi_rtt in µs at byte 68, tcpi_total_retrans at byte 100.
_RTT_AND_RETRANSMITS = struct.Struct("@68xI28xI")
_ALIVE = (errno.ECONNREFUSED, errno.ECONNRESET)


class TcpTarget(TargetSettings):
    """A port that accepts connections, or a host that resets them."""

    heavy: ClassVar[bool] = True

    kind: Literal["tcp"] = "tcp"
    port: Annotated[int, Field(ge=1, le=65535)]

    @property
    def label(self) -> str:
        return f"tcp {self.address} port {self.port}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return TcpProber(self, pin, heard)


@dataclass(slots=True)
class _Handshake:
    sock: socket.socket
    began_s: float


class TcpProber:
    def __init__(self, target: TcpTarget, pin: Pin, heard: Heard) -> None:
        self._target, self._pin, self._heard = target, pin, heard
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, _Handshake] = {}

    def send(self, number: int) -> Refusal | None:
        try:
            sock = pinned_socket(family_of(self._target.address), socket.SOCK_STREAM, 0, self._pin)
        except OSError as error:
            return refusal_of(error, self._pin)
        handshake = _Handshake(sock, time.monotonic())
        try:
            code = sock.connect_ex(socket_address(self._target.address, self._target.port, self._pin))
        except OSError as error:
            code = error.errno or errno.EINVAL
        if code not in (0, errno.EINPROGRESS, *_ALIVE):
            sock.close()
            return refusal_of(OSError(code, ""), self._pin)
        self._open[number] = handshake
        if code in _ALIVE:  # loopback says so within the call; answers are never told from inside `send`
            self._loop.call_soon(self._done, number, code)
        else:
            self._loop.add_writer(sock.fileno(), self._done, number, None)
        return None

    def forget(self, number: int) -> None:
        handshake = self._open.pop(number, None)
        if handshake is not None:
            self._loop.remove_writer(handshake.sock.fileno())
            handshake.sock.close()

    def close(self) -> None:
        for number in list(self._open):
            self.forget(number)

    def _done(self, number: int, code: int | None) -> None:
        handshake = self._open.get(number)
        if handshake is None:
            return
        if code is None:
            code = handshake.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        answered = _read(handshake, code)
        self.forget(number)
        if answered is not None:
            self._heard(number, answered)


def _read(handshake: _Handshake, code: int) -> Answered | None:
    """None for what is silence to us: unreachable, timed out, or answered only after a second SYN."""
    outside_s = time.monotonic() - handshake.began_s
    if code in _ALIVE:
        return Answered(outside_s, Stamps.USER)
    if code != 0:
        return None
    info = handshake.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RTT_AND_RETRANSMITS.size)
    if len(info) < _RTT_AND_RETRANSMITS.size:
        return Answered(outside_s, Stamps.USER)
    rtt_us, retransmits = _RTT_AND_RETRANSMITS.unpack(info)
    if retransmits:
        return None
    if 0 < rtt_us <= outside_s * 1e6:
        return Answered(rtt_us / 1e6, Stamps.KERNEL)
    return Answered(outside_s, Stamps.USER)
