"""Carries the frames of one link between its two ends, as `lab.wire` says. One process per link, inside the link's
namespace.

    python -m lab.relay ROOM_IFNAME NET_IFNAME < orders > answers

Frames are taken from one interface by AF_PACKET and put out of the other, both ways ("up" is from the room to the
net). Prints `ready`, then answers each line of JSON `{"up": SETTINGS, "down": SETTINGS}` (fields of `WireSettings`;
nothing changes for `{}`) with one line of counters. Ends when its stdin does. See docs/decisions/0003-lab-wires.md for
the measurements behind the constants.
"""

import contextlib
import gc
import json
import os
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lab.bleaching import bleached
from lab.wire import Fate, Wire, WireSettings

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER_BYTES = 8 << 20
LONGEST_FRAME = 2048
"""Offloads are off, so no frame is longer than 1514 bytes; 2048 keeps the buffer of each receive small."""

QUANTUM_S = 0.000_25
"""Wake at most so often: at 8,000 packets a second this halves the cost for at most a quarter of a millisecond of
lateness."""

FRAMES_PER_TURN = 512
"""Then look at the other direction and at what is due, whatever still waits."""

UNSET = WireSettings(delay_s=0, rate_bps=10e9, queue_bytes=1 << 30)


@dataclass(slots=True)
class Counts:
    """What one direction did with the frames offered to it. `overrun`: lost before the relay saw them, the host being
    too busy."""

    carried: int = 0
    carried_bytes: int = 0
    queue_full: int = 0
    lost: int = 0
    too_long: int = 0
    cut: int = 0
    overrun: int = 0
    late_max_s: float = 0.0


class Direction:
    """From one interface to the other: frames wait in the order of their departure, which is the order of their
    arrival."""

    __slots__ = ("_pending", "_receive", "_sink", "_source", "counts", "wire")

    def __init__(self, source: socket.socket, sink: socket.socket, rng: Random) -> None:
        self._source = source
        self._sink = sink
        self._receive: Callable[[int], bytes] = source.recv
        self._pending: deque[tuple[float, bytes]] = deque()
        self.wire = Wire(UNSET, rng)
        self.counts = Counts()

    def next_due(self) -> float:
        return self._pending[0][0] if self._pending else float("inf")

    def take(self) -> None:
        """Offer to the wire what arrived."""
        receive, offer, clock, push = self._receive, self.wire.offer, time.monotonic, self._pending.append
        try:
            for _ in range(FRAMES_PER_TURN):
                frame = receive(LONGEST_FRAME)
                due = offer(len(frame), clock())
                if isinstance(due, float):
                    push((due, frame))
                else:
                    self._count_drop(due)
        except BlockingIOError:
            return
        except OSError:
            return  # ENETDOWN: the cable was pulled; said once, the socket works again when it is back

    def deliver(self, now: float) -> None:
        """Put out what is due."""
        pending, send, counts = self._pending, self._sink.send, self.counts
        while pending and pending[0][0] <= now:
            due, frame = pending.popleft()
            try:
                send(frame)
            except OSError:
                counts.cut += 1  # ENETDOWN, ENXIO: the far interface is down
                continue
            counts.carried += 1
            counts.carried_bytes += len(frame)
            if now - due > counts.late_max_s:
                counts.late_max_s = now - due

    def change(self, settings: WireSettings) -> None:
        self.wire.change(settings)
        # Chosen here, not asked for each frame: a network that does not bleach costs nothing.
        self._receive = self._receive_bleached if settings.bleach else self._source.recv
        if settings.cut:  # nothing comes out of a cut wire, also not what was on its way
            self.counts.cut += len(self._pending)
            self._pending.clear()

    def report(self, now: float) -> dict[str, float]:
        self.counts.overrun += _overruns(self._source)
        counts = {name: getattr(self.counts, name) for name in Counts.__slots__}
        self.counts.late_max_s = 0.0  # the worst since the last report
        return counts | {"backlog_bytes": self.wire.backlog_bytes(now)}

    def _receive_bleached(self, longest: int) -> bytes:
        return bleached(self._source.recv(longest))

    def _count_drop(self, fate: Fate) -> None:
        setattr(self.counts, fate.value, getattr(self.counts, fate.value) + 1)


def main(room: str, net: str) -> None:
    with contextlib.suppress(
        PermissionError
    ):  # only the real root may. On a busy machine p99 is then 0.2 ms late, not 5
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    gc.disable()  # nothing here makes cycles, and a collection is a late packet
    room_end, net_end = _open(room), _open(net)
    directions = {"up": Direction(room_end, net_end, Random()), "down": Direction(net_end, room_end, Random())}
    print("ready", flush=True)
    _run(directions, {room_end.fileno(): directions["up"], net_end.fileno(): directions["down"]})


def _run(directions: dict[str, Direction], by_source: dict[int, Direction]) -> None:
    both = tuple(directions.values())
    orders = sys.stdin.fileno()
    watched = [*by_source, orders]
    unread = b""
    woke = 0.0
    while True:
        rest = woke + QUANTUM_S - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        woke = time.monotonic()
        due = min(both[0].next_due(), both[1].next_due())
        readable, _, _ = select.select(watched, (), (), None if due == float("inf") else max(0.0, due - woke))
        for end in readable:
            if end != orders:
                by_source[end].take()
                continue
            chunk = os.read(orders, 65536)
            if not chunk:
                return
            unread = _obey(unread + chunk, directions)
        now = time.monotonic()
        for direction in both:
            direction.deliver(now)


def _obey(text: bytes, directions: dict[str, Direction]) -> bytes:
    """Carry out each whole line, answer each with one line; returns the unfinished rest."""
    *lines, rest = text.split(b"\n")
    for line in lines:
        for name, settings in json.loads(line).items():
            directions[name].change(WireSettings(**settings))
        now = time.monotonic()
        print(json.dumps({name: direction.report(now) for name, direction in directions.items()}), flush=True)
    return rest


def _open(ifname: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    try:
        end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)  # cut to net.core.rmem_max
    end.bind((ifname, ETH_P_ALL))
    end.setblocking(False)
    return end


def _overruns(end: socket.socket) -> int:
    """Frames dropped at the socket since asked last (reading resets it): struct tpacket_stats {packets, drops}."""
    return int.from_bytes(end.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)[4:8], sys.byteorder)


if __name__ == "__main__":
    main(*sys.argv[1:])
