"""The real upsd with two dummy UPSes, as Debian ships them, on a free loopback port and without systemd."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ups.settings import NutServer, NutServerSettings, UpsSettings

PASSWORD = 'pa ss"w\\ord'
UPSES = ("network", "workstation")
MAXAGE_S = 2

_DEVICE = """ups.status: OL
battery.charge: 100
battery.runtime: 1800
battery.voltage: 27.3
ups.load: 21
ups.model: Dummy "1500"
"""


class RealUpsd:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._configure()

    @property
    def settings(self) -> NutServerSettings:
        return NutServerSettings(host="127.0.0.1", port=self.port, poll_s=0.1, slow_poll_s=5, timeout_s=1)

    @property
    def settings_with_login(self) -> NutServerSettings:
        return self.settings.model_copy(update={"credentials_file": self._folder / "login"})

    @property
    def server(self) -> NutServer:
        return NutServer(self.settings, {ups: UpsSettings(host=self.settings.host) for ups in UPSES})

    def start(self) -> None:
        for ups in UPSES:
            self.start_driver(ups)
        for ups in UPSES:
            _wait_for((self._folder / "state" / f"dummy-ups-{ups}").exists)
        self.start_server()

    def start_driver(self, ups: str) -> None:
        self._run(ups, "/lib/nut/dummy-ups", "-a", ups, "-F")

    def start_server(self) -> None:
        self._run("upsd", "/lib/nut/upsd", "-F")
        _wait_for(lambda: all(b'"OL"' in self._status(ups) for ups in UPSES))

    def kill(self, name: str) -> None:
        """kill -9 of "upsd" or of a UPS's driver."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def freeze(self, ups: str) -> None:
        self._processes[ups].send_signal(signal.SIGSTOP)

    def thaw(self, ups: str) -> None:
        self._processes[ups].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for name in list(self._processes):
            self.kill(name)

    def _configure(self) -> None:
        (self._folder / "state").mkdir(mode=0o700)
        # dummy-ups sleeps for a second in each of its polls and is deaf meanwhile: let it poll seldom
        drivers = "".join(f"[{ups}]\ndriver = dummy-ups\nport = {ups}.dev\npollinterval = 30\n" for ups in UPSES)
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        files = {
            "ups.conf": drivers,
            "upsd.conf": f"LISTEN 127.0.0.1 {self.port}\nMAXAGE {MAXAGE_S}\n",
            "upsd.users": f'[edged]\npassword = "{quoted}"\nactions = SET\ninstcmds = ALL\n',
            "login": f"edged\n{PASSWORD}\n",
            **{f"{ups}.dev": _DEVICE for ups in UPSES},
        }
        for name, content in files.items():
            (self._folder / name).write_text(content)
            (self._folder / name).chmod(0o600)

    def _run(self, name: str, *command: str) -> None:
        user = ("-u", "root") if os.geteuid() == 0 else ()  # stay who we are: the folder is ours alone
        paths = {"NUT_CONFPATH": str(self._folder), "NUT_STATEPATH": str(self._folder / "state")}
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*command, *user], env={**os.environ, **paths}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _status(self, ups: str) -> bytes:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection,
        ):
            connection.sendall(f"GET VAR {ups} ups.status\n".encode())
            return connection.recv(200)
        return b""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[RealUpsd]:
    upsd = RealUpsd(folder)
    try:
        upsd.start()
        yield upsd
    finally:
        upsd.stop()


def _wait_for(ready: Callable[[], bool], *, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError("upsd or its driver did not start")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
