"""Which way the kernel would take: one question to rtnetlink (RTM_GETROUTE), with the source and interface of the pin,
since rules may send every source another way. scapy's own table of routes knows no rules.
"""

import fcntl
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from probes.prober import IpAddress

_RTM_GETROUTE, _RTM_NEWROUTE, _NLM_F_REQUEST = 26, 24, 1
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_VIA = 1, 2, 4, 5, 18
_MESSAGE = struct.Struct("=IHHII")  # linux/netlink.h, struct nlmsghdr: length, type, flags, sequence, port
_ROUTE = struct.Struct("=BBBBBBBBI")  # linux/rtnetlink.h, struct rtmsg: family, destination bits, source bits, …
_ATTRIBUTE = struct.Struct("=HH")

_SIOCGIFMTU, _SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8921, 0x8913, 0x8927
_IFF_LOOPBACK, _IFF_NOARP = 0x8, 0x80
_ETHERNET = 1


@dataclass(frozen=True, slots=True)
class Route:
    interface: str
    mtu: int
    mac: str | None
    """None: no Ethernet, or one that asks for no neighbours."""
    gateway: IpAddress | None
    """None: the target is on the interface's own network."""


def route_to(target: IpAddress, source: IpAddress, interface: str | None) -> Route:
    """Raises OSError for none, and for an interface that is gone."""
    wanted = [(_RTA_DST, target.packed), (_RTA_SRC, source.packed)]
    if interface is not None:
        wanted.append((_RTA_OIF, struct.pack("=I", socket.if_nametoindex(interface))))
    found = _ask(target.version, target.max_prefixlen, wanted)
    name = socket.if_indextoname(struct.unpack("=I", found[_RTA_OIF])[0])
    via = found.get(_RTA_GATEWAY) or found.get(_RTA_VIA, b"")[2:]
    mtu, mac = _interface(name)
    return Route(name, mtu, mac, ip_address(via) if via else None)


def _ask(version: int, bits: int, wanted: list[tuple[int, bytes]]) -> dict[int, bytes]:
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    body = _ROUTE.pack(family, bits, bits, 0, 0, 0, 0, 0, 0)
    body += b"".join(_ATTRIBUTE.pack(4 + len(value), kind) + value for kind, value in wanted)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(1.0)
        netlink.send(_MESSAGE.pack(_MESSAGE.size + len(body), _RTM_GETROUTE, _NLM_F_REQUEST, 1, 0) + body)
        answer = netlink.recv(65536)
    _, kind, *_ = _MESSAGE.unpack_from(answer)
    if kind != _RTM_NEWROUTE:
        raise OSError(-struct.unpack_from("=i", answer, _MESSAGE.size)[0], "no route")
    return _attributes(answer[_MESSAGE.size + _ROUTE.size :])


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        found[kind] = data[_ATTRIBUTE.size : size]
        data = data[max(_ATTRIBUTE.size, (size + 3) & ~3) :]
    return found


def _interface(name: str) -> tuple[int, str | None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:

        def get(code: int) -> bytes:
            return fcntl.ioctl(control, code, struct.pack("16s24x", name.encode()))[16:]

        mtu, flags = struct.unpack_from("=i", get(_SIOCGIFMTU))[0], struct.unpack_from("=H", get(_SIOCGIFFLAGS))[0]
        kind, mac = struct.unpack_from("=H6s", get(_SIOCGIFHWADDR))
    silent = kind != _ETHERNET or flags & (_IFF_LOOPBACK | _IFF_NOARP)
    return mtu, None if silent else mac.hex(":")
