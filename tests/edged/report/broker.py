"""A real mosquitto on loopback, on a port of its own."""

import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Mosquitto:
    def __init__(self, directory: Path, *options: str) -> None:
        """`options` are lines of mosquitto.conf(5) for the listener."""
        self.port = free_port()
        self._config = directory / "mosquitto.conf"
        lines = (f"listener {self.port} 127.0.0.1", *options, "persistence false", "user root", "log_type error")
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Mosquitto":
        self._process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self._config])
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None
