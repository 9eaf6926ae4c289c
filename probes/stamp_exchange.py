"""One STAMP packet (RFC 8762) of a chosen size and mark, and how it fared both ways. What readiness is proven with.

Sent with "don't fragment" and whatever the kernel believes of the path (IP_PMTUDISC_PROBE, ip(7)): a remembered path
MTU is what is to be proven, not a reason. A reflector answers with as many bytes as it got, so an answer proves both
ways, unless it was put together from fragments: a kernel that learnt a smaller MTU cuts the reflector's answers up, and
ours tells (IP_RECVFRAGSIZE, Linux 4.10).
"""

import asyncio
import errno
import secrets
import socket
import struct
import sys
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from probes.errors import MisuseError, PeerError
from probes.kernel_time import Ancillary
from probes.packets import stamp, stamp_tlv
from probes.packets.error_queue import IP_RECVERR, IPV6_RECVERR, Complaint, read_error
from probes.packets.ntp_time import to_ntp
from probes.prober import IpAddress, Pin, family_of, pinned_socket, socket_address

# linux/in.h, linux/in6.h: Python names few of these.
_IP_MTU_DISCOVER, _IP_RECVFRAGSIZE, _IPV6_MTU_DISCOVER, _IPV6_RECVFRAGSIZE = 10, 25, 23, 77
_PMTUDISC_PROBE: Final = 3
_OPTIONS = {
    4: (
        (socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE),
        (socket.IPPROTO_IP, IP_RECVERR, 1),
        (socket.IPPROTO_IP, socket.IP_RECVTOS, 1),
        (socket.IPPROTO_IP, _IP_RECVFRAGSIZE, 1),
    ),
    6: (
        (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE),
        (socket.IPPROTO_IPV6, IPV6_RECVERR, 1),
        (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1),
        (socket.IPPROTO_IPV6, _IPV6_RECVFRAGSIZE, 1),
    ),
}
_MARK = {4: (socket.IPPROTO_IP, socket.IP_TOS), 6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)}
_FRAGMENT = ((socket.IPPROTO_IP, _IP_RECVFRAGSIZE), (socket.IPPROTO_IPV6, _IPV6_RECVFRAGSIZE))
_HEADERS = {4: 28, 6: 48}  # IP and UDP

_COS_BYTES, _SEAL_BYTES, _LEAST_PADDING = 8, 20, 4
_CLOCK_ERROR = stamp.error_estimate(0.001)
_ROOM_FOR_CONTROL = 512
_LARGEST = 65536
_AT_ONCE = 16
_QUOTED = 64
_SEQUENCE = struct.Struct("!I")
# Our own queue is full, or an ICMP error came in between: the next try will tell.
_PASSING = (errno.ENOBUFS, errno.EAGAIN, errno.ENOMEM, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EPROTO)


class Crossing(Enum):
    """How a packet fared."""

    BOTH_WAYS = auto()
    TOO_BIG = auto()  # somebody said so, or the answer came in fragments: no loss
    SILENT = auto()  # lost, or dropped for its size or mark: time and again
    CUT_SHORT = auto()  # answered with fewer bytes: it got there, and of the way back nothing is known
    UNSENT = auto()  # our own kernel would not


@dataclass(frozen=True, slots=True)
class Exchanged:
    crossing: Crossing
    fits_bytes: int | None = None
    """Of TOO_BIG: the IP packet that would have fitted, where that was told …"""
    spare_bytes: int = 0
    """… and this much more might: fragments are cut in steps of eight bytes."""
    cos: stamp_tlv.CosSeen | None = None
    """What the reflector says of our mark, where it knows RFC 8972."""
    dscp_back: int | None = None
    """The mark the answer arrived with."""


@dataclass(frozen=True, slots=True)
class _Asked:
    packet_bytes: int
    requests: dict[int, stamp.Request]
    answer: asyncio.Future[Exchanged]


class StampExchange:
    """One socket, one question at a time. Raises OSError if the kernel has no way there."""

    def __init__(self, target: IpAddress, port: int, pin: Pin, key: bytes | None = None) -> None:
        self.spent_bytes = 0
        """IP packets out and back so far."""
        self._version, self._key = target.version, key
        self._ssid = 1 + secrets.randbelow(0xFFFF)
        self._next = 1
        self._asked: _Asked | None = None
        self._loop = asyncio.get_running_loop()
        self._sock = pinned_socket(family_of(target), socket.SOCK_DGRAM, 0, pin)
        try:
            for level, option, value in _OPTIONS[target.version]:
                self._sock.setsockopt(level, option, value)
            self._sock.connect(socket_address(target, port, pin))
        except OSError:
            self._sock.close()
            raise
        self._loop.add_reader(self._sock.fileno(), self._read)

    @property
    def least_bytes(self) -> int:
        """The smallest IP packet that asks about its mark."""
        return _HEADERS[self._version] + self._fixed_bytes + _COS_BYTES + self._seal_bytes + _LEAST_PADDING

    async def ask(self, packet_bytes: int, *, dscp: int = 0, tries: int = 3, each_s: float = 1.0) -> Exchanged:
        """Sends an IP packet of `packet_bytes` (from `least_bytes` up to 65535) marked with `dscp`, up to `tries` times
        `each_s` apart until something is known. Raises MisuseError for a size that cannot be.
        """
        if not self.least_bytes <= packet_bytes < _LARGEST:
            raise MisuseError(f"no STAMP packet can have {packet_bytes} bytes")
        self._asked = asked = _Asked(packet_bytes, {}, self._loop.create_future())
        try:
            for _ in range(tries):
                told = self._send(asked, dscp)
                if told is not None:
                    return told
                await asyncio.wait({asked.answer}, timeout=each_s)
                if asked.answer.done():
                    return asked.answer.result()
            return Exchanged(Crossing.SILENT)
        finally:
            self._asked = None

    def close(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    @property
    def _fixed_bytes(self) -> int:
        return stamp.SIZE if self._key is None else stamp.AUTHENTICATED_SIZE

    @property
    def _seal_bytes(self) -> int:
        return 0 if self._key is None else _SEAL_BYTES

    def _send(self, asked: _Asked, dscp: int) -> Exchanged | None:
        """None if it left, else why it did not."""
        request = stamp.Request(self._next, to_ntp(time.time_ns()), _CLOCK_ERROR, self._ssid)
        self._next += 1
        asked.requests[request.sequence] = request
        self._read()  # an error of an earlier packet would be told as one of this call
        if asked.answer.done():
            return asked.answer.result()
        try:
            self._sock.sendmsg([self._packet(request, asked.packet_bytes, dscp)], [self._mark(dscp)])
        except OSError as error:
            return self._unsent(error, asked)
        self.spent_bytes += asked.packet_bytes
        return None

    def _packet(self, request: stamp.Request, packet_bytes: int, dscp: int) -> bytes:
        tlvs = stamp_tlv.class_of_service(dscp)
        if self._key is not None:
            tlvs = stamp_tlv.sealed(tlvs, stamp_tlv.Seal(self._key, request.sequence))
        left = packet_bytes - _HEADERS[self._version] - self._fixed_bytes - len(tlvs)
        return stamp.encode_request(request, self._key) + tlvs + stamp_tlv.extra_padding(left)

    def _mark(self, dscp: int) -> tuple[int, int, bytes]:
        level, option = _MARK[self._version]
        return level, option, struct.pack("@i", dscp << 2)

    def _unsent(self, error: OSError, asked: _Asked) -> Exchanged | None:
        if error.errno == errno.EMSGSIZE:  # larger than the interface's own; the error queue says how large that is
            self._read()
            return asked.answer.result() if asked.answer.done() else Exchanged(Crossing.TOO_BIG)
        return None if error.errno in _PASSING else Exchanged(Crossing.UNSENT)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                quoted, control, _, _ = self._sock.recvmsg(_QUOTED, _ROOM_FOR_CONTROL, socket.MSG_ERRQUEUE)
            except OSError:
                break
            self._complained(quoted, control)
        for _ in range(_AT_ONCE):
            try:
                data, control, _, _ = self._sock.recvmsg(_LARGEST, _ROOM_FOR_CONTROL)
            except BlockingIOError:
                return
            except OSError:  # the error just read, told once more
                continue
            self._answered(data, control)

    def _complained(self, quoted: bytes, control: Ancillary) -> None:
        error, asked = read_error(control), self._asked
        if error is None or error.complaint is not Complaint.TOO_BIG or asked is None or asked.answer.done():
            return
        if len(quoted) >= _SEQUENCE.size and _SEQUENCE.unpack_from(quoted)[0] not in asked.requests:
            return  # of an earlier question
        asked.answer.set_result(self._too_big(error.mtu_bytes, asked))

    def _too_big(self, fits_bytes: int | None, asked: _Asked, spare_bytes: int = 0) -> Exchanged:
        """RFC 8899 section 4.6.1: a size told that is not below the size sent is nonsense; nor can it be nothing."""
        if fits_bytes is None or not self.least_bytes <= fits_bytes < asked.packet_bytes:
            return Exchanged(Crossing.TOO_BIG)
        return Exchanged(Crossing.TOO_BIG, fits_bytes, spare_bytes)

    def _answered(self, data: bytes, control: Ancillary) -> None:
        packet_bytes = _HEADERS[self._version] + len(data)
        self.spent_bytes += packet_bytes
        asked = self._asked
        try:
            reply = stamp.decode_reply(data, self._key)
        except PeerError:
            return
        if asked is None or asked.answer.done() or asked.requests.get(reply.request.sequence) != reply.request:
            return
        fragment_bytes = _number(control, _FRAGMENT)
        if fragment_bytes is not None:
            asked.answer.set_result(self._too_big(fragment_bytes, asked, spare_bytes=7))
            return
        seal = None if self._key is None else stamp_tlv.Seal(self._key, reply.sequence)
        mark = _number(control, (_MARK[self._version],))
        asked.answer.set_result(
            Exchanged(
                Crossing.BOTH_WAYS if packet_bytes == asked.packet_bytes else Crossing.CUT_SHORT,
                cos=stamp_tlv.read_class_of_service(data[self._fixed_bytes :], seal),
                dscp_back=None if mark is None else (mark & 0xFF) >> 2,
            )
        )


def _number(control: Ancillary, kinds: tuple[tuple[int, int], ...]) -> int | None:
    """One byte or an int, by kind."""
    for level, kind, data in control:
        if (level, kind) in kinds:
            return int.from_bytes(data[:4], sys.byteorder)
    return None
