"""What a p1 stream waits while p4 fills the line, with and without shaping. Not a test:

    python -m tests.qos.measure_delay 10 20 100

    talker ═ lan0 ─ br0 ─ wan0 ═ router0 ─ br1 ─ line0 ═ listener

`line0` is the provider's line: a plain token bucket of the given Mbit/s with 200 ms of queue. `wan0` is shaped by us to
95 % of it. p1 is 200 bytes every 10 ms marked EF, p4 eight TCP uploads; delays are one way, from the sender's clock to
the kernel's receive stamp.
"""

import argparse
import asyncio
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from qos.rates import Rates
from qos.settings import QosSettings
from qos.shaper import Shaper
from tests.qos.in_line import enter_own_network, in_line_box, ip, tc

_TALKER, _LISTENER = "10.9.0.1", "10.9.0.2"
_MEDIA, _BULK = 5004, 5001
_SO_TIMESTAMPNS = 35
_PACE_S = 0.01
_UPLOADS = 8
_CASES = (("idle", False, False), ("full, unshaped", False, True), ("full, shaped", True, True))


@dataclass
class Taken:
    delays_ms: list[float] = field(default_factory=list)
    sent: int = 0
    bulk_bytes: dict[int, int] = field(default_factory=dict)
    carried_bytes: int = 0

    def row(self, what: str, duration_s: float) -> str:
        ranked = sorted(self.delays_ms)
        p50, p99 = (ranked[int(len(ranked) * share)] for share in (0.5, 0.99))
        mbps = self.carried_bytes * 8 / duration_s / 1e6
        return f"{what:<22} {p50:9.2f} {p99:9.2f} {ranked[-1]:9.2f} {self.sent - len(ranked):9} {mbps:9.1f}"


def measure(line_mbps: int, duration_s: float, *, shaped: bool, bulk: bool) -> Taken:
    taken, done = Taken(), threading.Event()
    with in_line_box():
        _line(line_mbps)
        ends = [_End("room0", _TALKER), _End("far0", _LISTENER)]
        talker, listener = ends
        if shaped:
            site = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}]})
            asyncio.run(Shaper(site).apply(Rates(up_bps=line_mbps * 1_000_000)))
        listener.run(lambda: _hear(taken, done))
        for port in range(_BULK, _BULK + _UPLOADS * bulk):
            listener.run(partial(_take_bulk, taken, port, done))
            talker.run(partial(_send_bulk, port, done))
        time.sleep(2)  # past slow start
        before_bytes = sum(taken.bulk_bytes.values())
        talker.run(lambda: _talk(taken, duration_s))
        time.sleep(duration_s)
        taken.carried_bytes = sum(taken.bulk_bytes.values()) - before_bytes
        time.sleep(0.5)  # what still waits in the queue
        done.set()
        for end in ends:
            end.leave()
    return taken


class _End:
    """A namespace of its own with one interface, and threads in it."""

    def __init__(self, interface: str, address: str) -> None:
        self._threads: list[threading.Thread] = []
        self._jobs: list[Callable[[], None]] = []
        self._ready, self._leave = threading.Event(), threading.Event()
        keeper = threading.Thread(target=self._keep)
        keeper.start()
        self._threads.append(keeper)
        self._ready.wait()
        ip(f"link set {interface} netns /proc/{os.getpid()}/task/{keeper.native_id}/ns/net")
        for command in (f"addr add {address}/24 dev {interface}", f"link set {interface} up"):
            self.run(partial(ip, command))
            self._threads[-1].join()

    def _keep(self) -> None:
        enter_own_network()
        self._ready.set()
        while not self._leave.wait(0.02):
            while self._jobs:  # a thread started here is born in this namespace
                thread = threading.Thread(target=self._jobs.pop(0))
                thread.start()
                self._threads.append(thread)
                self._ready.set()

    def run(self, job: Callable[[], None]) -> None:
        self._ready.clear()
        self._jobs.append(job)
        self._ready.wait()

    def leave(self) -> None:
        self._leave.set()
        for thread in self._threads:
            thread.join()


def _line(line_mbps: int) -> None:
    ip("link add br1 type bridge mcast_snooping 0")
    ip("link add line0 type veth peer name far0")
    for port in ("router0", "line0"):
        ip(f"link set {port} master br1")
    for each in ("line0", "br1"):
        ip(f"link set {each} up")
    # 2.5 ms of burst: a real line loses no capacity when this machine's timer is late.
    tc(f"qdisc add dev line0 root tbf rate {line_mbps}mbit burst {line_mbps * 312} limit {line_mbps * 25_000}")


def _talk(taken: Taken, duration_s: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
        media.connect((_LISTENER, _MEDIA))
        for _ in range(int(duration_s / _PACE_S)):
            try:
                media.send(struct.pack("=q", time.time_ns()) + bytes(192))
            except ConnectionError:  # the listener has heard enough
                return
            taken.sent += 1
            time.sleep(_PACE_S)


def _hear(taken: Taken, done: threading.Event) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        media.bind((_LISTENER, _MEDIA))
        media.settimeout(0.1)
        while not done.is_set():
            try:
                data, ancillary, _, _ = media.recvmsg(2000, 64)
            except TimeoutError:
                continue
            seconds, nanoseconds = struct.unpack_from("=qq", ancillary[0][2])
            (sent_ns,) = struct.unpack_from("=q", data)
            taken.delays_ms.append((seconds * 1_000_000_000 + nanoseconds - sent_ns) / 1e6)


def _send_bulk(port: int, done: threading.Event) -> None:
    with socket.create_connection((_LISTENER, port), timeout=5) as bulk:
        bulk.settimeout(0.2)
        while not done.is_set():
            try:
                bulk.send(bytes(65536))
            except TimeoutError:
                continue
            except ConnectionError:
                return


def _take_bulk(taken: Taken, port: int, done: threading.Event) -> None:
    with socket.create_server((_LISTENER, port)) as server:
        server.settimeout(5)
        bulk, _ = server.accept()
        with bulk:
            bulk.settimeout(0.2)
            while not done.is_set():
                try:
                    taken.bulk_bytes[port] = taken.bulk_bytes.get(port, 0) + len(bulk.recv(1 << 18))
                except TimeoutError:
                    continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("line_mbps", nargs="*", type=int, default=[10, 20, 100])
    parser.add_argument("--seconds", type=float, default=6.0)
    arguments = parser.parse_args()
    for line_mbps in arguments.line_mbps:
        columns = ("p50 ms", "p99 ms", "max ms", "lost", "p4 Mbit/s")
        print(f"{f'line of {line_mbps} Mbit/s':<22}", *(f"{each:>9}" for each in columns))
        for what, shaped, bulk in _CASES:
            taken = measure(line_mbps, arguments.seconds, shaped=shaped, bulk=bulk)
            print(taken.row(what, arguments.seconds))


if __name__ == "__main__":
    main()
