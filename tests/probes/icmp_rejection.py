"""A router of the test's own: it answers a SYN with ICMP "port unreachable", as firewalls reject by default."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.probes.own_network import own_network

FAR = {4: "192.0.2.30", 6: "2001:db8::30"}
NEAR = {4: "192.0.2.1", 6: "2001:db8::1"}
_CABLE = (
    "link add fiber0 type veth peer name far0",
    f"address add {NEAR[4]}/24 dev fiber0",
    f"address add {NEAR[6]}/64 dev fiber0 nodad",
    "link set fiber0 up",
    "link set far0 up",
    f"neighbour add {FAR[4]} lladdr 02:00:00:00:00:30 dev fiber0",
    f"neighbour add {FAR[6]} lladdr 02:00:00:00:00:30 dev fiber0",
)
_ETH_P_ALL = 0x0003
_TCP = 6


@dataclass
class Router:
    """`FAR` lies behind it and nobody answers there but this router."""

    version: int
    tap: socket.socket

    def reject_the_syn(self) -> None:
        packet = self.tap.recv(2048)
        while packet[0] >> 4 != self.version or packet[9 if self.version == 4 else 6] != _TCP:
            packet = self.tap.recv(2048)
        if self.version == 4:
            self._send(socket.AF_INET, socket.IPPROTO_ICMP, 3, 3, packet[:28])
        else:
            self._send(socket.AF_INET6, socket.IPPROTO_ICMPV6, 1, 4, packet)

    def _send(self, family: int, protocol: int, kind: int, code: int, quoted: bytes) -> None:
        message = struct.pack(">BBHI", kind, code, 0, 0) + quoted
        if self.version == 4:
            total = sum(struct.unpack(f">{len(message) // 2}H", message))
            total = (total >> 16) + (total & 0xFFFF)
            message = message[:2] + struct.pack(">H", 0xFFFF - (total >> 16) - (total & 0xFFFF)) + message[4:]
        with socket.socket(family, socket.SOCK_RAW, protocol) as raw:  # the kernel sums ICMPv6
            raw.sendto(message, (NEAR[self.version], 0))


@contextmanager
def rejecting_router(version: int) -> Iterator[Router]:
    with own_network(*_CABLE), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)) as tap:
        tap.bind(("far0", _ETH_P_ALL))
        tap.settimeout(5)
        yield Router(version, tap)
