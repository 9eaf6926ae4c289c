"""The way to the NOC: keeps a connection to its broker, for ever, and tells how that goes.

Holds nothing the record has not, except telemetry. Cancelling `run` is the ordered stop: `state` becomes `stopped`,
then DISCONNECT.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog
from aiomqtt import ProtocolVersion

from edged.clock import Clock, boot_id
from edged.core.events import Json
from edged.record.envelope import Origin, stamp
from edged.record.store import Store
from edged.report.backoff import Backoff
from edged.report.connection import Connection, Will, connect
from edged.report.conversation import TICK_S, Conversation
from edged.report.errors import LineDown
from edged.report.live import Measured, TelemetryQueue
from edged.report.messages import Composer
from edged.report.reading import BrokerCause, BrokerReading, Noc
from edged.report.settings import BrokerSettings

log = structlog.get_logger()

_VERSIONS = {ProtocolVersion.V5: "5", ProtocolVersion.V311: "3.1.1"}


class Reporter:
    def __init__(
        self,
        store: Store,
        settings: BrokerSettings,
        *,
        origin: Origin,
        clock: Clock,
        birth: Mapping[str, Json],
        snapshots: Callable[[], Mapping[str, Json]],
        emit: Callable[[BrokerReading], None],
    ) -> None:
        """`birth` goes into every `state` (version, config hash). `snapshots` gives what each thing looks like now,
        once a second.
        """
        self._store, self._settings, self._origin, self._clock, self._birth = store, settings, origin, clock, birth
        self._snapshots, self._emit = snapshots, emit
        self._boot = boot_id()
        self._telemetry = TelemetryQueue(settings.telemetry_queue)
        self._backoff = Backoff(settings.reconnect_first_s, settings.reconnect_cap_s)
        self._protocol = ProtocolVersion.V5
        self._epoch: int | None = None  # taken from the record, not used for a connection yet
        self._wake = asyncio.Event()
        self._attempt: asyncio.Task[Connection] | None = None
        self._conversation: Conversation | None = None
        self._moved = False
        self._refused_input = 0
        self._told: BrokerReading | None = None
        store.watch(self._new_rows)

    async def run(self) -> None:
        """Until cancelled."""
        self._tell(LineDown(BrokerCause.STARTING, "not tried yet"))
        while True:
            try:
                await self._converse()
            except LineDown as end:
                await self._pause(end)

    def telemetry(self, kind: str, data: Mapping[str, Json]) -> None:
        """Queues one measurement for `tel/{kind}`: sent within 300 s or dropped and counted. Never waits."""
        self._telemetry.put(Measured(kind, data, stamp(self._clock, self._boot)))
        self._wake.set()

    def _new_rows(self) -> None:
        if self._conversation:
            self._conversation.new_rows()
        self._wake.set()

    def reconnect(self) -> None:
        """The traffic goes another way now: whatever connection there is, or is being made, is dropped and made again
        at once.
        """
        self._moved = True
        self._backoff.reset()
        if self._conversation:
            self._conversation.moved = True
        if self._attempt:
            self._attempt.cancel()
        self._wake.set()

    # ── one connection after another ───────────────────────────────────────────────────────────────────
    async def _converse(self) -> None:
        """Raises LineDown when the connection could not be made, or is over."""
        if self._epoch is None:
            self._epoch = await self._store.next_epoch()
        composer = Composer(
            self._origin, self._clock, self._boot, self._store.status().stream, self._epoch, self._birth
        )
        connection = await self._connect(composer)
        self._epoch = None
        born_s = self._clock.monotonic()
        self._conversation = conversation = self._conversation_on(connection, composer)
        log.info("connected to the NOC's broker", broker=self._broker, protocol=_VERSIONS[self._protocol])
        try:
            await conversation.run()
        except asyncio.CancelledError:
            await conversation.goodbye()
            raise
        finally:
            connection.drop()
            self._refused_input += conversation.refused_input
            self._conversation = None
            # it stood: not one of a row of failures
            if self._clock.monotonic() - born_s >= self._settings.reconnect_cap_s:
                self._backoff.reset()

    async def _connect(self, composer: Composer) -> Connection:
        topic, payload = composer.will()
        client_id = self._settings.client_id or f"edged-{self._origin.tenant}-{self._origin.site}"
        self._moved = False
        self._attempt = attempt = asyncio.create_task(
            connect(
                self._settings,
                client_id=client_id,
                protocol=self._protocol,
                will=Will(topic, payload),
                wake=self._wake.set,
            )
        )
        try:
            await asyncio.wait([attempt])
        except asyncio.CancelledError:
            attempt.cancel()
            with suppress(asyncio.CancelledError, LineDown):
                (await attempt).drop()
            raise
        finally:
            self._attempt = None
        if attempt.cancelled():
            raise LineDown(BrokerCause.MOVED, "the active WAN changed")
        return attempt.result()

    def _conversation_on(self, connection: Connection, composer: Composer) -> Conversation:
        return Conversation(
            connection,
            composer,
            store=self._store,
            settings=self._settings,
            telemetry=self._telemetry,
            snapshots=self._snapshots,
            wake=self._wake,
            tell=self._tell,
        )

    async def _pause(self, end: LineDown) -> None:
        """Tells what ended, and waits as long as that deserves; `reconnect` ends the waiting."""
        known = self._told is not None and (end.cause, end.code) == (self._told.cause, self._told.code)
        (log.debug if known else log.info)("no connection to the NOC's broker", broker=self._broker, why=str(end))
        over_s = self._clock.monotonic() + self._pause_s(end)
        self._moved = False
        while True:
            self._tell(end)
            left_s = over_s - self._clock.monotonic()
            if left_s <= 0 or self._moved:
                return
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, TICK_S)):
                    await self._wake.wait()

    def _pause_s(self, end: LineDown) -> float:
        match end.cause:
            case BrokerCause.MOVED:
                return 0.0
            case BrokerCause.VERSION if self._protocol is ProtocolVersion.V5:
                self._protocol = ProtocolVersion.V311  # and stays so: a broker is replaced less often than a daemon
                return 0.0
            case BrokerCause.VERSION:
                self._protocol = ProtocolVersion.V5
        return self._backoff.pause_s()

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def _broker(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _tell(self, end: LineDown | None = None) -> None:
        """Emits a reading if something changed, or a second has passed."""
        trouble = self._conversation.trouble if self._conversation else None
        cause = end.cause if end else trouble.cause if trouble else BrokerCause.STARTING
        code = end.code if end else trouble.code if trouble else None
        reading = self._reading(cause, code)
        if self._told is None or reading.changed or reading.at_s - self._told.at_s >= TICK_S:
            self._told = reading
            self._emit(reading)

    def _reading(self, cause: BrokerCause, code: int | None) -> BrokerReading:
        talk, record, now_s = self._conversation, self._store.status(), self._clock.monotonic()
        reading = BrokerReading(
            broker=self._broker,
            at_s=now_s,
            connected=talk is not None,
            since_s=now_s,
            cause=cause,
            code=code,
            changed=True,
            protocol=_VERSIONS[self._protocol] if talk else None,
            epoch=talk.epoch if talk else 0,
            noc=talk.noc if talk else Noc.UNKNOWN,
            pending_tier=record.pending_tier,
            pending_log=record.pending_log,
            in_flight=talk.in_flight if talk else 0,
            dropped=self._telemetry.dropped,
            refused_input=self._refused_input + (talk.refused_input if talk else 0),
        )
        return reading if self._told is None else _compared(reading, self._told)


def _compared(reading: BrokerReading, before: BrokerReading) -> BrokerReading:
    """With `since_s` and `changed` as the reading before makes them."""
    now, then = ((r.connected, r.cause, r.code, r.protocol, r.noc) for r in (reading, before))
    since_s = before.since_s if reading.connected is before.connected else reading.at_s
    return replace(reading, since_s=since_s, changed=now != then)
