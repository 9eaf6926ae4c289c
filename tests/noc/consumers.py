"""consumer.py as a NOC runs it: a process of its own, started when it listens."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.edged.report.broker import free_port

CONSUMER = Path(__file__).parents[2] / "config" / "noc" / "consumer.py"
SITE = "clinic/room-1"
Doc = dict[str, Any]


class Consuming:
    def __init__(self, db: Path, port: int) -> None:
        self.db, self._port = db, port
        self.metrics_port = free_port()
        self.log: list[str] = []
        self._hearing: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *options: str) -> "Consuming":
        broker = ("--broker", f"127.0.0.1:{self._port}", "--tenant", "clinic")
        words = (*broker, "--db", str(self.db), "--patience", "0.5", "--metrics", str(self.metrics_port), *options)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(CONSUMER), *words, stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr
        async with asyncio.timeout(10):
            while b"listening" not in (said := await self._process.stderr.readline()):
                assert said, "it ended"
        self._hearing = asyncio.create_task(self._hear(self._process.stderr))
        return self

    async def _hear(self, stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            self.log.append(line.decode())

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        assert self._process
        self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 10)

    async def ended(self) -> int:
        assert self._process
        return await asyncio.wait_for(self._process.wait(), 10)

    async def report(self) -> Doc:
        """What `--report --json` prints; nothing is held while there is no file."""
        words = (str(CONSUMER), "--report", "--json", "--db", str(self.db))
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        printed, _ = await process.communicate()
        found = json.loads(printed or b'{"sites": {}}')
        assert isinstance(found, dict)
        return found

    async def stream(self, name: str, met: Callable[[Doc], object], timeout_s: float = 20.0) -> Doc:
        """The report on one stream, once it is like that."""
        each: Doc = {}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    each = (await self.report())["sites"].get(SITE, {"streams": {}})["streams"].get(name, {})
                    if each and met(each):
                        return each
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never reported; the last was {each}") from None
