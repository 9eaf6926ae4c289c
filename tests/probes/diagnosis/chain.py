"""A way of four hops in namespaces of the test's own, IPv4 and IPv6:

    edge ── router ── isp ──(middle)── core ── far
    10.77.0.11  .1    100.64.1.1       172.31.0.2  198.51.100.20
    fd00:77::11 ::1   fd00:64::1       fd00:31::2  fd00:20::20

The calling thread moves into the edge and back out. The middle is a relay of frames which may lose those that are too
large, change code points, or carry nothing. Nothing else is doubled: routers are the kernel's, with its rate limits.
"""

import ctypes
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select

from lab.offload import switch_off_offloads
from probes.packets.icmp import checksum

ROUTER, ISP, CORE, FAR = "10.77.0.1", "100.64.1.1", "172.31.0.2", "198.51.100.20"
EDGE, OTHER_EDGE = "10.77.0.11", "10.77.0.12"
ROUTER6, ISP6, CORE6, FAR6 = "fd00:77::1", "fd00:64::1", "fd00:31::2", "fd00:20::20"
EDGE6 = "fd00:77::11"

_CLONE_NEWNET = 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)

_NODES = {
    "edge": f"""
        addr add {EDGE}/24 dev lan
        addr add {OTHER_EDGE}/24 dev lan
        addr add {EDGE6}/64 dev lan nodad
        route add default via {ROUTER}
        route add default via {ROUTER6}
    """,
    "router": f"""
        addr add {ROUTER}/24 dev lan
        addr add {ROUTER6}/64 dev lan nodad
        addr add 100.64.1.2/24 dev wan
        addr add fd00:64::2/64 dev wan nodad
        route add default via {ISP}
        route add default via {ISP6}
    """,
    "isp": f"""
        addr add {ISP}/24 dev access
        addr add {ISP6}/64 dev access nodad
        addr add 172.31.0.1/24 dev net
        addr add fd00:31::1/64 dev net nodad
        route add 10.77.0.0/24 via 100.64.1.2
        route add fd00:77::/64 via fd00:64::2
        route add default via {CORE}
        route add default via {CORE6}
    """,
    "middle": "",
    "core": f"""
        addr add {CORE}/24 dev net
        addr add {CORE6}/64 dev net nodad
        addr add 198.51.100.1/24 dev ix
        addr add fd00:20::1/64 dev ix nodad
        route add default via 172.31.0.1
        route add default via fd00:31::1
    """,
    "far": f"""
        addr add {FAR}/24 dev ix
        addr add {FAR6}/64 dev ix nodad
        route add default via 198.51.100.1
        route add default via fd00:20::1
    """,
}
_CABLES = (
    ("edge", "lan", "router", "lan"),
    ("router", "wan", "isp", "access"),
    ("isp", "net", "middle", "left"),
    ("middle", "right", "core", "net"),
    ("core", "ix", "far", "ix"),
)


@dataclass(slots=True)
class Chain:
    """`largest_bytes` of an IP packet, `bleach_to` a code point, `no_udp`: of what the middle carries outwards."""

    namespaces: dict[str, int]
    largest_bytes: int = 65535
    bleach_to: int | None = None
    no_udp: bool = False
    cut: bool = False
    ends: tuple[socket.socket, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)

    def ip(self, node: str, *commands: str) -> None:
        """Each command by `ip` inside a node."""
        with self.inside(node):
            for command in commands:
                subprocess.run(["ip", *command.split()], check=True, capture_output=True)

    @contextmanager
    def inside(self, node: str) -> Iterator[None]:
        """What is opened here is this node's, and stays it."""
        _move(self.namespaces[node])
        try:
            yield
        finally:
            _move(self.namespaces["edge"])

    def relay(self) -> None:
        left, right = self.ends
        while not self.stop.is_set():
            for end in select([left, right], (), (), 0.05)[0]:
                frame = end.recv(65535)
                if self.cut or (end is left and self._is_lost(frame)):
                    continue
                (right if end is left else left).send(self._marked(frame) if end is left else frame)

    def _is_lost(self, frame: bytes) -> bool:
        return len(frame) - 14 > self.largest_bytes or (self.no_udp and is_udp(frame))

    def _marked(self, frame: bytes) -> bytes:
        return frame if self.bleach_to is None else marked(frame, self.bleach_to)


def is_udp(frame: bytes) -> bool:
    protocol_at = {0x0800: 23, 0x86DD: 20}.get(int.from_bytes(frame[12:14], "big"))
    return protocol_at is not None and frame[protocol_at] == socket.IPPROTO_UDP


def marked(frame: bytes, dscp: int) -> bytes:
    """An Ethernet frame with another code point, and the checksum right."""
    ethertype = int.from_bytes(frame[12:14], "big")
    if ethertype == 0x0800:
        header = bytearray(frame[14:34])
        header[1], header[10:12] = dscp << 2, b"\0\0"
        header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
        return frame[:14] + bytes(header) + frame[34:]
    if ethertype == 0x86DD:
        (first,) = struct.unpack_from("!I", frame, 14)
        return frame[:14] + struct.pack("!I", first & ~(0xFC << 20) | dscp << 22) + frame[18:]
    return frame


@contextmanager
def chain() -> Iterator[Chain]:
    """Needs CAP_SYS_ADMIN."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    made = Chain({})
    try:
        for node in _NODES:
            _check(_libc.unshare(_CLONE_NEWNET))
            made.namespaces[node] = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            _prepare()
        _build(made)
        relay = threading.Thread(target=made.relay)
        relay.start()
        try:
            yield made
        finally:
            made.stop.set()
            relay.join()
    finally:
        _move(home)
        for held in (home, *made.namespaces.values()):
            os.close(held)
        for end in made.ends:
            end.close()


def _build(made: Chain) -> None:
    for a, a_name, b, b_name in _CABLES:
        _move(made.namespaces[a])
        there = f"/proc/{os.getpid()}/fd/{made.namespaces[b]}"
        _batch(f"link add {a_name} type veth peer name {b_name} netns {there}")
    for node, lines in _NODES.items():
        _move(made.namespaces[node])
        cables = [name for a, a_name, b, b_name in _CABLES for at, name in ((a, a_name), (b, b_name)) if at == node]
        _batch("\n".join(["link set lo up", *(f"link set {name} up" for name in cables)]))
        _batch("\n".join(map(str.strip, lines.strip().splitlines())))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for name in cables:
                switch_off_offloads(control, name)
        if node == "middle":
            made.ends = (_raw_end("left"), _raw_end("right"))
    _move(made.namespaces["edge"])


def _prepare() -> None:
    """Of the namespace just made. Addresses are used at once, without looking for duplicates."""
    for key, value in (
        ("ipv4/ip_forward", "1"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv6/conf/all/accept_dad", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
    ):
        Path("/proc/sys/net", key).write_text(value, encoding="ascii")


def _batch(script: str) -> None:
    if script:
        subprocess.run(["ip", "-batch", "-"], input=script, text=True, check=True, capture_output=True)


def _raw_end(name: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    end.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
    end.bind((name, 3))
    return end


def _move(namespace: int) -> None:
    _check(_libc.setns(namespace, _CLONE_NEWNET))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
