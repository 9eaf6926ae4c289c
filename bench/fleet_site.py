"""One simulated site: the record, the backlog and the reporter of the real daemon, and in place of the judge somebody
who says what one would say.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from random import Random

from bench.fleet_words import Doc, link_seconds, things, tier_event
from edged.clock import SystemClock
from edged.record.backlog import Backlog, BacklogSettings
from edged.record.envelope import Origin
from edged.record.recorded import Acknowledgement, Recorded
from edged.record.settings import RecordSettings
from edged.record.store import Store
from edged.report.mqtt import Reporter
from edged.report.reading import BrokerReading
from edged.report.settings import BrokerSettings

TENANT = "fleet"
LINE = {
    # a ping every 15 s from each of 2,000 sites would be 133 a second that no event needs
    "keepalive_s": 300,
    # Six times a site's own patience: what is slow here is the process they share. A site that gave up after 5 s would
    # connect again, and make the others still slower: 2,000 of them never came back.
    "connect_timeout_s": 30.0,
    "puback_timeout_s": 30.0,
}


Acknowledged = Callable[[str, int, int], None]
"""Called with a stream and the first and last sequence the NOC now holds."""


class WatchedStore(Store):
    """Tells when the NOC's acknowledgements came."""

    acknowledge: Acknowledged

    async def acknowledged(self, stream: str, sequence: int) -> Acknowledgement:
        before = next((head.acknowledged for head in self.status().heads if head.stream == stream), sequence)
        became = await super().acknowledged(stream, sequence)
        if became is Acknowledgement.APPLIED:
            self.acknowledge(stream, before + 1, sequence)
        return became


class Site:
    """Made by `await Site.open(…)`."""

    def __init__(
        self, origin: Origin, store: Store, backlog: Backlog | None, clock: SystemClock, *, port: int, chance: Random
    ) -> None:
        self._store, self._backlog, self._clock, self._chance = store, backlog, clock, chance
        self._tier = 0
        self._said: BrokerReading | None = None
        self._running: asyncio.Task[None] | None = None
        self._reporter = Reporter(
            store,
            BrokerSettings.model_validate({"host": "127.0.0.1", "port": port, **LINE}),
            origin=origin,
            clock=clock,
            birth={"version": "fleet", "config_hash": "c0ffee"},
            snapshots=self._things,
            emit=self._hear,
            backlog=backlog,
        )

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        name: str,
        port: int,
        thread: Executor,
        clock: SystemClock,
        chance: Random,
        backlog: bool,
        acknowledged: Acknowledged,
    ) -> "Site":
        """`thread`: a single one, shared with other sites."""
        origin = Origin(TENANT, name)
        own = directory / origin.site
        store = await WatchedStore.open(own, origin=origin, clock=clock, settings=RecordSettings(), thread=thread)
        assert isinstance(store, WatchedStore)
        store.acknowledge = acknowledged
        later = (
            await Backlog.open(own, origin=origin, clock=clock, settings=BacklogSettings(), thread=thread)
            if backlog
            else None
        )
        return cls(origin, store, later, clock, port=port, chance=chance)

    def connect(self) -> None:
        self._running = asyncio.create_task(self._reporter.run())

    async def close(self) -> None:
        if self._running:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        if self._backlog:
            await self._backlog.close()
        await self._store.close()

    @property
    def connected(self) -> bool:
        return self._said is not None and self._said.connected

    @property
    def connection(self) -> int | None:
        """The number of the connection that stands, None while none does."""
        return self._said.epoch if self._said and self._said.connected else None

    @property
    def pending(self) -> int:
        """Tier events the NOC has not acknowledged."""
        return self._store.status().pending_tier

    async def say(self) -> Recorded | None:
        """A tier event, recorded; None where the record had no room."""
        event = tier_event(self._clock.monotonic(), self._chance)
        self._tier = event.tier
        recorded = await self._store.append([event])
        return recorded[0] if recorded else None

    def measure(self) -> None:
        """One message of telemetry, as a real site has every ten seconds."""
        if self._backlog:
            self._backlog.put("links", link_seconds(self._chance))

    def _things(self) -> Doc:
        return things(self._tier)

    def _hear(self, reading: BrokerReading) -> None:
        self._said = reading
