"""Collects what a watcher emits and waits for what a test expects."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ups.nut_wire import NutError
from ups.reading import Contact, Power, UpsReading
from ups.watch import NutWatcher


class Readings:
    def __init__(self) -> None:
        self.all: list[UpsReading] = []
        self._new = asyncio.Event()

    def emit(self, reading: UpsReading) -> None:
        self.all.append(reading)
        self._new.set()

    async def until(self, wanted: Callable[[UpsReading], bool], *, within_s: float = 3) -> UpsReading:
        """The next reading that fits; everything before it is forgotten."""
        async with asyncio.timeout(within_s):
            while True:
                while self.all:
                    if wanted(reading := self.all.pop(0)):
                        return reading
                self._new.clear()
                await self._new.wait()

    async def power(self, ups: str, power: Power, *, within_s: float = 3) -> UpsReading:
        return await self.until(lambda reading: reading.ups == ups and reading.power is power, within_s=within_s)

    async def contact(self, ups: str, contact: Contact, *, within_s: float = 3) -> UpsReading:
        return await self.until(lambda reading: reading.ups == ups and reading.contact is contact, within_s=within_s)


@asynccontextmanager
async def supervised(watcher: NutWatcher, *, pause_s: float = 0.05) -> AsyncIterator[Readings]:
    """Runs a watcher as the daemon does: again after each failure."""
    readings = Readings()

    async def forever() -> None:
        while True:
            try:
                await watcher.run(readings.emit)
            except NutError:
                await asyncio.sleep(pause_s)

    task = asyncio.create_task(forever())
    try:
        yield readings
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
