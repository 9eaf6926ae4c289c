"""The staff PC's upload, as hard as the line takes it, for a bounded time: TCP, UDP or both at once to
`lab.services.sink`.

Not a service but a tool of the QoS bench: prints one JSON object with what arrived, in bits per second, and ends.
"""

import argparse
import json
import socket
import threading
import time
from collections.abc import Callable
from errno import ENOBUFS

from lab.services.lifetime import Address, address
from lab.services.sink import LISTEN
from lab.services.upload import ASK, DATA, REPORT, rate_bps

LONGEST_S = 600.0
DATAGRAM = DATA.ljust(1400, b"\0")
CHUNK = b"\0" * (1 << 16)
BURST_S = 0.005
REPORT_TRIES = 5
REPORT_TRY_S = 2.0
CONNECT_S = 5.0
DRAIN_S = 30.0  # a bloated queue must empty before the sink has it all


def send_tcp(to: Address, seconds: float) -> dict[str, float]:
    """Write as fast as TCP lets us for `seconds`; what the sink then says it got."""
    with socket.create_connection(to, timeout=CONNECT_S) as line:
        line.settimeout(DRAIN_S)
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            line.sendall(CHUNK)
        line.shutdown(socket.SHUT_WR)
        report = b""
        while piece := line.recv(REPORT.size):
            report += piece
    return {"tcp_bps": rate_bps(report)}


def send_udp(to: Address, seconds: float, rate: float) -> dict[str, float]:
    """Send at `rate` bits per second for `seconds`; what the sink then says it got."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.connect(to)
        start_s = now_s = time.monotonic()
        sent = 0
        while now_s - start_s < seconds:
            due = int((now_s - start_s + BURST_S) * rate / (8 * len(DATAGRAM)))
            while sent < due:
                _try_send(door)
                sent += 1
            time.sleep(BURST_S)
            now_s = time.monotonic()
        return {"udp_sent_bps": sent * len(DATAGRAM) * 8 / seconds, "udp_bps": rate_bps(_ask(door))}


def _try_send(door: socket.socket) -> None:
    try:
        door.send(DATAGRAM)
    except (BlockingIOError, ConnectionRefusedError):  # no room in our own queue: as good as lost
        pass
    except OSError as error:
        if error.errno != ENOBUFS:
            raise


def _ask(door: socket.socket) -> bytes:
    """The sink's count, asked for until it comes: the line is still full when we begin."""
    door.settimeout(REPORT_TRY_S)
    for _ in range(REPORT_TRIES):
        try:
            door.send(ASK)
            return door.recv(REPORT.size)
        except (TimeoutError, ConnectionRefusedError):
            continue
    return REPORT.pack(0, 0)


def upload(to: Address, seconds: float, rate: float, protocol: str) -> dict[str, object]:
    """Run what `protocol` names ("tcp", "udp", "both"). Figures in bits per second; `errors` names what failed."""
    kinds: dict[str, Callable[[], dict[str, float]]] = {
        "tcp": lambda: send_tcp(to, seconds),
        "udp": lambda: send_udp(to, seconds, rate),
    }
    wanted = kinds if protocol == "both" else {protocol: kinds[protocol]}
    figures: dict[str, object] = {"seconds": seconds}
    errors: dict[str, str] = {}

    def work(name: str, send: Callable[[], dict[str, float]]) -> None:
        try:
            figures.update({key: round(value) for key, value in send().items()})
        except OSError as error:
            errors[name] = str(error)

    threads = [threading.Thread(target=work, args=item) for item in wanted.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return figures | ({"errors": errors} if errors else {})


def _bounded(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is not within 0–{LONGEST_S:.0f} s")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=address, default=address(LISTEN), metavar="HOST:PORT", help=f"default {LISTEN}")
    parser.add_argument("--seconds", type=_bounded, required=True)
    parser.add_argument("--rate", type=float, default=150e6, help="UDP bits per second offered, default 150e6")
    parser.add_argument("--protocol", choices=("tcp", "udp", "both"), default="both")
    chosen = parser.parse_args()
    figures = upload(chosen.to, chosen.seconds, chosen.rate, chosen.protocol)
    print(json.dumps(figures), flush=True)
    raise SystemExit(1 if "errors" in figures else 0)


if __name__ == "__main__":
    main()
