"""The other side of the report bench, in processes to be killed: a real mosquitto that keeps its state on a disk, and
the NOC's consumer (config/noc) with its database.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.bounded import BenchFailed
from bench.report_oracle import NOTHING, Holding, holding

CONSUMER = Path(__file__).parents[1] / "config" / "noc" / "consumer.py"
MOSQUITTO = "/usr/sbin/mosquitto"
UP_WITHIN_S = 10.0


class Peer:
    """A program that is killed and started again, and cannot outlive us."""

    def __init__(self, argv: Sequence[str], said: Path) -> None:
        self._argv, self._said = argv, said
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        with self._said.open("ab") as said:
            argv = ["setpriv", "--pdeathsig", "KILL", *self._argv]
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def kill(self) -> None:
        """kill -9."""
        self.kills += 1
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None

    @property
    def pid(self) -> int:
        if self._process is None or self._process.poll() is not None:
            raise BenchFailed(f"{self._argv[0]} does not run; it said: {self._said.read_text()[-500:]}")
        return self._process.pid


class Mosquitto(Peer):
    """Saves its state once a second, as one that is meant to lose little would."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        config = directory / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {directory}/",
            "autosave_interval 1",
            "max_queued_messages 100000",
            "max_inflight_messages 100",
            "set_tcp_nodelay true",
            "log_type error",
        ]
        config.write_text("\n".join(lines + (["user root"] if os.geteuid() == 0 else [])) + "\n")
        super().__init__([MOSQUITTO, "-c", str(config)], directory / "mosquitto.log")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Until it answers."""
        super().start()
        over_s = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < over_s:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise BenchFailed("mosquitto did not start")


class Consumer(Peer):
    def __init__(self, directory: Path, brokers: Sequence[str], *options: str) -> None:
        self.database = directory / "noc.db"
        first, *also = brokers
        argv = [sys.executable, str(CONSUMER), "--broker", first, "--db", str(self.database), "--tenant", "bench"]
        for broker in also:
            argv += ["--also", broker]
        super().__init__([*argv, *options], directory / "consumer.log")

    def listens(self) -> None:
        """Waits until it does."""
        over_s = time.monotonic() + UP_WITHIN_S
        while b"listening" not in self._said.read_bytes():
            if time.monotonic() > over_s:
                raise BenchFailed("the consumer does not listen")
            time.sleep(0.02)

    def holding(self) -> Holding:
        """As of now; nothing while there is no database yet."""
        if not self.database.exists():
            return NOTHING
        base = sqlite3.connect(self.database, timeout=10, isolation_level=None)
        try:
            base.execute("BEGIN")
            rows = base.execute("SELECT stream, sequence, body FROM event").fetchall()
            books = base.execute("SELECT stream, kind, book FROM stream").fetchall()
        except sqlite3.OperationalError:  # no tables yet
            return NOTHING
        finally:
            base.close()
        return holding(rows, books)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
