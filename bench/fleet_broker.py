"""One real mosquitto for the fleet: plain TCP on loopback, kept on disk as Debian's mosquitto.conf says."""

import asyncio
import socket
from asyncio.subprocess import Process
from pathlib import Path

from bench.bounded import BenchFailed

PROGRAM = "/usr/sbin/mosquitto"
UP_WITHIN_S = 20.0
CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
user root
log_type error
persistence true
persistence_location {directory}/
max_connections -1
# As in config/noc/mosquitto.conf. With the defaults (20 and 1000) it throws away what comes for the consumer while
# 2,000 sites come back at once, and the sites have to be asked for it again.
max_inflight_messages 200
max_queued_messages 1000000
"""


class Broker:
    """As an async context manager: runs inside, and is gone afterwards."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port: int = server.getsockname()[1]
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise BenchFailed("mosquitto does not run")
        return self._process.pid

    async def __aenter__(self) -> "Broker":
        self._directory.mkdir()
        (self._directory / "mosquitto.conf").write_text(CONFIG.format(port=self.port, directory=self._directory))
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        """Returns when it accepts connections. Raises BenchFailed."""
        self._process = await asyncio.create_subprocess_exec(PROGRAM, "-c", self._directory / "mosquitto.conf")
        deadline_s = asyncio.get_running_loop().time() + UP_WITHIN_S
        while asyncio.get_running_loop().time() < deadline_s and self._process.returncode is None:
            if await self._accepts():
                return
            await asyncio.sleep(0.02)
        raise BenchFailed("mosquitto did not start")

    async def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
        if process is not None:
            await process.wait()

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True
