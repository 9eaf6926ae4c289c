"""Polls one router for ever: one GET a poll, and at most one GETBULK more to keep up with what exists and what it is
called.

Everything is surveyed at once at the start and when the router is no more what it was (`wan/inventory.py`). Network
trouble never raises: it is a reading with a cause.
"""

import asyncio
import time
from collections.abc import Callable
from typing import assert_never

import structlog

from wan.errors import RouterFault
from wan.ifmib import SYS_UPTIME
from wan.inventory import Inventory
from wan.profiles import PROFILES
from wan.reading import ActiveWanChanged, RouterReading
from wan.settings import RouterSettings
from wan.snmp import SnmpClient
from wan.snmp_port import SnmpPort
from wan.survey import Survey
from wan.tracker import Fact, RouterTracker

log = structlog.get_logger()


class RouterWatcher:
    """Watches the router of `settings`. `port`: the process's SNMP engine; without it the watcher opens one of its own.

    Raises WanMisuse at once if a secret cannot be read.
    """

    def __init__(self, settings: RouterSettings, port: SnmpPort | None = None) -> None:
        self._settings = settings
        self._credentials = settings.credentials()
        self._profile = PROFILES[settings.profile]
        self._inventory = Inventory(self._profile, settings.hints())
        self._shared_port = port
        self._own_port: SnmpPort | None = None
        self._client: SnmpClient | None = None
        self._survey: Survey | None = None
        self._next_survey_s = 0.0
        self._lacking: tuple[str, ...] = ()

    async def prepare(self) -> None:
        """Do what costs most the first time, before anything is timed: make the engine and exchange one request.

        A silent router costs one poll's time-outs. `run` does it if it was not done.
        """
        client = await self._connected()
        try:
            await client.get((SYS_UPTIME,))
        except RouterFault as fault:
            log.debug("router not there yet", router=self._settings.name, why=str(fault))

    async def run(self, emit: Callable[[Fact], None], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Emit until cancelled. The first reading is STARTING."""
        tracker = RouterTracker(self._settings.name, monotonic())
        emit(tracker.reading)
        try:
            client = await self._connected()
            due_s = monotonic()
            while True:
                before = tracker.reading
                for fact in await self._poll(client, tracker, monotonic):
                    _log_change(before, fact)
                    emit(fact)
                if tracker.reading.answering:
                    await self._survey_a_little(client, monotonic())
                due_s = max(due_s + self._settings.poll_s, monotonic())
                await asyncio.sleep(due_s - monotonic())
        finally:
            self.close()

    def close(self) -> None:
        """Close what `prepare` opened. `run` does it when it ends."""
        self._client = None
        if self._own_port is not None:
            self._own_port.close()
            self._own_port = None

    async def _connected(self) -> SnmpClient:
        if self._client is None:
            port = self._shared_port
            if port is None:
                port = self._own_port = await SnmpPort.open()
            self._client = SnmpClient(
                port,
                self._credentials,
                host=self._settings.host,
                udp_port=self._settings.port,
                timeout_s=self._settings.timeout_s,
                retries=self._settings.retries,
            )
        return self._client

    async def _poll(self, client: SnmpClient, tracker: RouterTracker, monotonic: Callable[[], float]) -> list[Fact]:
        asked_s = monotonic()
        try:
            if self._inventory.is_new:
                await self._survey_at_once(client, asked_s)
            polled = await client.get(self._inventory.fast)
            if self._inventory.outdated_by(polled):
                await self._survey_at_once(client, asked_s)
                polled = await client.get(self._inventory.fast)
        except RouterFault as fault:
            log.debug("router poll failed", router=self._settings.name, why=str(fault))
            return tracker.missed(fault.cause, asked_s=asked_s, at_s=monotonic())
        return tracker.answered(self._inventory.decode(polled), monotonic())

    async def _survey_at_once(self, client: SnmpClient, now_s: float) -> None:
        self._survey = Survey(self._profile.survey)
        while self._survey is not None:
            await self._survey_step(client, self._survey, now_s)

    async def _survey_a_little(self, client: SnmpClient, now_s: float) -> None:
        """One step of the slow round. A step that fails is tried again after the next poll."""
        if self._survey is None and now_s >= self._next_survey_s:
            self._survey = Survey(self._profile.survey)
        if self._survey is not None:
            try:
                await self._survey_step(client, self._survey, now_s)
            except RouterFault as fault:
                log.debug("router survey failed", router=self._settings.name, why=str(fault))

    async def _survey_step(self, client: SnmpClient, survey: Survey, now_s: float) -> None:
        start = survey.next_request()
        if start is not None:
            survey.feed(await client.rows_after(start))
        if survey.next_request() is None:
            self._survey = None
            self._next_survey_s = now_s + self._settings.slow_s
            self._note_lacking(self._inventory.learn(survey.found))

    def _note_lacking(self, lacking: tuple[str, ...]) -> None:
        if lacking != self._lacking:
            self._lacking = lacking
            log.warning("router lacks configured WANs", router=self._settings.name, lacking=lacking)


def _log_change(before: RouterReading, fact: Fact) -> None:
    match fact:
        case ActiveWanChanged():
            log.info("active wan changed", router=fact.router, previous=fact.previous, active=fact.active)
        case RouterReading():
            if (fact.answering, fact.cause) != (before.answering, before.cause):
                log.info("router", router=fact.router, answering=fact.answering, cause=fact.cause.value)
            states = {wan.wan: wan.state for wan in before.wans}
            for wan in fact.wans:
                if fact.answering and states.get(wan.wan) is not wan.state:
                    log.info("wan", router=fact.router, wan=wan.wan, name=wan.name, state=wan.state.value)
        case _:
            assert_never(fact)
