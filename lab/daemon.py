"""The daemon under test, run on the site's edge box the way systemd would: started with a notify socket, ready when it
says READY=1."""

import asyncio
import os
import socket
import sys
from pathlib import Path

from lab.boot import Boot
from lab.daemon_config import toml_for
from lab.errors import LabMisuse
from lab.nodes import Node
from lab.program import Program
from lab.service import Media

READY_WITHIN_S = 15.0
STOP_WITHIN_S = 10.0
BOOT_TAKES_S = 5.0
"""Until a small box starts its services."""
ENTRY = "from edged.cli.daemon import main; main()"


class Daemon:
    """One `edged run` on node edge; its configuration is DIR/edged.toml, written when missing, so that it may be
    edited."""

    def __init__(self, directory: Path, edge: Node, media: Media = "rtp") -> None:
        self.config = directory / "edged.toml"
        self._directory = directory
        self._media = media
        self._notify_path = directory / "notify.sock"
        self._edge = edge
        self._argv = [sys.executable, "-c", ENTRY, "run", "--config", str(self.config)]
        self.program = self._on_the_box(self._argv)
        self._notify: socket.socket | None = None

    async def start(self) -> None:
        """Returns when it is ready. Raises LabMisuse when it runs already, LabFailure when it does not come up."""
        if self.program.running:
            raise LabMisuse(f"edged runs already (pid {self.program.pid})")
        if not self.config.exists():
            self.config.write_text(toml_for(self._directory, self._media))
        self._listen()
        await self.program.start()
        await self.program.until_ready(READY_WITHIN_S)

    async def stop(self) -> None:
        self._must_run()
        await self.program.stop(STOP_WITHIN_S)

    async def kill(self) -> None:
        self._must_run()
        await self.program.kill()

    async def reboot(self) -> None:
        """The box loses its power and comes back: the daemon is killed, and starts in another boot, where it stays."""
        await self.kill()
        self.program = self._on_the_box(Boot.begins_now().command(self._directory, self._argv))
        await asyncio.sleep(BOOT_TAKES_S)
        await self.start()

    def _on_the_box(self, argv: list[str]) -> Program:
        env = {"NOTIFY_SOCKET": str(self._notify_path)}
        return Program("edged", self._edge.command(argv), self._directory / "log" / "edged.log", env=env)

    def _must_run(self) -> None:
        if not self.program.running:
            raise LabMisuse("edged does not run")

    def _listen(self) -> None:
        """sd_notify(3): datagrams of VARIABLE=VALUE lines."""
        if self._notify is not None:
            return
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.setblocking(False)
        self._notify_path.unlink(missing_ok=True)
        self._notify.bind(os.fspath(self._notify_path))
        asyncio.get_running_loop().add_reader(self._notify, self._hear, self._notify)

    def _hear(self, notify: socket.socket) -> None:
        try:
            text = notify.recv(4096)
        except BlockingIOError:
            return
        if b"READY=1" in text.split(b"\n"):
            self.program.say_ready()
