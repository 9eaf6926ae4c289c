"""A way of four namespaces: home, the site's router, the provider's router, the far end; in both families.

    home ── site ── provider ── far          addresses below: HOME, SITE, PROVIDER, FAR

The calling thread is at home. A socket belongs to the place where it was opened, so one loop serves both ends. To lay
the cables takes 0.15 s, and a second on a busy machine: a module's tests share one way, each within `restored`.
"""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from probes.prober import Pin, family_of
from tests.probes.own_network import own_network

HOME = {4: "10.9.1.2", 6: "fd09:1::2"}
SITE = {4: "10.9.1.1", 6: "fd09:1::1"}
PROVIDER = {4: "100.64.9.2", 6: "2001:db8:9::2"}
FAR = {4: "198.51.100.2", 6: "2001:db8:100::2"}
NOBODY = {4: "203.0.113.9", 6: "2001:db8:113::9"}
"""The provider has no route there, and says so."""
PINS = {version: Pin(source=ip_address(address)) for version, address in HOME.items()}

_CLONE_NEWNET = 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Way:
    """The namespaces, as open files. What the other methods change, the end of `restored` undoes."""

    home: int
    site: int
    provider: int
    far: int
    _undo: ExitStack = field(default_factory=ExitStack, init=False)

    @contextmanager
    def restored(self) -> Iterator[Self]:
        with self._undo:
            yield self

    @contextmanager
    def at(self, place: int) -> Iterator[None]:
        _enter(place)
        try:
            yield
        finally:
            _enter(self.home)

    def mute(self, place: int, v4_kind: str, v6_kind: str) -> None:
        """That host no longer sends such ICMP errors, named as nft does."""
        drops = f"icmp type {v4_kind} drop; icmpv6 type {v6_kind} drop;"
        self.rules(place, f"chain out {{ type filter hook output priority 0; {drops} }}")

    def rules(self, place: int, chain: str) -> None:
        self._nft(place, f"table inet test {{ {chain}; }}")
        self._undo.callback(self._nft, place, "table inet test; delete table inet test")

    def mtu(self, mtu_bytes: int) -> None:
        """What the provider's router sends on towards the far end."""
        self._size(self.provider, "link set core0 mtu {}", mtu_bytes)

    def own_mtu(self, mtu_bytes: int) -> None:
        """Of the first interface of all."""
        self._size(self.home, "link set fiber0 mtu {}", mtu_bytes)

    def narrow_back(self, mtu_bytes: int) -> None:
        """What the provider's router sends on towards home, while the other way stays as it is."""
        self._size(self.provider, "route change 10.9.1.0/24 via 100.64.9.1 mtu lock {}", mtu_bytes)
        self._size(self.provider, "route change fd09:1::/64 via 2001:db8:9::1 mtu lock {}", mtu_bytes)

    def lose_the_route(self) -> None:
        self.run(self.home, "route delete default")
        self._undo.callback(self.run, self.home, "route add default via 10.9.1.1")

    def _size(self, place: int, command: str, mtu_bytes: int) -> None:
        self.run(place, command.format(mtu_bytes))
        self._undo.callback(self._forget_sizes)
        self._undo.callback(self.run, place, command.format(1500))

    def _forget_sizes(self) -> None:
        """What both ends learnt of the path, which they would keep for ten minutes."""
        for place in (self.home, self.far):
            self.run(place, "route flush cache")
            with self.at(place):
                subprocess.run(["ip", "-6", "route", "flush", "cache"], check=True, capture_output=True)

    def _nft(self, place: int, ruleset: str) -> None:
        with self.at(place):
            subprocess.run(["nft", ruleset], check=True, capture_output=True)

    def run(self, place: int, *commands: str) -> None:
        with self.at(place):
            _ip(*commands)


@contextmanager
def routed_path() -> Iterator[Way]:
    with own_network(), ExitStack() as stack:
        home = _here(stack)
        others = []
        for _ in range(3):
            with own_network():
                others.append(_here(stack))
        way = Way(home, *others)
        _cable(way)
        for far in FAR.values():
            _wait_for(far)
        yield way


def _cable(way: Way) -> None:
    for place in (way.home, way.site, way.provider, way.far):
        with way.at(place):  # else IPv6 waits a second or two for somebody to claim its addresses
            Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
            Path("/proc/sys/net/ipv4/icmp_ratemask").write_text("0")  # one test is not to be silent for another's sake
            Path("/proc/sys/net/ipv6/icmp/ratelimit").write_text("0")
    _ip(
        "link set lo up",
        "link add fiber0 type veth peer name lan0",
        "link add wan0 type veth peer name access0",
        "link add core0 type veth peer name far0",
        *(
            f"link set {port} netns /proc/{os.getpid()}/fd/{place}"
            for port, place in (
                ("lan0", way.site),
                ("wan0", way.site),
                ("access0", way.provider),
                ("core0", way.provider),
                ("far0", way.far),
            )
        ),
    )
    for place in (way.site, way.provider):
        with way.at(place):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
    way.run(
        way.home,
        *_port("fiber0", "10.9.1.2/24", "fd09:1::2/64"),
        "route add default via 10.9.1.1",
        "route add default via fd09:1::1",
    )
    way.run(
        way.site,
        *_port("lan0", "10.9.1.1/24", "fd09:1::1/64"),
        *_port("wan0", "100.64.9.1/24", "2001:db8:9::1/64"),
        "route add default via 100.64.9.2",
        "route add default via 2001:db8:9::2",
    )
    way.run(
        way.provider,
        *_port("access0", "100.64.9.2/24", "2001:db8:9::2/64"),
        *_port("core0", "198.51.100.1/24", "2001:db8:100::1/64"),
        "route add 10.9.1.0/24 via 100.64.9.1",
        "route add fd09:1::/64 via 2001:db8:9::1",
    )
    way.run(
        way.far,
        *_port("far0", "198.51.100.2/24", "2001:db8:100::2/64"),
        "route add default via 198.51.100.1",
        "route add default via 2001:db8:100::1",
    )


def _wait_for(far: str) -> None:
    """Until a refusal comes back from there: on a busy machine the kernel takes up to a second to see a cable."""
    with socket.socket(family_of(ip_address(far)), socket.SOCK_DGRAM) as sock:
        sock.connect((far, 9))
        sock.settimeout(0.02)
        for _ in range(500):
            with suppress(TimeoutError):
                try:
                    sock.send(b"")
                    sock.recv(1)
                except ConnectionRefusedError:
                    return
    raise AssertionError(f"{far} cannot be reached")


def _port(name: str, v4: str, v6: str) -> tuple[str, ...]:
    return f"address add {v4} dev {name}", f"address add {v6} dev {name} nodad", f"link set {name} up"


def _ip(*commands: str) -> None:
    """All in one process: a site takes 40 of them."""
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _here(stack: ExitStack) -> int:
    place = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    stack.callback(os.close, place)
    return place


def _enter(place: int) -> None:
    if _libc.setns(place, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
