"""The way to the NOC: keeps a connection to its broker, for ever, and tells how that goes.

The connection is bound to the link that is judged best (`via`). Holds nothing the record or the backlog has not.
Cancelling `run` is the ordered stop: `state` becomes `stopped`, then DISCONNECT.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog
from aiomqtt import ProtocolVersion

from edged.clock import Clock, boot_id
from edged.core.events import Json
from edged.record.backlog import Backlog
from edged.record.envelope import Origin
from edged.record.store import Store
from edged.report.backoff import Backoff
from edged.report.connection import Connection, Door, Will, connect
from edged.report.conversation import TICK_S, Conversation, Remote
from edged.report.dial import ANY_WAY, Way
from edged.report.doors import Doors
from edged.report.errors import LineDown
from edged.report.messages import Composer
from edged.report.names import Names
from edged.report.pacing import Share
from edged.report.papers import Papers
from edged.report.reading import BrokerCause, BrokerReading, Noc
from edged.report.settings import BrokerSettings, ShareSettings

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
        backlog: Backlog | None = None,
        ways: Mapping[str, Way] | None = None,
        shares: Mapping[str, Share] | None = None,
        link: str | None = None,
        remote: Remote | None = None,
        papers: Papers | None = None,
    ) -> None:
        """`birth` goes into every `state` (version, config hash). `snapshots` gives what each thing looks like now,
        once a second. `ways` and `shares` are by link, `link` is the one to begin with.
        """
        self._store, self._settings, self._origin, self._clock, self._birth = store, settings, origin, clock, birth
        self._snapshots, self._emit, self._backlog, self._remote = snapshots, emit, backlog, remote
        self._ways, self._link, self._papers = ways or {}, link, papers
        named = {name: Share.of(share.replay_kbit, share.monthly_mb) for name, share in settings.links.items()}
        self._shares = {**named, **(shares or {})}
        self._unnamed = Share.of(ShareSettings().replay_kbit, None)
        self._boot = boot_id()
        self._backoff = Backoff(settings.reconnect_first_s, settings.reconnect_cap_s)
        self._doors, self._names = Doors(settings.servers), Names()
        self._epoch: int | None = None  # taken from the record, not used for a connection yet
        self._wake = asyncio.Event()
        self._attempt: asyncio.Task[Connection] | None = None
        self._conversation: Conversation | None = None
        self._connection: Connection | None = None
        self._cost_bytes = 0  # of this connection, as far as it was charged
        self._unwanted: LineDown | None = None
        self._refused_input = 0
        self._told: BrokerReading | None = None
        store.watch(self._new_rows)
        for source in (backlog, remote):
            if source:
                source.watch(self._wake.set)

    async def run(self) -> None:
        """Until cancelled."""
        self._tell(LineDown(BrokerCause.STARTING, "not tried yet"))
        while True:
            try:
                await self._converse()
            except LineDown as end:
                await self._pause(end)

    def _new_rows(self) -> None:
        if self._conversation:
            self._conversation.new_rows()
        self._wake.set()

    # ── told from outside ──────────────────────────────────────────────────────────────────────────────
    def via(self, link: str | None) -> None:
        """The connection belongs on this link (None: wherever the router sends it): whatever connection there is, or is
        being made, is dropped and made again at once. Also ends a long pause: a link that is back is tried now.
        """
        if link != self._link:
            self._link = link
            self._renew(LineDown(BrokerCause.MOVED, f"now by {link or 'whatever way there is'}"))

    def new_papers(self) -> None:
        """The certificates were exchanged for sound ones: made anew with them."""
        self._renew(LineDown(BrokerCause.PAPERS, "certificates were exchanged"))

    def broker_certificate(self) -> bytes | None:
        """What the broker shows on the connection there is, DER."""
        return self._connection.broker_certificate() if self._connection else None

    def _renew(self, why: LineDown) -> None:
        self._unwanted = why
        self._backoff.reset()
        self._doors.start_over()
        if self._conversation:
            self._conversation.unwanted = why
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
        self._epoch, self._connection = None, connection
        born_s = self._clock.monotonic()
        log.info(
            "connected to the NOC's broker",
            broker=self._broker,
            link=self._link,
            protocol=_VERSIONS[connection.protocol],
        )
        try:
            self._conversation = await self._conversation_on(connection, composer)
            await self._conversation.run()
        except asyncio.CancelledError:
            if self._conversation:
                await self._conversation.goodbye()
            raise
        finally:
            self._charge()
            connection.drop()
            self._over()
            # it stood: not one of a row of failures
            if self._clock.monotonic() - born_s >= self._settings.reconnect_cap_s:
                self._backoff.reset()

    def _over(self) -> None:
        if self._conversation:
            self._conversation.let_go()
            self._refused_input += self._conversation.refused_input
        self._conversation = self._connection = None
        self._cost_bytes = 0

    async def _connect(self, composer: Composer) -> Connection:
        door = Door(self._doors.server, self._way, self._doors.protocol(self._clock.monotonic()))
        client_id = self._settings.client_id or f"edged-{self._origin.tenant}-{self._origin.site}"
        self._unwanted = None
        self._attempt = attempt = asyncio.create_task(
            connect(
                self._settings,
                door,
                self._names,
                self._papers,
                client_id=client_id,
                will=Will(*composer.will()),
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
            raise self._unwanted or LineDown(BrokerCause.MOVED, "the way changed")
        return self._met(attempt)

    def _met(self, attempt: "asyncio.Task[Connection]") -> Connection:
        """What an attempt tells about its door."""
        try:
            connection = attempt.result()
        except LineDown as end:
            self._names.doubt(self._doors.server)
            self._doors.closed(end.cause, self._clock.monotonic())
            raise
        self._doors.opened()
        if self._unwanted:  # while the attempt ended by itself
            connection.drop()
            raise self._unwanted
        return connection

    async def _conversation_on(self, connection: Connection, composer: Composer) -> Conversation:
        newest = await self._store.recent(1)
        return Conversation(
            connection,
            composer,
            born_row=newest[-1].row if newest else 0,
            store=self._store,
            backlog=self._backlog,
            share=self._share,
            settings=self._settings,
            snapshots=self._snapshots,
            remote=self._remote,
            wake=self._wake,
            tell=self._tell,
        )

    @property
    def _way(self) -> Way:
        if self._settings.source_address:
            return Way(str(self._settings.source_address))
        return self._ways.get(self._link, ANY_WAY) if self._link else ANY_WAY

    @property
    def _share(self) -> Share:
        return self._shares.get(self._link or "", self._unnamed)

    # ── what it costs, and what is told ────────────────────────────────────────────────────────────────
    def _charge(self) -> None:
        if self._connection:
            cost_bytes = self._connection.cost_bytes()
            self._share.spent(cost_bytes - self._cost_bytes, self._clock.wall())
            self._cost_bytes = max(self._cost_bytes, cost_bytes)

    async def _pause(self, end: LineDown) -> None:
        """Tells what ended, and waits as long as that deserves; `via` ends the waiting."""
        known = self._told is not None and (end.cause, end.code) == (self._told.cause, self._told.code)
        (log.debug if known else log.info)("no connection to the NOC's broker", broker=self._broker, why=str(end))
        over_s = self._clock.monotonic() + self._pause_s(end)
        while True:
            self._tell(end)
            left_s = over_s - self._clock.monotonic()
            if left_s <= 0 or self._unwanted not in (None, end):
                return
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, TICK_S)):
                    await self._wake.wait()

    def _pause_s(self, end: LineDown) -> float:
        if end.cause in (BrokerCause.MOVED, BrokerCause.PAPERS):
            return 0.0
        return 0.0 if self._doors.more_to_try else self._backoff.pause_s()

    @property
    def _broker(self) -> str:
        host, port = self._doors.server
        return f"{host}:{port}"

    def _tell(self, end: LineDown | None = None) -> None:
        """Emits a reading if something changed, or a second has passed."""
        trouble = self._conversation.trouble if self._conversation else None
        cause = end.cause if end else trouble.cause if trouble else BrokerCause.STARTING
        code = end.code if end else trouble.code if trouble else None
        reading = self._reading(cause, code)
        if self._told is None or reading.changed or reading.at_s - self._told.at_s >= TICK_S:
            self._charge()
            self._told = reading
            self._emit(reading)

    def _reading(self, cause: BrokerCause, code: int | None) -> BrokerReading:
        talk, record, now_s = self._conversation, self._store.status(), self._clock.monotonic()
        backlog = self._backlog.status() if self._backlog else None
        reading = BrokerReading(
            broker=self._broker,
            link=self._link,
            at_s=now_s,
            connected=talk is not None,
            since_s=now_s,
            cause=cause,
            code=code,
            changed=True,
            protocol=_VERSIONS[self._connection.protocol] if talk and self._connection else None,
            epoch=talk.epoch if talk else 0,
            noc=talk.noc if talk else Noc.UNKNOWN,
            pending_tier=record.pending_tier,
            pending_log=record.pending_log,
            in_flight=talk.in_flight if talk else 0,
            dropped=backlog.evicted + backlog.lost if backlog else 0,
            waiting=backlog.waiting if backlog else 0,
            over_budget=self._share.over_budget,
            refused_input=self._refused_input + (talk.refused_input if talk else 0),
        )
        return reading if self._told is None else _compared(reading, self._told)


def _compared(reading: BrokerReading, before: BrokerReading) -> BrokerReading:
    """With `since_s` and `changed` as the reading before makes them."""
    now, then = ((r.connected, r.link, r.cause, r.code, r.protocol, r.noc, r.over_budget) for r in (reading, before))
    since_s = before.since_s if reading.connected is before.connected else reading.at_s
    return replace(reading, since_s=since_s, changed=now != then)
