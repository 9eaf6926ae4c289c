"""A site to be killed: the real Store, Backlog and Reporter, and a generator of random bursts. A process of its own,
forked from one that has everything imported, so that a life can be short.

For each event whose `append` says that it is on the disk, a line goes to the oracle (`bench.report_oracle`).
"""

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.report_oracle import Told
from bench.report_talk import links, log_event, mark_of, tier_event
from edged.clock import SystemClock
from edged.core.events import Channel, Event, Json
from edged.record.backlog import Backlog, BacklogSettings
from edged.record.envelope import Origin
from edged.record.recorded import Recorded
from edged.record.settings import RecordSettings
from edged.record.store import Store
from edged.report.mqtt import Reporter
from edged.report.reading import BrokerReading
from edged.report.settings import BrokerSettings

ORIGIN = Origin("bench", "room-1")
BIRTH: dict[str, Json] = {"version": "0.1.0", "config_hash": "c0ffee"}
LIFE_S = 300.0
"""Longer than any life here; a site that nobody kills ends by itself."""
EVENTS_PER_S = 50.0
BURST = 9
TIER_SHARE = 0.6
TELEMETRY_EVERY_S = 0.25
CHECKPOINT = b"c" * 900
"""As large as the judge's on a calm site."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one life of the site does."""

    directory: Path
    brokers: tuple[str, ...]
    """host:port"""
    oracle: Path
    log: Path
    name: str
    """Of this life; goes into every mark."""
    seed: int
    events_per_s: float = EVENTS_PER_S
    """0: only says what is left to say."""


def live(plan: Plan) -> None:
    """The process."""
    os.setpgid(0, 0)  # Ctrl-C is the bench's affair
    log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    with suppress(TimeoutError):
        asyncio.run(_live(plan))
    sys.exit(0)


async def _live(plan: Plan) -> None:
    oracle = os.open(plan.oracle, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    async with asyncio.timeout(LIFE_S):
        store, backlog, reporter = await open_site(plan.directory, plan.brokers)

        def tell(rows: Sequence[Recorded]) -> None:
            for row in rows:
                if row.durable:
                    os.write(oracle, _told(row).line())

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reporter.run())
            if plan.events_per_s:
                tasks.create_task(generate(store, plan, tell))
                tasks.create_task(_measure(backlog, random.Random(plan.seed)))


async def open_site(
    directory: Path, brokers: Sequence[str], emit: Callable[[BrokerReading], None] = lambda _: None
) -> tuple[Store, Backlog, Reporter]:
    """As the daemon wires them."""
    clock = SystemClock()
    store = await Store.open(directory, origin=ORIGIN, clock=clock, settings=RecordSettings())
    backlog = await Backlog.open(directory, origin=ORIGIN, clock=clock, settings=BacklogSettings())
    reporter = Reporter(
        store,
        settings_for(brokers),
        origin=ORIGIN,
        clock=clock,
        birth=BIRTH,
        snapshots=dict,
        emit=emit,
        backlog=backlog,
    )
    return store, backlog, reporter


def settings_for(brokers: Sequence[str]) -> BrokerSettings:
    host, _, port = brokers[0].rpartition(":")
    return BrokerSettings.model_validate({"host": host, "port": int(port), "also": tuple(brokers[1:])})


async def generate(store: Store, plan: Plan, tell: Callable[[Sequence[Recorded]], None]) -> None:
    """Bursts of 1 to BURST events, as many a second as planned, at random moments."""
    chance = random.Random(plan.seed)
    mean_s = (BURST + 1) / 2 / plan.events_per_s
    count = 0
    while True:
        await asyncio.sleep(chance.expovariate(1 / mean_s))
        burst = [event(f"{plan.name}.{count + n}", tier=chance.random() < TIER_SHARE) for n in range(_size(chance))]
        count += len(burst)
        tell(await store.append(burst, CHECKPOINT))


def event(mark: str, *, tier: bool = True) -> Event:
    at_s = SystemClock().monotonic()
    return tier_event(mark, at_s) if tier else log_event(mark, at_s)


def _size(chance: random.Random) -> int:
    return chance.randint(1, BURST)


async def _measure(backlog: Backlog, chance: random.Random) -> None:
    while True:
        backlog.put("links", links(chance))
        await asyncio.sleep(TELEMETRY_EVERY_S)


def _told(row: Recorded) -> Told:
    return Told(row.channel is Channel.TIER, (row.stream, row.sequence), mark_of(json.loads(row.body)))
