"""What to send next, and what an answer means. Pure: fed with rows, answers and the time; never touches a socket or the
store.

Order: our state and answers, tier events (new ones before old ones), snapshots, telemetry, log events; then in batches
what the NOC asked for again and backlog, one batch at a time so that what happens now never stands behind them. A tier
event is sent on every new connection until the NOC acknowledges it; a log event until the broker takes it. What was
turned away (denied, or nobody subscribed) counts as not sent and holds nothing else up: it is tried again after a
growing pause.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edged.core.events import Channel
from edged.record.backlog import Batch, Measurement
from edged.record.envelope import CONTENT_TYPE
from edged.record.recorded import Recorded, Tombstone
from edged.report import history
from edged.report.commands import Resend
from edged.report.resend import ResendJob
from edged.report.sweep import Sweep
from edged.report.taken import Taken
from edged.report.topics import Topics

PACKET_TOO_LARGE = 0x95  # MQTT 5, 2.4
MAX_RESENDS = 4
MAX_ANSWERS = 64


class Kind(StrEnum):
    STATE = "state"
    ANSWER = "answer"
    TIER = "tier"
    RESEND = "resend"
    SNAPSHOT = "snapshot"
    TELEMETRY = "telemetry"
    LOG = "log"
    HISTORY = "history"


_BULK = (Kind.RESEND, Kind.HISTORY)


@dataclass(frozen=True, slots=True)
class Publication:
    kind: Kind
    topic: str
    payload: bytes
    content_type: str = CONTENT_TYPE
    retain: bool = False
    expiry_s: int | None = None
    rows: tuple[Recorded, ...] = ()
    """The events in it."""
    job: ResendJob | None = None
    """Whose rows they are, if they were asked for again."""
    settles: Measurement | Batch | tuple[Tombstone, ...] | None = None
    """What else need not be kept once it arrived."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may go besides what happens now."""

    asked: bool
    """Batches of what the NOC asked for again."""
    backlog: bool
    telemetry: bool


@dataclass(frozen=True, slots=True)
class Want:
    """Rows to read from the store: for a sweep, or for a resend."""

    sweep: Sweep | None
    job: ResendJob | None = None


@dataclass(frozen=True, slots=True)
class _Sent:
    publication: Publication
    at_s: float


class Outgoing:
    """What one connection has to say, and what it still waits to hear."""

    def __init__(self, *, window: int, topics: Topics, born_row: int) -> None:
        """`born_row`: the newest row as the connection begins. Log events up to it are backlog."""
        self._window, self._topics, self._born_row = window, topics, born_row
        self._first: deque[Publication] = deque()
        # What happens now goes before what happened: after three days 400 old ones are three seconds of a slow line.
        self._tiers = (Sweep(Channel.TIER, floor=born_row), Sweep(Channel.TIER, ceiling=born_row))
        self._log = Sweep(Channel.LOG, floor=born_row)
        self._backlog = Sweep(Channel.LOG, ceiling=born_row)
        self._sweeps = (*self._tiers, self._log, self._backlog)
        self._jobs: deque[ResendJob] = deque()
        self._snapshots: dict[str, Publication] = {}
        self._batches: deque[Publication] = deque()
        self._in_flight: dict[int, _Sent] = {}
        self._alone: set[int] = set()
        """Rows of a batch that was too large."""

    # ── fed ────────────────────────────────────────────────────────────────────────────────────────────
    def say(self, publication: Publication) -> None:
        """Our state and answers go before anything else. A flood of questions gets MAX_ANSWERS answers at a time."""
        if publication.kind is Kind.STATE or len(self._first) < MAX_ANSWERS:
            self._first.append(publication)

    def snapshot(self, thing: str, publication: Publication) -> None:
        """Replaces one of the same thing that was not sent yet."""
        self._snapshots[thing] = publication

    def batch(self, payload: bytes, settles: Batch | tuple[Tombstone, ...]) -> None:
        """A batch for `hist` that is no part of the ledger: telemetry, tombstones."""
        self._batches.append(self._history(Kind.HISTORY, payload, settles=settles))

    @property
    def batches(self) -> int:
        """Those given and not answered yet."""
        flying = sum(sent.publication.settles is not None for sent in self._bulk_in_flight())
        return len(self._batches) + flying

    def resend(self, asked: Resend) -> bool:
        """False if enough of them are under way already."""
        if len(self._jobs) == MAX_RESENDS:
            return False
        self._jobs.append(ResendJob(asked))
        return True

    def give_up(self, job: ResendJob) -> None:
        """Nothing is known of what it asks for."""
        self._jobs.remove(job)

    def new_rows(self) -> None:
        for sweep in self._sweeps:
            sweep.more = True

    def start_over(self) -> None:
        """The NOC came back, or asks for everything: all it has not acknowledged goes out again."""
        for sweep in self._tiers:
            sweep.taken.clear()
        self.look_again()

    def look_again(self) -> None:
        """The record could not read everything before, and can now."""
        for sweep in self._sweeps:
            sweep.start_over()

    def tick(self, now_s: float) -> None:
        for sweep in self._sweeps:
            if sweep.again_at_s is not None and sweep.again_at_s <= now_s:
                sweep.start_over()

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def wants(self, allowed: Allowed) -> Want | None:
        """What to read, and `offer`, before `next` can say what comes next."""
        if len(self._in_flight) >= self._window:
            return None
        for sweep in (*self._tiers, self._log):
            if sweep.wants:
                return Want(sweep)
        if self._bulk_in_flight():
            return None
        for job in self._jobs if allowed.asked else ():
            if job.wants:
                return Want(None, job)
        return Want(self._backlog) if allowed.backlog and self._backlog.wants else None

    def offer(self, sweep: Sweep, rows: Sequence[Recorded]) -> None:
        """The answer to a Want of a sweep, after `sweep.asked()`: READ_AT_ONCE rows, fewer if there are no more."""
        flying = (sent.publication for sent in self._in_flight.values() if not sent.publication.job)
        sweep.offer(rows, [row.row for publication in flying for row in publication.rows])

    # ── sending ────────────────────────────────────────────────────────────────────────────────────────
    def next(self, live: Callable[[], Publication | None], allowed: Allowed) -> Publication | None:
        """The next message, None if there is nothing or no room. `live` gives telemetry."""
        if len(self._in_flight) >= self._window:
            return None
        return (
            self._next_first()
            or self._next_tier()
            or self._next_snapshot()
            or (live() if allowed.telemetry else None)
            or self._next_row(self._log, Kind.LOG)
            or self._next_bulk(allowed)
        )

    def _next_first(self) -> Publication | None:
        return self._first.popleft() if self._first else None

    def _next_row(self, sweep: Sweep, kind: Kind) -> Publication | None:
        if not sweep.ready:
            return None
        row = sweep.ready.popleft()
        return Publication(kind, self._topics.event(row.channel, row.tier), row.body, rows=(row,))

    def _next_tier(self) -> Publication | None:
        now, then = self._tiers
        return self._next_row(now, Kind.TIER) or self._next_row(then, Kind.TIER)

    def _next_snapshot(self) -> Publication | None:
        return self._snapshots.pop(next(iter(self._snapshots))) if self._snapshots else None

    def _next_bulk(self, allowed: Allowed) -> Publication | None:
        if self._bulk_in_flight():
            return None
        return (self._next_asked() if allowed.asked else None) or (self._next_backlog() if allowed.backlog else None)

    def _next_asked(self) -> Publication | None:
        for job in self._jobs:
            if job.ready:
                rows = job.take(history.portions([row.body for row in job.ready]))
                return self._history(Kind.RESEND, _packed(rows), rows=rows, job=job)
        return None

    def _next_backlog(self) -> Publication | None:
        if self._batches:
            return self._batches.popleft()
        if not self._backlog.ready:
            return None
        ready = self._backlog.ready
        alone = ready[0].row in self._alone
        rows = self._backlog.take(1 if alone else history.portions([row.body for row in ready]))
        return self._history(Kind.HISTORY, _packed(rows), rows=rows)

    def _history(
        self,
        kind: Kind,
        payload: bytes,
        *,
        rows: tuple[Recorded, ...] = (),
        job: ResendJob | None = None,
        settles: Batch | tuple[Tombstone, ...] | None = None,
    ) -> Publication:
        return Publication(
            kind, self._topics.history, payload, history.CONTENT_TYPE, rows=rows, job=job, settles=settles
        )

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
            publication.job.answered(len(publication.rows), taken=taken is Taken.YES)
        elif code == PACKET_TOO_LARGE and len(publication.rows) > 1:  # one of them is; alone it holds up no other
            self._alone.update(row.row for row in publication.rows)
            self._backlog.put_back(publication.rows)
        else:
            for row in publication.rows:
                self._sweep_of(row).answered(row, taken, now_s)
        return publication

    def _sweep_of(self, row: Recorded) -> Sweep:
        now, then = self._tiers if row.channel is Channel.TIER else (self._log, self._backlog)
        return then if row.row <= self._born_row else now

    def turned_away(self, kind: Kind) -> bool:
        """Whether events of this kind wait to be tried again."""
        sweeps = {Kind.TIER: self._tiers, Kind.LOG: (self._log,), Kind.HISTORY: (self._backlog,)}
        return any(sweep.turned_away for sweep in sweeps.get(kind, ()))

    def finished_resends(self) -> list[ResendJob]:
        done = [job for job in self._jobs if job.done]
        for job in done:
            self._jobs.remove(job)
        return done

    def log_rows_taken(self) -> list[int]:
        """Rows the store should know of; `arrived` them once it does."""
        return [*self._backlog.taken, *self._log.taken]

    def arrived(self, rows: Iterable[int]) -> None:
        rows = list(rows)
        self._log.forget(rows)
        self._backlog.forget(rows)

    def acknowledged(self, stream: str, sequence: int) -> None:
        for sweep in self._tiers:
            seen = (*sweep.taken.values(), *sweep.turned_away.values())
            sweep.forget([row.row for row in seen if row.stream == stream and row.sequence <= sequence])

    def believable(self, stream: str, sequence: int) -> int:
        """How much of a watermark can be true: the NOC cannot hold a tier event the broker turned away on this
        connection.
        """
        rows = (row for sweep in self._tiers for row in sweep.turned_away.values())
        away = [row.sequence for row in rows if row.stream == stream]
        return min([sequence, *(number - 1 for number in away)])

    # ── waiting ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def unanswered(self) -> list[Publication]:
        return [sent.publication for sent in self._in_flight.values()]

    def _bulk_in_flight(self) -> list[_Sent]:
        return [sent for sent in self._in_flight.values() if sent.publication.kind in _BULK]

    @property
    def bulk_waits(self) -> bool:
        """Whether a batch could go if it were allowed."""
        return not self._bulk_in_flight() and bool(
            self._batches or self._backlog.ready or self._backlog.wants or any(j.wants or j.ready for j in self._jobs)
        )

    def silent_since_s(self) -> float | None:
        """When the oldest unanswered message was sent."""
        return min((sent.at_s for sent in self._in_flight.values()), default=None)

    def again_at_s(self) -> float | None:
        """When rows that were turned away are due."""
        return min((s.again_at_s for s in self._sweeps if s.again_at_s is not None), default=None)


def _packed(rows: Sequence[Recorded]) -> bytes:
    return history.pack([row.body for row in rows])
