"""One connection's talk with the broker, from birth to the end of the line.

One loop looks at everything: what was heard is settled with the record, what may be said is said, what stays silent too
long ends it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

import structlog

from edged.core.events import Json
from edged.record.backlog import Backlog
from edged.record.errors import RecordMisused
from edged.record.recorded import Stretch
from edged.record.store import Store
from edged.report.bulk import Bulk
from edged.report.commands import (
    Reason,
    Rebirth,
    Refusal,
    Resend,
    Signed,
    parse_command,
    parse_noc,
    parse_watermark,
)
from edged.report.connection import Connection, Heard
from edged.report.errors import LineDown
from edged.report.messages import Composer, State
from edged.report.outgoing import PACKET_TOO_LARGE, Kind, Outgoing, Publication, Want
from edged.report.pacing import Share
from edged.report.reading import BrokerCause, Noc
from edged.report.resend import ResendJob
from edged.report.settings import BrokerSettings
from edged.report.shown import Snapshots
from edged.report.sweep import READ_AT_ONCE
from edged.report.taken import Taken
from edged.report.trouble import Trouble, Troubles
from edged.report.watermarks import Watermarks

log = structlog.get_logger()

TICK_S = 1.0
"""Snapshots are looked at, and silence is noticed, at least this often."""
ASK_AGAIN_S = 10.0
"""A subscription that was refused: a cluster that has just lost a node takes it a little later."""
NOT_SENT = 0
"""No message number of MQTT."""
GOODBYE_S = 1.5
"""How long an ordered stop waits for the broker to take our last word."""


class Remote(Protocol):
    """Who looks at signed commands."""

    answers: deque[dict[str, Json]]

    def take(self, payload: bytes) -> None: ...

    def watch(self, changed: Callable[[], None]) -> None: ...


class Conversation:
    def __init__(
        self,
        connection: Connection,
        composer: Composer,
        *,
        born_row: int,
        store: Store,
        backlog: Backlog | None,
        share: Share,
        settings: BrokerSettings,
        snapshots: Callable[[], Mapping[str, Json]],
        remote: Remote | None,
        wake: asyncio.Event,
        tell: Callable[[], None],
    ) -> None:
        """`born_row`: the newest row of the record before this connection was made."""
        self._connection, self._composer, self._store, self._settings = connection, composer, store, settings
        self._backlog, self._remote = backlog, remote
        self._snapshots, self._wake, self._tell = snapshots, wake, tell
        self._monotonic = composer.clock.monotonic
        self._outgoing = Outgoing(
            window=min(settings.in_flight, connection.receive_maximum), topics=composer.topics, born_row=born_row
        )
        self._bulk = Bulk(store, backlog, composer, self._outgoing, share, self._monotonic())
        self._shown = Snapshots()
        self._snapshots_due_s = self._asked_at_s = self._monotonic()
        self._record_said = (store.status().stream, store.status().durable)
        self._watermarks = Watermarks(store, self._outgoing)
        self._troubles = Troubles()
        self._ask_again_s = self._asked_at_s
        self._hearers = {
            composer.topics.acknowledgement: self._hear_watermark,
            composer.topics.request: self._hear_command,
            composer.topics.noc: self._hear_noc,
        }
        self.noc = Noc.UNKNOWN
        self._refused = 0
        self.unwanted: LineDown | None = None
        """Set from outside: why this connection must be made anew."""

    def new_rows(self) -> None:
        """The record may hold more than before."""
        self._outgoing.new_rows()

    @property
    def epoch(self) -> int:
        return self._composer.epoch

    @property
    def in_flight(self) -> int:
        return self._outgoing.in_flight

    @property
    def refused_input(self) -> int:
        return self._refused + self._watermarks.ignored

    @property
    def trouble(self) -> Trouble:
        return self._troubles.worst

    async def run(self) -> None:
        """Raises LineDown when it is over."""
        self._outgoing.say(self._composer.state(State.ONLINE, self._store.status()))
        self._connection.ask_for(list(self._hearers))
        while True:
            self._wake.clear()
            self._hear()
            await self._settle()
            self._notice_the_record()
            self._show()
            await self._speak()
            self._check()
            self._tell()
            await self._rest()

    async def goodbye(self) -> None:
        """The ordered stop: what was recorded last (that we stop), then our last word. Takes GOODBYE_S and a little at
        most; a line that is down needs none.
        """
        try:
            await self._speak()
            number = self._connection.send(self._composer.state(State.STOPPED, self._store.status()))
        except LineDown:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                while not self._connection.down and number not in (
                    answered for answered, _ in self._connection.answers
                ):
                    self._wake.clear()
                    await self._wake.wait()
        self._hear()
        await self._settle()
        await self._connection.hang_up(timeout_s=0.5)

    # ── hearing ────────────────────────────────────────────────────────────────────────────────────────
    def _hear(self) -> None:
        now_s = self._monotonic()
        while self._connection.answers:
            number, code = self._connection.answers.popleft()
            self._answered(number, code, now_s)
        if self._connection.subscribed:
            self._troubles.subscribed(self._connection.subscribed)
            self._connection.subscribed = []
            self._ask_again_s = now_s + ASK_AGAIN_S
        if self._troubles.deaf and now_s >= self._ask_again_s:
            self._ask_again_s = now_s + ASK_AGAIN_S
            self._connection.ask_for(list(self._hearers))
        while self._connection.heard:
            heard = self._connection.heard.popleft()
            if hearer := self._hearers.get(heard.topic):
                hearer(heard)
        while self._remote and self._remote.answers:
            self._outgoing.say(self._composer.answer(self._remote.answers.popleft()))

    def _answered(self, number: int, code: int, now_s: float) -> None:
        if publication := self._outgoing.answered(number, code, now_s):
            self._bulk.answered(publication, Taken.of(code), now_s)
            self._troubles.answered(publication, code, left=self._outgoing.turned_away(publication.kind))

    def _hear_watermark(self, heard: Heard) -> None:
        watermark = parse_watermark(heard.payload)
        if isinstance(watermark, Refusal):
            self._refuse(watermark, "acknowledgement", answer=False)
        else:
            self._watermarks.heard(watermark)

    def _hear_noc(self, heard: Heard) -> None:
        before, self.noc = self.noc, parse_noc(heard.payload)
        if before is not self.noc:
            log.info("the NOC", state=self.noc.value)
        if self.noc is Noc.ONLINE and before is not Noc.ONLINE:
            # A retained word tells how things were when we came; any other that the NOC came just now, and missed what
            # was sent.
            self._outgoing.look_again() if heard.retained else self._outgoing.start_over()

    def _hear_command(self, heard: Heard) -> None:
        command = parse_command(heard.payload, retained=heard.retained)
        match command:
            case Refusal():
                self._refuse(command, "command")
            case Rebirth():
                self._give_birth_again()
                self._outgoing.say(self._composer.answer({"id": command.id, "command": "rebirth", "status": "done"}))
            case Signed() if self._remote:
                self._remote.take(command.payload)
            case Signed():
                self._refuse(Refusal(command.id, Reason.NOT_ALLOWED), "command")
            case Resend():
                if not self._outgoing.resend(command):
                    self._refuse(Refusal(command.id, Reason.BUSY), "command")

    def _answer_for_telemetry(self, asked: Resend) -> None:
        """Of a stream the record does not know. Telemetry that was sent is not kept; what cannot come is known."""
        graves = self._backlog.why_gone(asked.stream, asked.first, asked.last) if self._backlog else []
        if not graves:
            self._refuse(Refusal(asked.id, Reason.UNKNOWN_STREAM), "command")
            return
        job = ResendJob(asked)
        job.offer(Stretch((), None))
        self._outgoing.say(self._composer.answer(job.answer(graves, asked.last)))

    def _give_birth_again(self) -> None:
        self._outgoing.say(self._composer.state(State.ONLINE, self._store.status()))
        self._shown = Snapshots()
        self._snapshots_due_s = self._monotonic()
        self._outgoing.start_over()

    def _refuse(self, refused: Refusal, what: str, *, answer: bool = True) -> None:
        self._refused += 1
        log.warning("refused", what=what, reason=refused.reason.value, id=refused.id)
        if answer:
            self._outgoing.say(self._composer.refusal(refused))

    # ── the record ─────────────────────────────────────────────────────────────────────────────────────
    async def _settle(self) -> None:
        await self._bulk.settle()
        for job in self._outgoing.finished_resends():
            await self._answer_for(job)
        if taken := self._outgoing.log_rows_taken():
            await self._store.sent(taken)
            self._outgoing.arrived(taken)
        await self._watermarks.settle()

    async def _answer_for(self, job: ResendJob) -> None:
        asked = job.asked
        graves = await self._store.why_gone(asked.stream, asked.first, asked.last)
        head = next((head.last for head in self._store.status().heads if head.stream == asked.stream), 0)
        self._outgoing.say(self._composer.answer(job.answer(graves, head)))

    def _notice_the_record(self) -> None:
        record = self._store.status()
        said, self._record_said = self._record_said, (record.stream, record.durable)
        if said != self._record_said:
            self._outgoing.say(self._composer.state(State.ONLINE, record))
        if record.durable and not said[1]:
            self._outgoing.look_again()

    # ── speaking ───────────────────────────────────────────────────────────────────────────────────────
    def _show(self) -> None:
        now_s = self._monotonic()
        if now_s < self._snapshots_due_s:
            return
        self._snapshots_due_s = now_s + TICK_S
        try:
            for thing, looks, first in self._shown.changes(self._snapshots()):
                publication = self._composer.snapshot(thing, looks)
                if first:
                    self._outgoing.say(publication)
                else:
                    self._outgoing.snapshot(thing, publication)
        except RecordMisused as error:  # a figure JSON cannot say must not cost the line
            log.error("snapshot not sent", why=str(error))

    async def _speak(self) -> None:
        self._outgoing.tick(self._monotonic())
        while True:
            allowed = self._bulk.allowed(self.noc, self._monotonic())
            await self._bulk.fetch(allowed, self._monotonic())
            if want := self._outgoing.wants(allowed):
                await self._read(want)
            if publication := self._outgoing.next(self._live, allowed):
                self._send(publication)
            elif want is None:
                return

    def _send(self, publication: Publication) -> None:
        now_s = self._monotonic()
        self._bulk.sent(publication, now_s)
        if self._connection.can_carry(publication):
            self._outgoing.sent(self._connection.send(publication), publication, now_s)
        else:  # the broker would end the connection over it, and over the next one
            self._outgoing.sent(NOT_SENT, publication, now_s)
            self._answered(NOT_SENT, PACKET_TOO_LARGE, now_s)

    async def _read(self, want: Want) -> None:
        if want.sweep:
            rows = await self._store.pending(want.sweep.channel, after=want.sweep.asked(), limit=READ_AT_ONCE)
            self._outgoing.offer(want.sweep, rows)
        elif want.job and want.job.next is not None:
            asked = want.job.asked
            stretch = await self._store.stretch(asked.stream, want.job.next, asked.last, limit=READ_AT_ONCE)
            if stretch is None:
                self._outgoing.give_up(want.job)
                self._answer_for_telemetry(asked)
            else:
                want.job.offer(stretch)

    def _live(self) -> Publication | None:
        if self._backlog and (found := self._backlog.take(self._monotonic())):
            measured, expiry_s = found
            topic = self._composer.topics.telemetry(measured.kind)
            return Publication(Kind.TELEMETRY, topic, measured.body, expiry_s=expiry_s, settles=measured)
        return None

    def let_go(self) -> None:
        """The connection is over."""
        self._bulk.let_go()

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────
    def _check(self) -> None:
        if self._connection.down:
            raise self._connection.down
        if self.unwanted:
            raise self.unwanted
        if (self._silence_ends_s() or float("inf")) <= self._monotonic():
            raise LineDown(BrokerCause.SILENT, f"no answer for {self._settings.puback_timeout_s:g} s")

    def _silence_ends_s(self) -> float | None:
        asked_at_s = self._asked_at_s if self._connection.subscribed is None else None
        waiting = [at_s for at_s in (self._outgoing.silent_since_s(), asked_at_s) if at_s is not None]
        return min(waiting) + self._settings.puback_timeout_s if waiting else None

    async def _rest(self) -> None:
        now_s = self._monotonic()
        due = (
            self._snapshots_due_s,
            self._silence_ends_s(),
            self._outgoing.again_at_s(),
            self._bulk.waits_until_s(now_s),
            now_s + TICK_S,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(at_s for at_s in due if at_s is not None) - now_s)):
                await self._wake.wait()
