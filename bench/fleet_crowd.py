"""All the sites together, in one process: opened, connected one after the other, measuring, raising events."""

import asyncio
import gc
import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.bounded import BenchFailed
from bench.fleet_figures import Name, arrivals
from bench.fleet_room import Files, backlogs_that_fit, open_files
from bench.fleet_site import Site
from bench.proc_stat import usage_of
from edged.clock import SystemClock

THREADS = 4
"""For the records of all sites. More would only wait for the interpreter."""
MEASURE_EVERY_S = 10.0
FILES_OF_A_LINE = 2
"""The socket and its double, which are not open yet when the files of a site are counted."""
MOST_BEHIND_S = 5.0
"""A load whose events wait for longer than this is given up: it only piles up."""
LOOK_S = 0.25


@dataclass(slots=True)
class Load:
    """One stretch of events at one rate."""

    due_s: dict[Name, float] = field(default_factory=dict)
    """When each recorded event was due."""
    queue: list[tuple[float, float]] = field(default_factory=list)
    """(when, events that were due and are not acknowledged)."""
    seconds: float = 0.0
    given_up: bool = False


class Crowd:
    def __init__(self, directory: Path, *, port: int, chance: Random) -> None:
        self._directory, self._port, self._chance = directory, port, chance
        self._clock = SystemClock()
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix="fleet-record") for _ in range(THREADS)]
        self._turns = itertools.cycle(self._threads)
        self._measuring: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self.sites: list[Site] = []
        self.not_durable = 0
        """Events the records had only in memory, or had no room for."""
        self.files: Files | None = None
        self.backlogs = 0
        """How many of the sites have one."""
        self.before_mib = 0.0
        """Resident memory of this process before the first site was opened."""
        self.due_s: dict[Name, float] = {}
        """Of every event that was recorded durably, over all loads."""
        self.acknowledged_s: dict[Name, float] = {}
        """When its site knew that the NOC holds it."""

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────
    async def open(self, count: int, *, limit: int) -> None:
        """`limit`: of open files. Raises BenchFailed when they are too few."""
        self.before_mib = usage_of(os.getpid()).rss_mib
        files = Files(whole=await self._files(backlog=True), bare=await self._files(backlog=False))
        self.backlogs = backlogs_that_fit(count, files, limit)
        self.files = files
        self.sites += [await self._open(f"site-{number}", backlog=number < self.backlogs) for number in range(count)]

    async def _files(self, *, backlog: bool) -> int:
        before = open_files()
        site = await self._open("first", backlog=backlog)
        needed = open_files() - before + FILES_OF_A_LINE
        await site.close()
        return needed

    async def _open(self, name: str, *, backlog: bool) -> Site:
        return await Site.open(
            self._directory,
            name=name,
            port=self._port,
            thread=next(self._turns),
            clock=self._clock,
            chance=self._chance,
            backlog=backlog,
            acknowledged=self._acknowledged,
        )

    async def connect(self, *, spread_s: float, within_s: float) -> None:
        """Each site at a moment of its own. Raises BenchFailed when not all stand in time."""
        for site in self.sites:
            site.connect()
            await asyncio.sleep(self._chance.uniform(0, 2 * spread_s / len(self.sites)))
        await self.until(lambda: self.connected == len(self.sites), "all sites are connected", within_s=within_s)
        gc.collect()
        gc.freeze()  # a daemon has one site's objects to look through, not 2,000 sites'
        self._measuring = asyncio.create_task(self._measure())

    async def close(self) -> None:
        if self._measuring:
            self._measuring.cancel()
            with suppress(asyncio.CancelledError):
                await self._measuring
        await asyncio.gather(*self._under_way)
        await asyncio.gather(*(site.close() for site in self.sites))
        for thread in self._threads:
            thread.shutdown(wait=False)

    # ── how it stands ──────────────────────────────────────────────────────────────────────────────────
    @property
    def connected(self) -> int:
        return sum(site.connected for site in self.sites)

    @property
    def waiting(self) -> int:
        """Events being recorded, or recorded and not acknowledged by the NOC."""
        return len(self._under_way) + sum(site.pending for site in self.sites)

    async def until(self, met: Callable[[], bool], what: str, *, within_s: float) -> None:
        """Raises BenchFailed."""
        if not await self.soon(met, within_s=within_s):
            raise BenchFailed(
                f"not within {within_s:.0f} s: {what} ({self.connected} connected, {self.waiting} events waiting)"
            )

    async def soon(self, met: Callable[[], bool], *, within_s: float) -> bool:
        over_s = self.now_s() + within_s
        while not met():
            if self.now_s() > over_s:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def record_cpu_s(self) -> float:
        """What the threads of the records have used so far."""
        loop = asyncio.get_running_loop()
        return sum([await loop.run_in_executor(thread, time.thread_time) for thread in self._threads])

    def now_s(self) -> float:
        return self._clock.monotonic()

    # ── what they do ───────────────────────────────────────────────────────────────────────────────────
    async def load(self, rate_per_s: float, seconds: float) -> Load:
        """Events at their moments, however many are still under way: a fleet does not wait for its NOC."""
        load, began_s = Load(), self.now_s()
        looking = asyncio.create_task(self._look(load))
        try:
            for arrival in arrivals(rate_per_s, seconds, len(self.sites), self._chance):
                due_s = began_s + arrival.after_s
                if (early_s := due_s - self.now_s()) > 0:
                    await asyncio.sleep(early_s)
                load.given_up = len(self._under_way) > 100 + MOST_BEHIND_S * rate_per_s or early_s < -MOST_BEHIND_S
                if load.given_up:
                    break
                self._start(self.sites[arrival.site], due_s, load)
            if not load.given_up:
                await asyncio.sleep(max(0.0, began_s + seconds - self.now_s()))
        finally:
            looking.cancel()
        load.seconds = self.now_s() - began_s
        return load

    def _start(self, site: Site, due_s: float, load: Load) -> None:
        task = asyncio.create_task(self._say(site, due_s, load))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _say(self, site: Site, due_s: float, load: Load) -> None:
        recorded = await site.say()
        if recorded is None or not recorded.durable:
            self.not_durable += 1
            return
        name = recorded.stream, recorded.sequence
        load.due_s[name] = self.due_s[name] = due_s

    def _acknowledged(self, stream: str, first: int, last: int) -> None:
        now_s = self.now_s()
        for sequence in range(first, last + 1):
            self.acknowledged_s[stream, sequence] = now_s

    async def _look(self, load: Load) -> None:
        while True:
            load.queue.append((self.now_s(), float(self.waiting)))
            await asyncio.sleep(2 * LOOK_S)

    async def _measure(self) -> None:
        """Each site every ten seconds, one after the other."""
        turn = 0
        began_s = self.now_s()
        while True:
            self.sites[turn % len(self.sites)].measure()
            turn += 1
            due_s = began_s + turn * MEASURE_EVERY_S / len(self.sites)
            await asyncio.sleep(max(0.0, due_s - self.now_s()))
