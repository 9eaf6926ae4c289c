"""One end of the supervision session's plain media: sends each stream on the loop's clock, receives, and measures when
asked.

Packets are due at start + n/rate, never at "now + interval": lateness does not add up. The kernel stamps arrivals.
Headers alone do not tell plain RTP from encrypted; where the world says so, RTCP reports in clear text go with it.
"""

import argparse
import asyncio
import json
import random
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import structlog

from lab.services.lifetime import Address
from lab.services.rtp import STREAMS, Arrivals, Stream, build, parse, sender_report
from lab.services.world import POLL_S, Flow, Truth, Way

log = structlog.get_logger()

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; not in Python's socket module
TIMESPEC = struct.Struct("@ll")
DATAGRAM = 2048
PATIENCE_S = 0.5  # later than this, what was due is skipped: a stopped machine must not burst when it goes on
REPORT_S = 1.0


@dataclass(slots=True)
class Leg:
    """One stream's socket. It sends to `far` as `flow` says; without `far` it waits for somebody to latch to."""

    stream: Stream
    door: socket.socket
    far: Address | None
    latches: bool
    flow: Flow = Flow.ON
    reports: bool = False
    """Sender reports in clear text, on the same port (RFC 5761)."""
    arrivals: Arrivals | None = None
    sent: int = 0
    unsent: int = 0
    _ssrc: int = 0
    _frame: int = 0
    """The tick whose picture is sent."""

    @property
    def way(self) -> Way:
        """That it sends. Who latches is on the internet's side."""
        return Way.TO_ROOM if self.latches else Way.FROM_ROOM

    def start(self) -> None:
        self._ssrc = random.getrandbits(32)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.door, self._readable)
        self._tick(loop.time(), 0)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self.door)
        self.door.close()

    def _tick(self, start_s: float, count: int) -> None:
        """Send what is due at tick `count` and call again for the next."""
        if self.door.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        late_s = loop.time() - (start_s + count / self.stream.ticks_per_s)
        if late_s > PATIENCE_S:
            count += int(late_s * self.stream.ticks_per_s)
        if self.flow is not Flow.FROZEN:
            self._frame = count
        if self.flow is not Flow.OFF and self.far is not None:
            for _ in range(self.stream.packets_per_tick):
                self._send(self.far)
            if self.reports and count % int(self.stream.ticks_per_s * REPORT_S) == 0:
                self._report(self.far)
        loop.call_at(start_s + (count + 1) / self.stream.ticks_per_s, self._tick, start_s, count + 1)

    def _send(self, far: Address) -> None:
        try:
            self.door.sendto(build(self.stream, self._ssrc, self.sent, time.monotonic_ns(), self._frame), far)
        except OSError:  # no route, no buffer: what a network does, and the far side sees the gap
            self.unsent += 1
        self.sent += 1

    def _report(self, far: Address) -> None:
        with suppress(OSError):
            self.door.sendto(sender_report(self.stream, self._ssrc, self.sent, self._frame, time.time()), far)

    def _readable(self) -> None:
        behind_ns = time.time_ns() - time.monotonic_ns()
        while True:
            try:
                datagram, stamps, _, source = self.door.recvmsg(DATAGRAM, 64)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error for something we sent
                continue
            packet = parse(datagram)
            if packet is None or packet.payload_type != self.stream.payload_type:
                continue
            if self.latches and source != self.far:
                log.info("media latched", medium=self.stream.medium, host=source[0], port=source[1])
                self.far = source
            if self.arrivals is not None:
                seconds, nanoseconds = TIMESPEC.unpack(stamps[0][2])
                self.arrivals.add(packet, len(datagram), seconds * 1_000_000_000 + nanoseconds - behind_ns)


def arguments(parser: argparse.ArgumentParser, host: str) -> argparse.ArgumentParser:
    parser.add_argument("--host", default=host, help=f"own address, default {host}")
    for stream in STREAMS:
        parser.add_argument(f"--{stream.medium}-port", type=int, default=stream.port, help=f"default {stream.port}")
    parser.add_argument("--measure", action="store_true", help="write each second's arrivals to DIR/media-NODE.jsonl")
    return parser


def legs(chosen: argparse.Namespace, far_host: str | None) -> list[Leg]:
    """A leg a stream, bound. With `far_host` it speaks first, without it latches."""
    made = []
    for stream in STREAMS:
        port = getattr(chosen, f"{stream.medium}_port")
        door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        door.setblocking(False)
        door.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        door.bind((chosen.host, port))
        far = None if far_host is None else (far_host, port)
        made.append(Leg(stream, door, far, latches=far is None, arrivals=Arrivals() if chosen.measure else None))
    return made


async def run_legs(made: list[Leg], truth: Truth, measure: Path | None) -> None:
    """Let them flow as the world says, for ever; write a line a second and stream to `measure`."""
    for leg in made:
        leg.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_follow(made, truth))
            if measure is not None:
                tasks.create_task(_measure(made, measure))
    finally:
        for leg in made:
            leg.stop()


async def _follow(made: list[Leg], truth: Truth) -> None:
    while True:
        truth.refresh()
        for leg in made:
            leg.flow = truth.world.flow(leg.stream.medium, leg.way)
            leg.reports = truth.world.clear
        await asyncio.sleep(POLL_S)


async def _measure(made: list[Leg], path: Path) -> None:
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    second = 0
    with path.open("w", buffering=1) as lines:
        while True:
            second += 1
            await asyncio.sleep(start_s + second - loop.time())
            _write_second(made, lines)


def _write_second(made: list[Leg], lines: TextIO) -> None:
    """`monotonic_s` is the end of the second the line is about."""
    for leg in made:
        if leg.arrivals is not None:
            when = {"monotonic_s": round(time.monotonic(), 3), "wall_s": round(time.time(), 3)}
            figures = {"medium": leg.stream.medium, **leg.arrivals.take(), "sent": leg.sent, "unsent": leg.unsent}
            lines.write(json.dumps(when | figures) + "\n")
