"""Whether the next hop is there at all: asked by ARP (RFC 826), for IPv6 by neighbour solicitation (RFC 4861).

The kernel's own table would not do: an entry there may be minutes old.
"""

import socket
import struct
from ipaddress import IPv6Address

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6, in6_getnsma, in6_getnsmac
from scapy.layers.l2 import ARP, Ether

from probes.prober import IpAddress

_ETH_P_ARP = 0x0806
_ICMP6_FILTER, _NEIGHBOUR_ADVERTISEMENT = 1, 136
_IS_AT = 2


class Neighbour:
    """Asks as often as told and hears without waiting. Raises OSError without CAP_NET_RAW."""

    def __init__(self, address: IpAddress, source: IpAddress, interface: str, mac: str) -> None:
        self.address = address
        self._source, self._interface, self._mac = source, interface, mac
        self._answered = False
        self._hears = _hears_v6(interface) if address.version == 6 else _hears_v4(interface)
        self._speaks = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        self._speaks.bind((interface, 0))

    def ask(self) -> None:
        try:
            self._speaks.send(self._solicitation() if self.address.version == 6 else self._request())
        except OSError:
            return  # the interface went down: then nothing answers

    @property
    def answered(self) -> bool:
        while not self._answered:
            try:
                data, _ = self._hears.recvfrom(2048)
            except OSError:
                return False  # nothing more to hear
            self._answered = self._is_answer(data)
        return True

    def close(self) -> None:
        self._hears.close()
        self._speaks.close()

    def _request(self) -> bytes:
        asked = ARP(op=1, hwsrc=self._mac, psrc=str(self._source), hwdst="00:00:00:00:00:00", pdst=str(self.address))
        return bytes(Ether(src=self._mac, dst="ff:ff:ff:ff:ff:ff") / asked)

    def _solicitation(self) -> bytes:
        packed = IPv6Address(int(self.address)).packed
        group = in6_getnsma(packed)
        return bytes(
            Ether(src=self._mac, dst=in6_getnsmac(packed))
            / IPv6(src=str(self._source), dst=socket.inet_ntop(socket.AF_INET6, group), hlim=255)
            / ICMPv6ND_NS(tgt=socket.inet_ntop(socket.AF_INET6, packed))
            / ICMPv6NDOptSrcLLAddr(lladdr=self._mac)
        )

    def _is_answer(self, data: bytes) -> bool:
        if self.address.version == 6:
            return len(data) >= 24 and ICMPv6ND_NA(data).tgt == str(IPv6Address(int(self.address)))
        if len(data) < 28:
            return False
        said = ARP(data)
        return bool(said.op == _IS_AT and said.psrc == str(self.address))


def _hears_v4(interface: str) -> socket.socket:
    """ARP alone, from its header on."""
    hears = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
    hears.bind((interface, _ETH_P_ARP))
    return hears


def _hears_v6(interface: str) -> socket.socket:
    hears = socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMPV6)
    hears.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    hears.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, icmp6_filter(_NEIGHBOUR_ADVERTISEMENT))
    return hears


def icmp6_filter(*passed: int) -> bytes:
    """struct icmp6_filter (RFC 3542 section 3.2): a bit set is a type kept away."""
    words = [0xFFFF_FFFF] * 8
    for kind in passed:
        words[kind >> 5] &= ~(1 << (kind & 31))
    return struct.pack("=8I", *words)
