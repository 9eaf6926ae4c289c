"""The edge box in line, in a network namespace of the test's own:

    room0 ═ lan0 ─ br0 ─ wan0 ═ router0

`room0` and `router0` are where frames are put on the wire; what is shaped are `wan0` (up) and `lan0` (down). IPv6
autoconfiguration and multicast snooping are off, so that nothing but the test's own frames is counted.
"""

import asyncio
import ctypes
import os
import re
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)
_ROOM_MAC, _ROUTER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")

IPV4, IPV6, ARP, LLDP, VLAN = 0x0800, 0x86DD, 0x0806, 0x88CC, 0x8100

CLASS_OF = {"ed6f:10": "p1", "ed6f:20": "p2", "ed6f:30": "p3", "ed6f:40": "p4"}


@contextmanager
def in_line_box() -> Iterator[None]:
    """The calling thread moves in, and back out; the namespace goes with all in it."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter_own_network()
        try:
            _build()
            yield
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET))
    finally:
        os.close(home)


def enter_own_network() -> None:
    """The calling thread, and every thread it starts from now on, is in an empty network namespace."""
    _check(_libc.unshare(_CLONE_NEWNET))


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True)


def tc(command: str) -> str:
    """A space within one argument is written as \\xa0."""
    return subprocess.run(
        ["tc", *(each.replace("\xa0", " ") for each in command.split(" "))], check=True, capture_output=True, text=True
    ).stdout


def tree(interface: str) -> list[str]:
    """All that iproute2 has to say about the interface, but for counters and the kernel's own numbers of u32 tables."""
    shown = [tc(f"-d {what} show dev {interface}") for what in ("qdisc", "class")]
    if " ed6f: " in shown[0]:
        shown.append(tc(f"-d filter show dev {interface} parent ed6f:"))
    shown[1] = "\n".join(
        line for line in shown[1].splitlines() if not line.startswith("class fq_codel")
    )  # passing flows
    plain = (re.sub(r"(fh|ht) [0-9a-f]+", r"\1", line.strip()) for each in shown for line in each.splitlines())
    return sorted(re.sub(r" (refcnt|direct_packets_stat) \d+", "", line) for line in plain if line)


def sent(interface: str) -> dict[str, int]:
    """Packets by class, as `tc -s` counts them."""
    shown = re.findall(r"class htb (\S+) .*\n Sent \d+ bytes (\d+) pkt", tc(f"-s class show dev {interface}"))
    return {CLASS_OF[handle]: int(packets) for handle, packets in sorted(shown) if handle in CLASS_OF}


def frame(ethertype: int, payload: bytes, *, vlan: int | None = None) -> bytes:
    """From the room to the router; the other way the bridge floods it just as well."""
    tag = b"" if vlan is None else struct.pack("!HH", VLAN, vlan)
    return (_ROUTER_MAC + _ROOM_MAC + tag + struct.pack("!H", ethertype) + payload).ljust(60, b"\0")


def put(interface: str, *frames: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        for each in frames:
            wire.send(each)


async def until(condition: Callable[[], bool], *, within_s: float = 3.0) -> None:
    """For what the kernel or another process does in its own time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "did not happen in time"
        await asyncio.sleep(0.01)


def _build() -> None:
    for each in ("all", "default"):
        with open(f"/proc/sys/net/ipv6/conf/{each}/disable_ipv6", "w") as knob:
            knob.write("1")
    ip("link add br0 type bridge mcast_snooping 0")
    for far, near in (("room0", "lan0"), ("router0", "wan0")):
        ip(f"link add {far} type veth peer name {near}")
        ip(f"link set {near} master br0")
    for each in ("lan0", "wan0", "room0", "router0", "br0"):
        ip(f"link set {each} up")


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
