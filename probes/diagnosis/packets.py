"""Packets of the diagnosis, made and read by scapy: a UDP datagram that is a STAMP request (RFC 8762), or an echo
request; and what ICMP and ICMPv6 say about them.

A packet is known again by its number: in the echo sequence; in the STAMP sequence, where the answer quotes so much; in
IPv4's identification; and at last by its UDP length, which is no two packets' of a walk, for some translators write a
new identification, and old routers quote 8 bytes (RFC 792). All packets are one flow for routers that spread load over
several ways: ports are the same, and so is the checksum of echo requests.
"""

import logging
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

logging.getLogger("scapy").setLevel(logging.ERROR)  # it warns of a missing IPv6 route, of a missing libpcap, …

from scapy import VERSION  # noqa: E402
from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPerror6,
    IPv6,
)
from scapy.packet import Raw  # noqa: E402

from probes.packets import stamp  # noqa: E402
from probes.packets.stamp_tlv import class_of_service, extra_padding  # noqa: E402
from probes.path_document import Kind  # noqa: E402

SCAPY_VERSION = str(VERSION)

_QUOTED = 128  # the least an ICMP error carries where anything follows the quote (RFC 4884 section 5.1)
_UDP_HEADER, _IPV4_HEADER, _IPV6_HEADER = 8, 20, 40

_LEAST_PADDING = 4

_UNREACHABLE = {
    **dict.fromkeys((0, 6, 11), Kind.NET_UNREACHABLE),
    **dict.fromkeys((1, 7, 12), Kind.HOST_UNREACHABLE),
    **dict.fromkeys((9, 10, 13), Kind.PROHIBITED),
    3: Kind.PORT_UNREACHABLE,
    4: Kind.TOO_BIG,
}
_UNREACHABLE_V6 = {
    0: Kind.NET_UNREACHABLE,
    1: Kind.PROHIBITED,
    2: Kind.NET_UNREACHABLE,
    3: Kind.HOST_UNREACHABLE,
    4: Kind.PORT_UNREACHABLE,
    5: Kind.PROHIBITED,
    6: Kind.NET_UNREACHABLE,  # "reject route"
}


class Protocol(StrEnum):
    UDP = "udp"
    ICMP = "icmp"


@dataclass(frozen=True, slots=True)
class Flow:
    """What all packets of one diagnosis share. Addresses without a scope."""

    source: str
    target: str
    source_port: int
    udp_port: int
    ident: int
    """Of echo requests."""
    dscp: int

    @property
    def v6(self) -> bool:
        return ":" in self.target


@dataclass(frozen=True, slots=True)
class Question:
    number: int
    """1 to 65535."""
    protocol: Protocol
    ttl: int
    size: int
    """Of the whole IP packet, in bytes."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer read, and what it told of the packet it answers."""

    kind: Kind
    number: int
    dscp_seen: int | None = None
    ttl_quoted: int | None = None
    mtu: int | None = None


def smallest(flow: Flow) -> int:
    """Bytes of the smallest packet that can be asked for, both protocols."""
    return headers(flow) + stamp.SIZE + len(class_of_service(0)) + _LEAST_PADDING


def headers(flow: Flow) -> int:
    return (_IPV6_HEADER if flow.v6 else _IPV4_HEADER) + _UDP_HEADER


def build(flow: Flow, question: Question) -> bytes:
    """The whole IP packet; IPv4 with the don't-fragment bit."""
    room = question.size - headers(flow)
    body = _stamp(flow, question, room) if question.protocol is Protocol.UDP else _echo(flow, question, room)
    return bytes(_network(flow, question) / body)


def read(message: bytes, flow: Flow, asked: Iterable[Question]) -> Said | None:
    """What one ICMP packet (IPv4: with its IP header; IPv6: without, as raw sockets give them) says about one of
    `asked`; None where it says nothing of them.
    """
    try:
        return _read_v6(message, flow, asked) if flow.v6 else _read_v4(message, flow, asked)
    except (struct.error, ValueError, LookupError, AttributeError, TypeError):
        return None  # cut short, or a layer is not there: scapy keeps what it cannot dissect as raw bytes


# ── making ─────────────────────────────────────────────────────────────────────────────────────────────
def _network(flow: Flow, question: Question) -> Any:
    if flow.v6:
        return IPv6(src=flow.source, dst=flow.target, hlim=question.ttl, tc=flow.dscp << 2)
    return IP(src=flow.source, dst=flow.target, ttl=question.ttl, tos=flow.dscp << 2, id=question.number, flags="DF")


def _stamp(flow: Flow, question: Question, room: int) -> Any:
    """Asks the far end to answer with the code point it was asked with (RFC 8972 section 4.4)."""
    request = stamp.encode_request(stamp.Request(question.number, 0, 1, 0)) + class_of_service(flow.dscp)
    return UDP(sport=flow.source_port, dport=flow.udp_port) / Raw(request + extra_padding(room - len(request)))


def _echo(flow: Flow, question: Question, room: int) -> Any:
    """The two bytes after the sequence are its complement, so that every number gives the same checksum."""
    filled = (0xFFFF - question.number).to_bytes(2, "big") + bytes(room - 2)
    if flow.v6:
        return ICMPv6EchoRequest(id=flow.ident, seq=question.number, data=filled)
    return ICMP(type=8, id=flow.ident, seq=question.number) / Raw(filled)


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────
def _read_v4(message: bytes, flow: Flow, asked: Iterable[Question]) -> Said | None:
    header = (message[0] & 0x0F) * 4
    said = ICMP(message[header : header + 8 + _QUOTED])
    if said.type == 0:
        return Said(Kind.ECHO_REPLY, said.seq) if said.id == flow.ident else None
    kind = Kind.TIME_EXCEEDED if (said.type, said.code) == (11, 0) else None
    if said.type == 3:
        kind = _UNREACHABLE.get(said.code)
    if kind is None:
        return None
    quote = said[IPerror]
    number = _number(quote, quote.id, quote.payload, flow, asked) if quote.dst == flow.target else None
    if number is None:
        return None
    return Said(kind, number, quote.tos >> 2, quote.ttl, said.nexthopmtu if kind is Kind.TOO_BIG else None)


def _read_v6(message: bytes, flow: Flow, asked: Iterable[Question]) -> Said | None:
    kinds = {129: ICMPv6EchoReply, 1: ICMPv6DestUnreach, 2: ICMPv6PacketTooBig, 3: ICMPv6TimeExceeded}
    said = kinds[message[0]](message[: 8 + _QUOTED])
    if message[0] == 129:
        return Said(Kind.ECHO_REPLY, said.seq) if said.id == flow.ident else None
    kind = {2: Kind.TOO_BIG, 3: None if said.code else Kind.TIME_EXCEEDED}.get(message[0])
    if message[0] == 1:
        kind = _UNREACHABLE_V6.get(said.code)
    if kind is None:
        return None
    quote = said[IPerror6]
    number = _number(quote, None, quote.payload, flow, asked) if quote.dst == flow.target else None
    if number is None:
        return None
    return Said(kind, number, quote.tc >> 2, quote.hlim, said.mtu if kind is Kind.TOO_BIG else None)


def _number(quote: Any, ident: int | None, inner: Any, flow: Flow, asked: Iterable[Question]) -> int | None:
    if not isinstance(inner, UDPerror):
        echo = inner if not flow.v6 else quote[ICMPv6EchoRequest]
        return int(echo.seq) if echo.id == flow.ident else None
    if (inner.sport, inner.dport) != (flow.source_port, flow.udp_port):
        return None
    size = inner.len - _UDP_HEADER + headers(flow)
    alike = {question.number for question in asked if question.protocol is Protocol.UDP and question.size == size}
    quoted = bytes(inner.payload)
    for number in (int.from_bytes(quoted[:4], "big") if len(quoted) >= 4 else None, ident):
        if number in alike:
            return number
    return alike.pop() if len(alike) == 1 else None
