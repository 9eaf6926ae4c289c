"""Puts numbered packets on the pinned way and gathers what answers them.

Raw sockets that send whole packets: the kernel picks the way by its rules, with the source the socket is bound to, and
does not hold a packet back for what it believes of the path's MTU. Never more than `MOST_PACKETS`, never faster than
`_RATE_BPS`, never after the deadline.
"""

import errno
import secrets
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from probes.diagnosis.neighbour import icmp6_filter
from probes.diagnosis.packets import Flow, Protocol, Question, Said, build, read
from probes.errors import PeerError, ProbeError
from probes.packets import stamp
from probes.packets.stamp_tlv import read_class_of_service
from probes.path_document import MOST_PACKETS, Kind, Order
from probes.prober import Pin, Refusal, family_of, pinned_socket, refusal_of, socket_address

DIRECT_TTL = 64

_RATE_BPS = 1_000_000
"""1 Mbit/s, 12 ms a full packet: a slow line's users feel no burst."""

_IP_TOS, _IP_MTU_DISCOVER, _IP_RECVTOS = 1, 10, 13
_IPV6_MTU_DISCOVER, _IPV6_RECVTCLASS, _IPV6_TCLASS = 23, 66, 67
_PMTUDISC_PROBE = 3
_SOL_RAW, _ICMP_FILTER = 255, 1


class Exhausted(ProbeError):
    """No more packets, or no more time."""


class Unsendable(ProbeError):
    """The kernel will not send."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Answer:
    question: Question
    kind: Kind
    by: str | None
    """None: our own kernel."""
    rtt_s: float | None
    dscp_seen: int | None = None
    ttl_quoted: int | None = None
    mtu: int | None = None
    came_back: int | None = None
    """The code point of the answer itself, where we asked for it."""


class Wire:
    """Opened with its sockets; `close` lets go. Raises OSError, PermissionError without CAP_NET_RAW."""

    def __init__(self, order: Order, *, deadline_s: float) -> None:
        self._target, self._deadline_s = ip_address(order.target), deadline_s
        self.pin = Pin(None if order.source is None else ip_address(order.source), order.interface)
        self._to = socket_address(self._target, 0, self.pin)
        self.source = ip_address(_source(order, self.pin))
        self.local_mtu = 0
        """Of the interface that packets leave by; set by whoever knows."""
        pin, family = Pin(self.source, order.interface), family_of(self._target)
        self._udp = pinned_socket(family, socket.SOCK_DGRAM, 0, pin)
        self._icmp = pinned_socket(
            family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP, pin
        )
        self._raw = pinned_socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW, pin)
        _tune(self._udp, self._icmp, self._raw)
        port = self._udp.getsockname()[1]
        source, target = _unscoped(self.source), _unscoped(self._target)
        self.flow = Flow(source, target, port, order.udp_port, secrets.randbits(16), order.dscp)
        self.questions: dict[int, Question] = {}
        self.answers: dict[int, Answer] = {}
        self.bytes = 0
        self._sent_s: dict[int, float] = {}
        self._free_s = 0.0
        self._heard: list[tuple[bool, bytes, Any, int | None, float]] = []

    def close(self) -> None:
        for sock in (self._udp, self._icmp, self._raw):
            sock.close()

    def ask(self, protocol: Protocol, ttl: int, size: int) -> Question:
        """Sends one packet, when the rate allows. Raises Exhausted, Unsendable."""
        if len(self.questions) >= MOST_PACKETS:
            raise Exhausted(f"{MOST_PACKETS} packets sent")
        question = Question(len(self.questions) + 1, protocol, ttl, size)
        packet = build(self.flow, question)
        self._listen_until(self._free_s, lambda: False)
        self._free_s = time.monotonic() + size * 8 / _RATE_BPS
        self._sent_s[question.number] = time.monotonic()
        self._send(question, packet)
        self.questions[question.number] = question
        return question

    def listen(self, patience_s: float, done: Callable[[], bool]) -> None:
        """Until everything is heard that was waited for. Raises Exhausted at the deadline."""
        self._listen_until(time.monotonic() + patience_s, done)

    def reached(self, question: Question) -> Answer | None:
        """The target's own answer."""
        answer = self.answers.get(question.number)
        return answer if answer is not None and answer.by == self.flow.target else None

    # ── sockets ────────────────────────────────────────────────────────────────────────────────────────
    def _send(self, question: Question, packet: bytes) -> None:
        try:
            self._raw.sendto(packet, self._to)
            self.bytes += len(packet)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self.answers[question.number] = Answer(question, Kind.TOO_BIG, None, None, mtu=self.local_mtu)
            elif (refusal := refusal_of(error, self.pin)) is not Refusal.NO_BUFFERS:
                raise Unsendable(refusal) from error

    def _listen_until(self, until_s: float, done: Callable[[], bool]) -> None:
        """Times of arrival are taken before anything is dissected, which costs a millisecond each."""
        until_s = min(until_s, self._deadline_s)
        while True:
            self._digest()
            left_s = until_s - time.monotonic()
            if done() or left_s <= 0:
                break
            ready, _, _ = select.select([self._udp, self._icmp], (), (), left_s)
            for sock in ready:
                self._drain(sock)
        if time.monotonic() >= self._deadline_s:
            raise Exhausted("no more time")

    def _drain(self, sock: socket.socket) -> None:
        while True:
            try:
                data, control, _, address = sock.recvmsg(65536, 64)
            except OSError:
                return  # nothing more; or an error of an earlier packet, which its own ICMP tells better
            self._heard.append((sock is self._udp, data, address, _traffic_class(control), time.monotonic()))

    def _digest(self) -> None:
        heard, self._heard = self._heard, []
        for is_udp, data, address, traffic_class, at_s in heard:
            by = address[0].partition("%")[0]
            if not is_udp:
                self._note(read(data, self.flow, self.questions.values()), by, at_s)
            elif by == self.flow.target and address[1] == self.flow.udp_port:
                self._note_udp(data, by, at_s, None if traffic_class is None else traffic_class >> 2)

    # ── answers ────────────────────────────────────────────────────────────────────────────────────────
    def _note(self, said: Said | None, by: str, at_s: float, came_back: int | None = None) -> None:
        """The first answer to a packet counts; only the target can have received an echo request."""
        question = None if said is None else self.questions.get(said.number)
        if said is None or question is None or question.number in self.answers:
            return
        if said.kind is Kind.ECHO_REPLY and (by != self.flow.target or question.protocol is not Protocol.ICMP):
            return
        rtt_s = at_s - self._sent_s[question.number]
        self.answers[question.number] = Answer(
            question, said.kind, by, rtt_s, said.dscp_seen, said.ttl_quoted, said.mtu, came_back
        )

    def _note_udp(self, data: bytes, by: str, at_s: float, came_back: int | None) -> None:
        try:
            number = stamp.decode_reply(data).request.sequence
        except PeerError:
            number = 0
        question = self.questions.get(number)
        if question is not None and question.protocol is Protocol.UDP:
            seen = read_class_of_service(data[stamp.SIZE :])
            said = Said(Kind.STAMP_REPLY, number, None if seen is None else seen.received_dscp)
            self._note(said, by, at_s, None if seen is None or seen.refused else came_back)
            return
        for question in self.questions.values():
            if question.protocol is Protocol.UDP and question.ttl == DIRECT_TTL:
                self.answers.setdefault(question.number, Answer(question, Kind.UDP_REPLY, by, None))


def _source(order: Order, pin: Pin) -> str:
    """The one pinned, or the one the kernel would choose. Raises OSError."""
    if order.source is not None:
        return order.source
    target = ip_address(order.target)
    with pinned_socket(family_of(target), socket.SOCK_DGRAM, 0, pin) as asking:
        asking.connect(socket_address(target, order.udp_port, pin))
        return str(asking.getsockname()[0])


def _tune(udp: socket.socket, icmp: socket.socket, raw: socket.socket) -> None:
    if raw.family == socket.AF_INET6:
        raw.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE)
        udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVTCLASS, 1)
        icmp.setsockopt(socket.IPPROTO_ICMPV6, 1, icmp6_filter(1, 2, 3, 129))
        return
    raw.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE)
    udp.setsockopt(socket.IPPROTO_IP, _IP_RECVTOS, 1)
    icmp.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFF_FFFF & ~(1 << 0 | 1 << 3 | 1 << 11)))


def _traffic_class(control: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in control:
        if (level, kind) in ((socket.IPPROTO_IP, _IP_TOS), (socket.IPPROTO_IPV6, _IPV6_TCLASS)):
            return int.from_bytes(data, sys.byteorder) & 0xFF
    return None


def _unscoped(address: object) -> str:
    return str(address).partition("%")[0]
