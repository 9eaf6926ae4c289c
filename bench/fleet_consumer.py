"""The NOC's consumer, as a process of its own: started, asked what it holds, taken down."""

import asyncio
import json
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Protocol

from bench.bounded import BenchFailed
from bench.fleet_figures import Name

READY_WITHIN_S = 20.0
ANSWER_WITHIN_S = 30.0
END_WITHIN_S = 5.0
LONGEST_LINE = 256 << 20
KIT = Path(__file__).parents[1] / "config" / "noc" / "consumer.py"
OVERLAP_S = 5.0
"""What came just before the last question may have been written after it."""
_EVENTS = """
SELECT stream.stream, sequence, arrived_s FROM message JOIN stream ON message.stream = stream.id
WHERE kind = 'event' AND arrived_s >= ?
"""


class Consumer(Protocol):
    name: str

    @property
    def pid(self) -> int: ...

    async def held(self) -> dict[Name, float]:
        """When each event arrived there, of those that came since the last call, and perhaps some again."""


class LightConsumer:
    """`bench.fleet_noc`: in memory."""

    name = "light (in memory, bench/fleet_noc.py)"

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self) -> None:
        """Raises BenchFailed."""
        if await self._line(READY_WITHIN_S) != b"ready\n":
            raise BenchFailed("the consumer found no broker")

    async def held(self) -> dict[Name, float]:
        assert self._process.stdin
        self._process.stdin.write(b"held\n")
        rows = json.loads(await self._line(ANSWER_WITHIN_S))
        return {(stream, sequence): at_s for stream, sequence, at_s in rows}

    async def _line(self, within_s: float) -> bytes:
        assert self._process.stdout
        async with asyncio.timeout(within_s):
            return await self._process.stdout.readline()


class KitConsumer:
    """`config/noc/consumer.py`: each event is on its disk before it is acknowledged."""

    name = "the kit (SQLite, config/noc/consumer.py)"

    def __init__(self, process: Process, *, database: Path, log: Path) -> None:
        self._process, self._database, self._log = process, database, log
        self._asked_wall_s = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self) -> None:
        """Raises BenchFailed."""
        over_s = time.monotonic() + READY_WITHIN_S
        while "listening at" not in self._log.read_text():
            if time.monotonic() > over_s or self._process.returncode is not None:
                raise BenchFailed(f"the kit did not start: {self._log.read_text()[-300:]}")
            await asyncio.sleep(0.1)

    async def held(self) -> dict[Name, float]:
        since_s, self._asked_wall_s = self._asked_wall_s - OVERLAP_S, time.time()
        ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)  # the kit writes down wall-clock times
        rows = await asyncio.to_thread(self._events, since_s)
        return {(stream, sequence): wall_s - ahead_s for stream, sequence, wall_s in rows}

    def _events(self, since_wall_s: float) -> list[tuple[str, int, float]]:
        with closing(sqlite3.connect(self._database, timeout=10.0)) as base:
            return base.execute(_EVENTS, (since_wall_s,)).fetchall()


@asynccontextmanager
async def light(*, port: int, tenant: str) -> AsyncIterator[Consumer]:
    command = (sys.executable, "-m", "bench.fleet_noc", "--port", str(port), "--tenant", tenant)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE)
    try:
        consumer = LightConsumer(process)
        await consumer.ready()
        yield consumer
    finally:
        await _end(process)


@asynccontextmanager
async def kit(directory: Path, *, port: int, tenant: str) -> AsyncIterator[Consumer]:
    """`directory` must exist; the kit's database goes there."""
    database, log = directory / "noc.db", directory / "noc.log"
    command = (sys.executable, KIT, "--broker", f"127.0.0.1:{port}", "--tenant", tenant, "--db", database)
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(*command, stderr=stderr)
    try:
        consumer = KitConsumer(process, database=database, log=log)
        await consumer.ready()
        yield consumer
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()
