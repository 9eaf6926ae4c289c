"""A killed node of the NOC's cluster: three nodes of NATS, the site on one of them, which is killed with kill -9. How
long until another node acknowledges an event, and is anything missing in the end?
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from unittest import mock

from bench.bounded import BenchFailed
from bench.report_oracle import Told, Verdict, compare
from bench.report_peers import Consumer
from bench.report_site import Plan, generate, open_site
from bench.report_talk import mark_of
from bench.table import table
from edged.core.events import Channel
from edged.record.recorded import Recorded
from edged.record.store import Store
from edged.report.outgoing import Outgoing, Publication
from edged.report.reading import BrokerReading
from edged.report.taken import Taken
from lab.services.nats_cluster import Cluster, nats_cluster

KILLS = 5
EVENTS_PER_S = 20.0
LOOK_EVERY_S = 0.02
CONNECTED_WITHIN_S = 60.0
BETWEEN_S = 8.0
"""A node that came back is up to date again."""
QUIET_WITHIN_S = 180.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One event by the broker, with a PUBACK."""

    connection: Outgoing
    """There is one for each connection."""
    at_s: float


@contextmanager
def _noting(taken: list[Acknowledged]) -> Iterator[None]:
    """Every acknowledged event of every reporter in this process."""
    answered = Outgoing.answered

    def noted(self: Outgoing, number: int, code: int, now_s: float) -> Publication | None:
        publication = answered(self, number, code, now_s)
        if publication and publication.rows and Taken.of(code) is Taken.YES:
            taken.append(Acknowledged(self, time.monotonic()))
        return publication

    with mock.patch.object(Outgoing, "answered", noted):
        yield


@dataclass
class Watched:
    """The site, in this process, and what it told."""

    store: Store
    told: list[Told] = field(default_factory=list)
    taken: list[Acknowledged] = field(default_factory=list)
    reading: BrokerReading | None = None

    def tell(self, rows: Sequence[Recorded]) -> None:
        for row in rows:
            if row.durable:
                mark = mark_of(json.loads(row.body))
                self.told.append(Told(row.channel is Channel.TIER, (row.stream, row.sequence), mark))

    @property
    def broker(self) -> str | None:
        """Where it is connected."""
        return self.reading.broker if self.reading and self.reading.connected else None


async def nats(directory: Path) -> dict[str, float | int | None]:
    async with nats_cluster(directory / "nats") as cluster:
        brokers = [f"{host}:{port}" for host, port in cluster.brokers]
        consumer = Consumer(directory, [brokers[-1], *brokers[:-1]], "--mqtt", "3.1.1")
        consumer.start()
        try:
            async with _site(directory, brokers) as site:
                back_s = [await _kill(cluster, site) for _ in range(KILLS)]
                verdict = await _until_quiet(consumer, site.told)
        finally:
            consumer.stop()
    rows = [[f"kill {number}", f"{each:.1f}"] for number, each in enumerate(back_s, 1)]
    print("\n" + table(("NATS, node of the site", "back after s"), rows))
    print(f"\n{verdict.told} tier events, {len(verdict.lost)} lost, {verdict.gaps} gaps, {verdict.again} came again")
    return {"nats_gaps": verdict.gaps + len(verdict.lost), "nats_back_s": round(median(back_s), 1)}


@asynccontextmanager
async def _site(directory: Path, brokers: Sequence[str]) -> AsyncIterator[Watched]:
    readings: list[BrokerReading] = []
    store, backlog, reporter = await open_site(directory / "state", brokers, readings.append)
    site = Watched(store)
    plan = Plan(directory / "state", tuple(brokers), directory / "oracle", directory / "log", "nats", 1, EVENTS_PER_S)

    async def read() -> None:
        while True:
            site.reading = readings[-1] if readings else None
            del readings[:-1]
            await asyncio.sleep(LOOK_EVERY_S)

    parts = (reporter.run(), read(), generate(store, plan, site.tell))
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        with _noting(site.taken):
            yield site
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await backlog.close()
        await store.close()


async def _kill(cluster: Cluster, site: Watched) -> float:
    """Seconds from the kill to the first event another node acknowledged."""
    await _until("the site is connected", lambda: site.broker is not None)
    await asyncio.sleep(BETWEEN_S)
    host, _, port = (site.broker or "").rpartition(":")
    node = cluster.at((host, int(port)))
    before, killed_s = site.taken[-1].connection, time.monotonic()
    await node.kill()
    await _until("another node takes an event", lambda: site.taken[-1].connection is not before)
    back_s = next(each.at_s for each in site.taken if each.connection is site.taken[-1].connection) - killed_s
    await node.start()
    await cluster.ready()
    return back_s


async def _until(what: str, met: Callable[[], bool]) -> None:
    over_s = time.monotonic() + CONNECTED_WITHIN_S
    while not met():
        if time.monotonic() > over_s:
            raise BenchFailed(f"not within {CONNECTED_WITHIN_S:g} s: {what}")
        await asyncio.sleep(LOOK_EVERY_S)


async def _until_quiet(consumer: Consumer, told: Sequence[Told]) -> Verdict:
    over_s = time.monotonic() + QUIET_WITHIN_S
    settled = list(told)
    while True:
        verdict = compare(settled, await asyncio.to_thread(consumer.holding))
        if verdict.quiet or time.monotonic() > over_s:
            return verdict
        await asyncio.sleep(1)
