"""What to send next, and what an answer means. Pure: fed with rows, answers and the time; never touches a socket or the
store.

Order: our state and answers, tier events, what the NOC asked for again, snapshots, telemetry, log events. A tier event
is sent on every new connection until the NOC acknowledges it; a log event until the broker takes it. What was turned
away (denied, or nobody subscribed) counts as not sent and holds nothing else up: it is tried again after a growing
pause.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edged.core.events import Channel
from edged.record.recorded import Recorded
from edged.report.commands import Resend
from edged.report.resend import ResendJob

READ_AT_ONCE = 32
MAX_RESENDS = 4
MAX_ANSWERS = 64
RETRY_FIRST_S = 30.0
RETRY_CAP_S = 600.0
"""Turned-away rows are tried again after 30 s, then 60 s … up to every 10 min."""


class Kind(StrEnum):
    STATE = "state"
    ANSWER = "answer"
    TIER = "tier"
    RESEND = "resend"
    SNAPSHOT = "snapshot"
    TELEMETRY = "telemetry"
    LOG = "log"


class Taken(StrEnum):
    """What a PUBACK says."""

    YES = "yes"
    UNHEARD = "unheard"  # MQTT 5, 3.4.2.1: 0x10, no matching subscribers
    REFUSED = "refused"

    @classmethod
    def of(cls, code: int) -> "Taken":
        if code >= 0x80:
            return cls.REFUSED
        return cls.UNHEARD if code == 0x10 else cls.YES


@dataclass(frozen=True, slots=True)
class Publication:
    kind: Kind
    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    row: Recorded | None = None
    job: ResendJob | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """Rows to read from the store: of a channel after a row, or of a resend."""

    channel: Channel | None
    after: int
    job: ResendJob | None = None


@dataclass
class _Sweep:
    """One channel's way through the rows that still have to arrive."""

    cursor: int = 0
    more: bool = True
    ready: deque[Recorded] = field(default_factory=deque)
    taken: dict[int, Recorded] = field(default_factory=dict)
    """Taken by the broker on this connection: not again before the next one, unless asked."""
    turned_away: dict[int, Recorded] = field(default_factory=dict)
    again_at_s: float | None = None
    pause_s: float = RETRY_FIRST_S

    def start_over(self) -> None:
        self.cursor, self.more, self.again_at_s = 0, True, None
        self.ready.clear()

    def want(self, channel: Channel) -> Want:
        self.more = False  # now, not when the rows come: others may be recorded while these are read
        return Want(channel, self.cursor)

    def offer(self, rows: Sequence[Recorded], sending: Iterable[int]) -> None:
        self.more |= len(rows) == READ_AT_ONCE
        if rows:
            self.cursor = rows[-1].row
        skip = {*self.taken, *sending}
        self.ready.extend(row for row in rows if row.row not in skip)

    def answered(self, row: Recorded, taken: Taken, now_s: float) -> None:
        if taken is Taken.YES:
            self.turned_away.pop(row.row, None)
            self.taken[row.row] = row
            if not self.turned_away:
                self.pause_s = RETRY_FIRST_S
            return
        self.turned_away[row.row] = row
        if self.again_at_s is None:
            self.again_at_s = now_s + self.pause_s
            self.pause_s = min(2 * self.pause_s, RETRY_CAP_S)

    def forget(self, rows: Iterable[int]) -> None:
        """They arrived for good."""
        for row in rows:
            self.taken.pop(row, None)
            self.turned_away.pop(row, None)


@dataclass(frozen=True, slots=True)
class _Sent:
    publication: Publication
    at_s: float


class Outgoing:
    """What one connection has to say, and what it still waits to hear."""

    def __init__(self, *, window: int, topic: Callable[[Channel, int], str]) -> None:
        self._window, self._topic = window, topic
        self._first: deque[Publication] = deque()
        self._sweeps = {channel: _Sweep() for channel in Channel}
        self._jobs: deque[ResendJob] = deque()
        self._snapshots: dict[str, Publication] = {}
        self._in_flight: dict[int, _Sent] = {}

    # ── fed ────────────────────────────────────────────────────────────────────────────────────────────
    def say(self, publication: Publication) -> None:
        """Our state and answers go before anything else. A flood of questions gets MAX_ANSWERS answers at a time."""
        if publication.kind is Kind.STATE or len(self._first) < MAX_ANSWERS:
            self._first.append(publication)

    def snapshot(self, thing: str, publication: Publication) -> None:
        """Replaces one of the same thing that was not sent yet."""
        self._snapshots[thing] = publication

    def resend(self, asked: Resend) -> bool:
        """False if enough of them are under way already."""
        if len(self._jobs) == MAX_RESENDS:
            return False
        self._jobs.append(ResendJob(asked))
        return True

    def new_rows(self) -> None:
        for sweep in self._sweeps.values():
            sweep.more = True

    def start_over(self) -> None:
        """The NOC came back, or asks for everything: all it has not acknowledged goes out again."""
        self._sweeps[Channel.TIER].taken.clear()
        for sweep in self._sweeps.values():
            sweep.start_over()

    def look_again(self) -> None:
        """The record could not read everything before, and can now."""
        for sweep in self._sweeps.values():
            sweep.start_over()

    def tick(self, now_s: float) -> None:
        for sweep in self._sweeps.values():
            if sweep.again_at_s is not None and sweep.again_at_s <= now_s:
                sweep.start_over()

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def wants(self) -> Want | None:
        """What to read, and `offer`, before `next` can say what comes next."""
        if len(self._in_flight) >= self._window:
            return None
        tier, backlog = self._sweeps[Channel.TIER], self._sweeps[Channel.LOG]
        if tier.more and not tier.ready:
            return tier.want(Channel.TIER)
        for job in self._jobs:
            if job.wants:
                return Want(None, 0, job)
        if backlog.more and not backlog.ready:
            return backlog.want(Channel.LOG)
        return None

    def offer(self, channel: Channel, rows: Sequence[Recorded]) -> None:
        """The answer to a Want of a channel: at most READ_AT_ONCE rows, fewer if there are no more."""
        sending = [
            s.publication.row.row for s in self._in_flight.values() if s.publication.row and not s.publication.job
        ]
        self._sweeps[channel].offer(rows, sending)

    # ── sending ────────────────────────────────────────────────────────────────────────────────────────
    def next(self, live: Callable[[], Publication | None]) -> Publication | None:
        """The next message, None if there is nothing or no room. `live` gives telemetry."""
        if len(self._in_flight) >= self._window:
            return None
        return (
            self._next_first() or self._next_asked() or self._next_snapshot() or live() or self._next_row(Channel.LOG)
        )

    def _next_first(self) -> Publication | None:
        return self._first.popleft() if self._first else self._next_row(Channel.TIER)

    def _next_row(self, channel: Channel) -> Publication | None:
        ready = self._sweeps[channel].ready
        return self._publication(ready.popleft(), Kind(channel.value)) if ready else None

    def _next_asked(self) -> Publication | None:
        for job in self._jobs:
            if job.ready:
                return self._publication(job.take(), Kind.RESEND, job)
        return None

    def _next_snapshot(self) -> Publication | None:
        return self._snapshots.pop(next(iter(self._snapshots))) if self._snapshots else None

    def _publication(self, row: Recorded, kind: Kind, job: ResendJob | None = None) -> Publication:
        return Publication(kind, self._topic(row.channel, row.tier), row.body, row=row, job=job)

    def sent(self, number: int, publication: Publication, now_s: float) -> None:
        """`number` is what its answer will carry."""
        self._in_flight[number] = _Sent(publication, now_s)

    # ── hearing ────────────────────────────────────────────────────────────────────────────────────────
    def answered(self, number: int, code: int, now_s: float) -> Publication | None:
        """The broker answered with a reason code. None for a number we are not waiting for."""
        sent = self._in_flight.pop(number, None)
        if sent is None:
            return None
        publication, taken = sent.publication, Taken.of(code)
        if publication.job:
            publication.job.answered(taken=taken is Taken.YES)
        elif publication.row:
            self._sweeps[publication.row.channel].answered(publication.row, taken, now_s)
        return publication

    def turned_away(self, kind: Kind) -> bool:
        """Whether events of this kind wait to be tried again."""
        return any(sweep.turned_away for channel, sweep in self._sweeps.items() if channel.value == kind.value)

    def finished_resends(self) -> list[ResendJob]:
        done = [job for job in self._jobs if job.done]
        for job in done:
            self._jobs.remove(job)
        return done

    def log_rows_taken(self) -> list[int]:
        """Rows the store should know of; `arrived` them once it does."""
        return list(self._sweeps[Channel.LOG].taken)

    def arrived(self, rows: Iterable[int]) -> None:
        self._sweeps[Channel.LOG].forget(rows)

    def acknowledged(self, stream: str, sequence: int) -> None:
        tier = self._sweeps[Channel.TIER]
        seen = (*tier.taken.values(), *tier.turned_away.values())
        tier.forget([row.row for row in seen if row.stream == stream and row.sequence <= sequence])

    def believable(self, stream: str, sequence: int) -> int:
        """How much of a watermark can be true: the NOC cannot hold a tier event the broker turned away on this
        connection.
        """
        away = [row.sequence for row in self._sweeps[Channel.TIER].turned_away.values() if row.stream == stream]
        return min([sequence, *(number - 1 for number in away)])

    # ── waiting ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def silent_since_s(self) -> float | None:
        """When the oldest unanswered message was sent."""
        return min((sent.at_s for sent in self._in_flight.values()), default=None)

    def again_at_s(self) -> float | None:
        """When rows that were turned away are due."""
        return min((s.again_at_s for s in self._sweeps.values() if s.again_at_s is not None), default=None)
