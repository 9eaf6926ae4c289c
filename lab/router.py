"""The dual-WAN router's own mind: checks each WAN with real pings through it, and moves the default route when one
fails.

What it thinks goes to the lab's truth, from where its SNMP agent tells it. The rules are in `lab.failover`.
"""

import asyncio
import fcntl
import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from lab import plan
from lab.cabling import route_by
from lab.failover import Health, Sight, Timing, choose, peplink_state, step
from lab.nodes import Node
from lab.quantity import show_duration
from lab.world import RouterTruth, Truth, WanTruth

TICK_S = 0.1
"""How often carrier and answers are judged."""

ANSWER_WITHIN_S = 3.0
"""A later answer to a health check counts as none, as with a router's ping timeout."""

ECHO_REQUEST, ECHO_REPLY = 8, 0
_ECHO = struct.Struct("!BBHHHd")
"""RFC 792: type, code, checksum, identifier, sequence number; data: when it was sent, monotonic seconds."""

SIOCGIFFLAGS, IFF_RUNNING = 0x8913, 0x40

log = structlog.get_logger()


@dataclass(slots=True)
class Uplink:
    """One WAN and what its health checks found."""

    wan: plan.Wan
    pings: socket.socket
    answered_at_s: float
    health: Health = field(default_factory=Health)
    sequence: int = 0

    def ping(self, now: float) -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        for host in plan.FAR_HOSTS:
            with suppress(OSError):  # no route, no carrier, no buffer: the silence that follows is the verdict
                self.pings.sendto(_echo_request(self._identifier, self.sequence, now), (host, 0))

    def hear(self) -> None:
        """Take the answers that wait; anything else on the raw socket is not ours."""
        with suppress(BlockingIOError):
            while True:
                packet = self.pings.recv(2048)
                now = time.monotonic()
                sent_at_s = _sent_at(packet, self._identifier)
                if sent_at_s is not None and 0 <= now - sent_at_s <= ANSWER_WITHIN_S:
                    self.answered_at_s = now

    def sight(self) -> Sight:
        return Sight(_has_carrier(self.pings, self.wan.ifname), self.answered_at_s)

    @property
    def _identifier(self) -> int:
        return (os.getpid() + int(self.wan.index)) & 0xFFFF


class Router:
    """`run` until cancelled. `timing` may be replaced at any time."""

    def __init__(self, node: Node, truth: Truth, timing: Timing) -> None:
        self.timing = timing
        self._node = node
        self._truth = truth
        self._active = 0
        now = time.monotonic()
        self._uplinks = [Uplink(wan, _open_pings(node, wan), now) for wan in plan.WANS]

    @property
    def active(self) -> plan.Wan:
        return plan.WANS[self._active]

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for uplink in self._uplinks:
            uplink.answered_at_s = time.monotonic()
            loop.add_reader(uplink.pings, uplink.hear)
        try:
            await self._watch()
        finally:
            for uplink in self._uplinks:
                loop.remove_reader(uplink.pings)
                uplink.pings.close()

    async def _watch(self) -> None:
        next_check_s = 0.0
        while True:
            now = time.monotonic()
            if now >= next_check_s:
                next_check_s = now + self.timing.check_every_s
                for uplink in self._uplinks:
                    uplink.ping(now)
            await self._judge(now)
            await asyncio.sleep(TICK_S)

    async def _judge(self, now: float) -> None:
        for uplink in self._uplinks:
            health = step(uplink.health, uplink.sight(), now, self.timing)
            if health.up != uplink.health.up:
                silent = show_duration(now - uplink.answered_at_s)
                log.info("WAN is up" if health.up else "WAN failed", wan=uplink.wan.name, silent=silent)
            uplink.health = health
        chosen = choose([uplink.health for uplink in self._uplinks], self._active)
        if chosen != self._active:
            await route_by(self._node, plan.WANS[chosen])
            self._active = chosen
            log.info("traffic moved", to=self.active.name)
        self._truth.change(router=self._view())

    def _view(self) -> RouterTruth:
        wans = {}
        for place, uplink in enumerate(self._uplinks):
            state = peplink_state(uplink.health, active=place == self._active)
            wan = uplink.wan
            wans[wan.index] = WanTruth(wan.name, int(state), int(uplink.health.up), wan.ifname)
        return RouterTruth(self.active.index, wans)


def initial_view() -> RouterTruth:
    """Before the first check: all is well, the first WAN carries."""
    states = [peplink_state(Health(), active=place == 0) for place in range(len(plan.WANS))]
    wans = {
        wan.index: WanTruth(wan.name, int(state), 1, wan.ifname) for wan, state in zip(plan.WANS, states, strict=True)
    }
    return RouterTruth(plan.WANS[0].index, wans)


def _open_pings(node: Node, wan: plan.Wan) -> socket.socket:
    """Bound to the WAN's address, for which the router has a rule, and to its interface: it hears no other WAN."""
    pings = node.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    pings.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, wan.ifname.encode())
    pings.bind((wan.address, 0))
    pings.setblocking(False)
    return pings


def _echo_request(identifier: int, sequence: int, now: float) -> bytes:
    blank = _ECHO.pack(ECHO_REQUEST, 0, 0, identifier, sequence, now)
    total = sum(struct.unpack(f"!{len(blank) // 2}H", blank))
    total = (total >> 16) + (total & 0xFFFF)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    return _ECHO.pack(ECHO_REQUEST, 0, checksum, identifier, sequence, now)


def _sent_at(packet: bytes, identifier: int) -> float | None:
    """When the echo request was sent which this IP packet answers, if it answers one of ours."""
    header_bytes = (packet[0] & 0xF) * 4 if packet else 0
    echo = packet[header_bytes:]
    if len(echo) != _ECHO.size:
        return None
    kind, _, _, its_identifier, _, sent_at_s = _ECHO.unpack(echo)
    return float(sent_at_s) if kind == ECHO_REPLY and its_identifier == identifier else None


def _has_carrier(control: socket.socket, ifname: str) -> bool:
    """SIOCGIFFLAGS: IFF_RUNNING, the interface is up and has a carrier (netdevice(7))."""
    answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sH14x", ifname.encode(), 0))
    return bool(struct.unpack("16sH14x", answer)[1] & IFF_RUNNING)
