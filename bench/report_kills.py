"""kill -9 of the site, of its broker and of its NOC, at random moments under a stream of events; alone, with a disk
that fills up, and with a database file that is torn. What is missing at the NOC in the end?
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bench.report_hazards import HAZARDS
from bench.report_oracle import Verdict, compare, parse_oracle
from bench.report_peers import Consumer, Mosquitto, Peer
from bench.report_site import EVENTS_PER_S, Plan, live

LIFE_S = (0.05, 1.5)
AWAY_S = (0.0, 0.5)
STILL_S = 45.0
"""The kit asks again after 5, 10, 20 s: when nothing has come for so long, it does not come."""
QUIET_WITHIN_S = 180.0
LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Kills:
    """How often each is killed."""

    site: int
    broker: int
    consumer: int


@dataclass(frozen=True, slots=True)
class Outcome:
    kills: Kills
    verdict: Verdict
    took_s: float
    quiet_after_s: float
    """From the last kill until nothing was missing any more, QUIET_WITHIN_S at most."""


@dataclass
class Battle:
    """One site, one broker, one NOC, and who is to be killed when."""

    directory: Path
    kills: Kills
    hazard: str
    chance: random.Random
    broker: Mosquitto = field(init=False)
    consumer: Consumer = field(init=False)
    _late: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.broker = Mosquitto(self.directory)
        self.consumer = Consumer(self.directory, [self.broker.address])
        self._fork = multiprocessing.get_context("forkserver")
        self._fork.set_forkserver_preload(["bench.report_site"])

    async def run(self) -> Outcome:
        began_s = time.monotonic()
        with HAZARDS[self.hazard].disk(self._state):
            async with self._peers():
                await self._lives()
                ended_s = time.monotonic()
                verdict = await self._until_quiet()
        over_s = time.monotonic()
        return Outcome(self.kills, verdict, over_s - began_s, over_s - ended_s)

    @property
    def _state(self) -> Path:
        return self.directory / "state"

    @asynccontextmanager
    async def _peers(self) -> AsyncIterator[None]:
        self.broker.start()
        self.consumer.start()
        try:
            yield
        finally:
            self.consumer.stop()
            self.broker.stop()

    async def _lives(self) -> None:
        hazard, lives = HAZARDS[self.hazard], range(self.kills.site)
        broker = set(self.chance.sample(lives, self.kills.broker))
        consumer = set(self.chance.sample(lives, self.kills.consumer))
        trouble = asyncio.create_task(hazard.trouble(self._state, self.chance))
        for life in lives:
            victims = [self.broker] * (life in broker) + [self.consumer] * (life in consumer)
            await self._life(str(life), self.chance.uniform(*LIFE_S), victims)
            hazard.between(self._state, self.chance)
        trouble.cancel()
        with suppress(asyncio.CancelledError):
            await trouble
        await asyncio.gather(*self._late)

    async def _life(self, name: str, length_s: float, victims: Sequence[Peer]) -> None:
        site = self._start(name)
        for victim in victims:
            moment_s, away_s = self.chance.uniform(0, length_s), self.chance.uniform(*AWAY_S)
            task = asyncio.create_task(_killed_and_back(victim, moment_s, away_s))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        await asyncio.sleep(length_s)
        await _end(site)

    def _start(self, name: str, events_per_s: float = EVENTS_PER_S) -> ForkServerProcess:
        plan = Plan(
            directory=self._state,
            brokers=(self.broker.address,),
            oracle=self.directory / "oracle",
            log=self.directory / "site.log",
            name=name,
            seed=self.chance.randrange(1 << 32),
            events_per_s=events_per_s,
        )
        site = self._fork.Process(target=live, args=(plan,), daemon=True)
        site.start()
        return site

    async def _until_quiet(self) -> Verdict:
        """One more life, that only says what is left to say."""
        site = self._start("last", events_per_s=0)
        moved_s = began_s = time.monotonic()
        standing: tuple[int, ...] = ()
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                oracle = parse_oracle((self.directory / "oracle").read_bytes())
                verdict = compare(oracle, await asyncio.to_thread(self.consumer.holding))
                now_s = time.monotonic()
                if verdict.standing != standing:
                    standing, moved_s = verdict.standing, now_s
                if verdict.quiet or now_s - moved_s > STILL_S or now_s - began_s > QUIET_WITHIN_S:
                    return verdict
        finally:
            await _end(site)


async def _killed_and_back(victim: Peer, moment_s: float, away_s: float) -> None:
    await asyncio.sleep(moment_s)
    victim.kill()
    await asyncio.sleep(away_s)
    victim.start()


async def _end(site: ForkServerProcess) -> None:
    site.kill()
    await asyncio.to_thread(site.join)
