"""The far side of STAMP (RFC 8762): a session-reflector to run in the NOC or beside the platform.

    python -m probes.stamp_reflector --listen 0.0.0.0:862 [--key-file FILE]

A public door. It answers one packet with one of the same size, never more; it never answers an answer to its own, so
no other reflector can be set on it; it keeps a bounded table of sessions, and beyond that answers without state; and it
has a rate it does not pass. Of the TLVs of RFC 8972 it fills Class of Service, and marks its reply as asked there.
"""

import argparse
import asyncio
import logging
import socket
import struct
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import structlog

from probes.errors import MisuseError, PeerError
from probes.kernel_time import Address, Ancillary, Received, StampedSocket
from probes.packets import stamp, stamp_tlv
from probes.packets.ntp_time import to_ntp

log = structlog.get_logger()

# linux/in.h, linux/in6.h: not all of these have names in Python.
_IP_PKTINFO, _IP_RECVTTL, _IP_TTL = 8, 12, 2
_IP_TOS, _IP_RECVTOS = 1, 13
_IPV6_RECVPKTINFO, _IPV6_PKTINFO, _IPV6_RECVHOPLIMIT, _IPV6_HOPLIMIT = 49, 50, 51, 52
_IPV6_RECVTCLASS, _IPV6_TCLASS = 66, 67
_ASKED_OF_EACH_PACKET = {
    socket.AF_INET: (socket.IPPROTO_IP, (_IP_PKTINFO, _IP_RECVTTL, _IP_RECVTOS)),
    socket.AF_INET6: (socket.IPPROTO_IPV6, (_IPV6_RECVPKTINFO, _IPV6_RECVHOPLIMIT, _IPV6_RECVTCLASS)),
}
_TTL = ((socket.IPPROTO_IP, _IP_TTL), (socket.IPPROTO_IPV6, _IPV6_HOPLIMIT))
_TOS = ((socket.IPPROTO_IP, _IP_TOS), (socket.IPPROTO_IPV6, _IPV6_TCLASS))
_IN_PKTINFO = struct.Struct("@i4s4s")

_TTL_NOT_KNOWN = 255  # RFC 8762 section 4.3.1
_CLOCK_ERROR = stamp.error_estimate(0.001)
_DSCP_PERMITTED = range(48)  # from 48 on it is the network's own control traffic, which nobody may have us send


@dataclass(slots=True)
class Tally:
    answered: int = 0
    garbage: int = 0
    over_rate: int = 0
    unsent: int = 0


class Sessions:
    """Next reflector sequence number per session, for a bounded number of sessions.

    A session is a sender's address, port and SSID (RFC 8972). A full table forgets only sessions idle for `idle_s`: a
    flood of forged addresses gets stateless answers, and cannot push out a session that is measuring.
    """

    def __init__(self, most: int, idle_s: float) -> None:
        self._most, self._idle_s = most, idle_s
        self._next: OrderedDict[tuple[str, int, int], tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._next)

    def number(self, session: tuple[str, int, int], now_s: float) -> int | None:
        """The sequence number of this session's next answer, or None if there is no room for the session."""
        known = self._next.pop(session, None)
        if known is None:
            self._forget_idle(now_s)
            if len(self._next) >= self._most:
                return None
        sequence = known[0] if known else 0
        self._next[session] = ((sequence + 1) & 0xFFFF_FFFF, now_s)
        return sequence

    def _forget_idle(self, now_s: float) -> None:
        while self._next and next(iter(self._next.values()))[1] <= now_s - self._idle_s:
            self._next.popitem(last=False)


class Allowance:
    """A token bucket: `rate_hz` a second, a tenth of a second's worth at once."""

    def __init__(self, rate_hz: float, now_s: float) -> None:
        self._rate_hz, self._most = rate_hz, max(1.0, rate_hz / 10)
        self._left, self._at_s = self._most, now_s

    def take(self, now_s: float) -> bool:
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate_hz)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Reflector:
    """A bound reflector on the running loop; `close` ends it. Raises MisuseError if it cannot have its address."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        key: bytes | None = None,
        max_sessions: int = 1024,
        idle_s: float = 900.0,
        max_rate_hz: float = 5000.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally()
        self._key, self._monotonic = key, monotonic
        self._sessions = Sessions(max_sessions, idle_s)
        self._allowance = Allowance(max_rate_hz, monotonic())
        bound = _bound_socket(host, port)
        self.address: Address = bound.getsockname()
        self._socket = StampedSocket(bound, self._reflect, transmit=False)

    def close(self) -> None:
        self._socket.close()

    def _reflect(self, packet: Received) -> None:
        now_s = self._monotonic()
        if not self._allowance.take(now_s):
            self.tally.over_rate += 1
            return
        try:
            request = stamp.decode_request(packet.data, self._key)
        except PeerError as error:
            self._drop(packet, str(error))
            return
        if stamp.answers_a_packet_of(packet.data, to_ntp(packet.user_ns), self._key):
            self._drop(packet, "the answer to one of ours")
            return
        self._answer(packet, request, now_s)

    def _answer(self, packet: Received, request: stamp.Request, now_s: float) -> None:
        number = self._sessions.number((packet.address[0], packet.address[1], request.ssid), now_s)
        sequence = request.sequence if number is None else number
        tail, dscp = self._tail(packet, request.sequence, sequence)
        reply = stamp.Reply(
            sequence=sequence,
            sent=to_ntp(time.time_ns()),
            error=_CLOCK_ERROR,
            received=to_ntp(packet.kernel_ns or packet.user_ns),
            request=request,
            request_ttl=_told(packet.control, _TTL, _TTL_NOT_KNOWN),
        )
        control = _from_where_it_was_sent_to(packet.control)
        if dscp is not None:
            control.append(_marked(dscp, v6=len(packet.address) == 4))
        try:
            self._socket.send(stamp.encode_reply(reply, self._key) + tail, packet.address, control)
        except OSError as error:
            self.tally.unsent += 1
            log.debug("reflector_cannot_answer", peer=packet.address[0], error=str(error))
        else:
            self.tally.answered += 1

    def _tail(self, packet: Received, asked: int, answer: int) -> tuple[bytes, int | None]:
        """What follows the fixed layout of the reply, and the DSCP to send it with."""
        tail = packet.data[stamp.SIZE if self._key is None else stamp.AUTHENTICATED_SIZE :]
        if not tail:
            return tail, None
        return stamp_tlv.reflect(
            tail,
            _told(packet.control, _TOS, 0),
            permitted=_DSCP_PERMITTED,
            asked=None if self._key is None else stamp_tlv.Seal(self._key, asked),
            answer=None if self._key is None else stamp_tlv.Seal(self._key, answer),
        )

    def _drop(self, packet: Received, why: str) -> None:
        self.tally.garbage += 1
        log.debug("reflector_drops", peer=packet.address[0], why=why)


async def reflect(
    host: str,
    port: int = stamp.PORT,
    *,
    key: bytes | None = None,
    max_sessions: int = 1024,
    idle_s: float = 900.0,
    max_rate_hz: float = 5000.0,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Reflects on an IP address and UDP port until cancelled. With `key` only packets signed with it are answered.

    Raises MisuseError if the address cannot be had. T2 is the kernel's time of arrival.
    """
    reflector = Reflector(
        host, port, key=key, max_sessions=max_sessions, idle_s=idle_s, max_rate_hz=max_rate_hz, monotonic=monotonic
    )
    log.info("reflector_listens", host=reflector.address[0], port=reflector.address[1], authenticated=key is not None)
    try:
        await asyncio.Event().wait()
    finally:
        reflector.close()


def listen_address(text: str) -> tuple[str, int]:
    """ADDRESS:PORT, an IPv6 address in brackets. Raises ArgumentTypeError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
        number = int(port)
    except ValueError:
        number = -1
    if not colon or not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT, such as 0.0.0.0:862 or [::]:862")
    return str(address), number


def _bound_socket(host: str, port: int) -> socket.socket:
    try:
        address = ip_address(host)
    except ValueError as error:
        raise MisuseError(f"reflector: {host!r} is not an IP address") from error
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        level, options = _ASKED_OF_EACH_PACKET[family]
        for option in options:
            sock.setsockopt(level, option, 1)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise MisuseError(f"reflector: cannot listen on {host} port {port}: {error}") from error
    return sock


def _told(control: Ancillary, kinds: tuple[tuple[int, int], ...], otherwise: int) -> int:
    """One number of the packet's IP header, as the kernel tells it: one byte or an int, by kind."""
    for level, kind, data in control:
        if (level, kind) in kinds:
            return int.from_bytes(data[:4], sys.byteorder) & 0xFF
    return otherwise


def _marked(dscp: int, *, v6: bool) -> tuple[int, int, bytes]:
    level, kind = _TOS[v6]
    return level, kind, struct.pack("@i", dscp << 2)


def _from_where_it_was_sent_to(control: Ancillary) -> Ancillary:
    """Makes an answer leave from the address its question came to, which a wildcard socket would not."""
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            _, ours, _ = _IN_PKTINFO.unpack(data)
            return [(level, kind, _IN_PKTINFO.pack(0, ours, bytes(4)))]
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            return [(level, kind, data)]
    return []


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m probes.stamp_reflector", description="STAMP session-reflector, RFC 8762"
    )
    parser.add_argument("--listen", type=listen_address, default=("0.0.0.0", stamp.PORT), metavar="ADDRESS:PORT")
    parser.add_argument("--key-file", type=Path, help="answer only packets signed with the key in this file")
    arguments = parser.parse_args()
    # A public door must not write a line for every packet it drops.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        key = arguments.key_file.read_bytes().strip() if arguments.key_file else None
        asyncio.run(reflect(*arguments.listen, key=key))
    except (OSError, MisuseError) as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
