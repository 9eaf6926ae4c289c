"""ICMP echo, IPv4 and IPv6: the cheapest question any host may answer.

A raw socket by preference: in a fresh network namespace `ping_group_range` is "1 0", which refuses datagram ICMP even
to root. Every raw ICMP socket is offered every reply of the host, so a filter in the kernel keeps the others' away from
us; one connected to its target is not even offered those of other targets. Without CAP_NET_RAW the datagram kind is
tried. Answers are known by a random token in their payload, not by numbers anybody can guess.
"""

import ctypes
import secrets
import socket
import struct
from typing import Literal

from probes.errors import PeerError
from probes.kernel_time import Received, Sent, round_trip_s
from probes.packets import icmp
from probes.prober import (
    Answered,
    Heard,
    Pin,
    PinnedDatagrams,
    Prober,
    Refusal,
    TargetSettings,
    family_of,
    pinned_socket,
)

_SO_ATTACH_FILTER = 26


class IcmpTarget(TargetSettings):
    """A host that answers ping."""

    kind: Literal["icmp"] = "icmp"

    @property
    def label(self) -> str:
        return f"icmp {self.address}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return IcmpProber(self, pin, heard)


class IcmpProber:
    def __init__(self, target: IcmpTarget, pin: Pin, heard: Heard) -> None:
        self._heard, self._pin = heard, pin
        self._v6 = target.address.version == 6
        self._family = family_of(target.address)
        self._ident = secrets.randbits(16)
        self._echoes = icmp.NumberedEchoes(self._ident, secrets.token_bytes(icmp.TOKEN_SIZE), v6=self._v6)
        self._with_header = False  # raw IPv4 sockets, and only they, see the IP header
        self._sent: dict[int, Sent] = {}
        self._datagrams = PinnedDatagrams(target.address, 0, pin, self._open, self._arrived)

    def send(self, number: int) -> Refusal | None:
        sent = self._datagrams.send(self._echoes.request(number))
        if isinstance(sent, Refusal):
            return sent
        self._sent[number] = sent
        return None

    def forget(self, number: int) -> None:
        self._sent.pop(number, None)

    def close(self) -> None:
        self._datagrams.close()

    def _open(self) -> socket.socket:
        protocol = socket.IPPROTO_ICMPV6 if self._v6 else socket.IPPROTO_ICMP
        try:
            sock = pinned_socket(self._family, socket.SOCK_RAW, protocol, self._pin)
        except PermissionError:
            self._with_header = False
            return pinned_socket(self._family, socket.SOCK_DGRAM, protocol, self._pin)
        self._with_header = not self._v6
        _attach(sock, icmp.reply_filter(self._ident, v6=self._v6))
        return sock

    def _arrived(self, received: Received) -> None:
        try:
            number = self._echoes.number_of(icmp.message_of(received.data) if self._with_header else received.data)
        except PeerError:
            return
        sent = None if number is None else self._sent.pop(number, None)
        if number is not None and sent is not None:
            self._heard(number, Answered(*round_trip_s(sent, received)))


def _attach(sock: socket.socket, program: bytes) -> None:
    """SO_ATTACH_FILTER takes a count and a pointer; what it points at must live until the call is done."""
    instructions = ctypes.create_string_buffer(program, len(program))
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    )
