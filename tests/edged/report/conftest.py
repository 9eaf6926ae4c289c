import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edged.clock import SystemClock
from edged.core.events import Json
from edged.record.backlog import Backlog, BacklogSettings
from edged.record.store import Store
from edged.report.dial import Way
from edged.report.mqtt import Reporter
from edged.report.papers import Papers
from edged.report.reading import BrokerReading
from edged.report.settings import BrokerSettings
from tests.edged.record.scene import ORIGIN, open_store
from tests.edged.report.broker import Mosquitto

BIRTH: Mapping[str, Json] = {"version": "0.1.0", "config_hash": "c0ffee"}


@pytest.fixture(autouse=True)
def any_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reported does not care what an event says; tests/edged/contract does."""
    monkeypatch.setattr("edged.record.envelope.fit", lambda kind, data: (data, []))


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens once a second happens ten times a second here."""
    monkeypatch.setattr("edged.report.conversation.TICK_S", 0.1)
    monkeypatch.setattr("edged.report.mqtt.TICK_S", 0.1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true").start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "state")
    yield store
    await store.close()


@pytest.fixture
async def backlog(tmp_path: Path) -> AsyncIterator[Backlog]:
    backlog = await Backlog.open(tmp_path / "state", origin=ORIGIN, clock=SystemClock(), settings=BacklogSettings())
    yield backlog
    await backlog.close()


@dataclass
class Running:
    """A reporter at work, and what it tells."""

    store: Store
    snapshots: dict[str, Json] = field(default_factory=lambda: {"tier": {"tier": 0}})
    readings: list[BrokerReading] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    reporter: Reporter = field(init=False)
    links: tuple[str, str] = ("fiber", "cellular")

    def start(
        self,
        port: int,
        *,
        backlog: Backlog | None = None,
        ways: Mapping[str, Way] | None = None,
        link: str | None = None,
        papers: Papers | None = None,
        **settings: object,
    ) -> "Running":
        usual = {"host": "127.0.0.1", "port": port, "reconnect_first_s": 0.1, "will_delay_s": 0}
        self.reporter = Reporter(
            self.store,
            BrokerSettings.model_validate({**usual, **settings}),
            origin=ORIGIN,
            clock=SystemClock(),
            birth=BIRTH,
            snapshots=lambda: self.snapshots,
            emit=self._emit,
            backlog=backlog,
            ways=ways,
            link=link,
            papers=papers,
        )
        self._task = asyncio.create_task(self.reporter.run())
        return self

    def _emit(self, reading: BrokerReading) -> None:
        self.readings.append(reading)
        self._news.set()

    def move(self) -> None:
        """The connection belongs on another link now."""
        self.links = self.links[::-1]
        self.reporter.via(self.links[0])

    @property
    def last(self) -> BrokerReading:
        return self.readings[-1]

    async def until(self, met: Callable[[BrokerReading], bool], timeout_s: float = 10.0) -> BrokerReading:
        """Waits for a reading like that."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (self.readings and met(self.last)):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never told; the last was {self.readings[-1:]}") from None
        return self.last

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None


@pytest.fixture
async def running(store: Store, backlog: Backlog) -> AsyncIterator[Running]:
    """Asks for the backlog so that it outlives the reporter, where a test has one."""
    running = Running(store)
    yield running
    await running.stop()
