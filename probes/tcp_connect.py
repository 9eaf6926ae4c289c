"""The three-way handshake of TCP, begun and judged. Who was it that answered, if anybody, and at the first asking?

A reset tells that somebody is there, but only one that came from the far host: what the kernel calls "connection
refused" may be an ICMP error of a router on the way, and routers reject like that just when the line behind them is
dead. Only the count of segments that arrived tells the two apart. A handshake, or a reset, that took a second SYN is
silence: one probe, one outcome.
"""

import errno
import socket
import struct
import time
from dataclasses import dataclass, field

from probes.kernel_time import Stamps
from probes.prober import IpAddress, Pin, Refusal, family_of, pinned_socket, refusal_of, socket_address

# linux/tcp.h, struct tcp_info: tcpi_rtt in µs at byte 68, tcpi_total_retrans at 100, tcpi_segs_in at 140.
_TCP_INFO = struct.Struct("@68xI28xI36xI")
_RESET = (errno.ECONNREFUSED, errno.ECONNRESET)


@dataclass(slots=True)
class Connecting:
    """Owns its socket. Writable, or already `over`, means that there is something to judge."""

    sock: socket.socket
    code: int
    began_s: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether connect itself said how it ended, as it does on loopback."""
        return self.code != errno.EINPROGRESS


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the far host answered, and how soon. `accepted` is False for a reset."""

    accepted: bool
    rtt_s: float
    stamps: Stamps


def connect(address: IpAddress, port: int, pin: Pin) -> Connecting | Refusal:
    """Sends a SYN. A refusal is of our own kernel; the far side's are left to `judge`."""
    try:
        sock = pinned_socket(family_of(address), socket.SOCK_STREAM, 0, pin)
    except OSError as error:
        return refusal_of(error, pin)
    connecting = Connecting(sock, 0)
    try:
        connecting.code = sock.connect_ex(socket_address(address, port, pin))
    except OSError as error:  # a scope that is gone
        connecting.code = error.errno or errno.EINVAL
    if connecting.code in (0, errno.EINPROGRESS, *_RESET):
        return connecting
    sock.close()
    return refusal_of(OSError(connecting.code, ""), pin)


def judge(connecting: Connecting) -> Handshake | None:
    """What became of it; None for silence: unreachable, timed out, rejected by a router, or a second SYN."""
    outside_s = time.monotonic() - connecting.began_s
    code = connecting.code if connecting.over else connecting.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code not in (0, *_RESET):
        return None
    info = connecting.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(info) < _TCP_INFO.size:  # a kernel that tells less
        return Handshake(code == 0, outside_s, Stamps.USER)
    rtt_us, retransmits, heard = _TCP_INFO.unpack(info)
    if retransmits or not heard:
        return None
    if code == 0 and 0 < rtt_us <= outside_s * 1e6:
        return Handshake(True, rtt_us / 1e6, Stamps.KERNEL)
    return Handshake(code == 0, outside_s, Stamps.USER)
