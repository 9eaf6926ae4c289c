"""The NOC's consumer, as a process of its own: started, asked what it holds, taken down."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process

from bench.bounded import BenchFailed
from bench.fleet_figures import Name

READY_WITHIN_S = 20.0
ANSWER_WITHIN_S = 30.0
LONGEST_LINE = 256 << 20


class LightConsumer:
    """`bench.fleet_noc`: in memory. An async context manager."""

    name = "light (in memory, in bench/fleet_noc.py)"

    def __init__(self, *, port: int, tenant: str) -> None:
        self._command = (sys.executable, "-m", "bench.fleet_noc", "--port", str(port), "--tenant", tenant)
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        return self._running.pid

    async def __aenter__(self) -> "LightConsumer":
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
        )
        try:
            if await self._line(READY_WITHIN_S) != b"ready\n":
                raise BenchFailed("the consumer found no broker")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def held(self) -> dict[Name, float]:
        """When it first held each event, of those that came since the last call."""
        stdin = self._running.stdin
        assert stdin
        stdin.write(b"held\n")
        rows = json.loads(await self._line(ANSWER_WITHIN_S))
        return {(stream, sequence): at_s for stream, sequence, at_s in rows}

    async def _line(self, within_s: float) -> bytes:
        stdout = self._running.stdout
        assert stdout
        async with asyncio.timeout(within_s):
            return await stdout.readline()

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise BenchFailed("the consumer does not run")
        return self._process
