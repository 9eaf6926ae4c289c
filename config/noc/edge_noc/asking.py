"""When a site is asked for what is missing (`resend`): patiently, one question at a time, ever more rarely. Pure.

A hole is no loss yet: tier events overtake log events and backlog comes last. So it is asked about when nothing has
filled it for a while and no backlog is under way. An answer that brought nothing makes the next wait twice as long.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge_noc.book import StreamBook

MAX_SPAN = 10_000
"""Numbers one `resend` may name: the site refuses more."""
BRIDGE = 8
"""Holes this near to each other are asked for together: what lies between comes again, another question costs more."""
ANSWER_S = 30.0
"""Without an answer or any backlog from the site for so long, a question counts as unanswered."""
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0
MAX_TRIES = 8
"""In vain, 21 minutes in all; then once an hour, until either side connects anew."""
RARELY_S = 3600.0


class Kind(StrEnum):
    EVENT = "event"
    TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True)
class Patience:
    quiet_s: float
    """Nothing filled a hole and no backlog came for so long."""
    at_most_s: float | None
    """Nothing filled a hole for so long, whatever else comes. None: wait for the backlog to end."""


def patience(event_s: float = 5.0) -> Mapping[Kind, Patience]:
    return {
        Kind.EVENT: Patience(event_s, 24 * event_s),
        # Three days of telemetry take hours on a slow line, and no site keeps it for a `resend`.
        Kind.TELEMETRY: Patience(12 * event_s, None),
    }


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    stream: str
    first: int
    last: int
    asked_s: float
    missing: int
    """Of the stream, when it was asked."""


@dataclass(slots=True)
class _Doubt:
    tries: int = 0
    not_before_s: float = 0.0


@dataclass(slots=True)
class Asking:
    """Of one site."""

    patience: Mapping[Kind, Patience] = field(default_factory=patience)
    under_way: Question | None = None
    backlog_s: float = float("-inf")
    """When backlog last came."""
    _doubts: dict[str, _Doubt] = field(default_factory=dict)

    def connected_anew(self) -> None:
        """Either side: what was asked is forgotten, and everything may be asked again."""
        self.under_way = None
        self._doubts.clear()

    def due(
        self, streams: Iterable[tuple[str, Kind, StreamBook]], now_s: float, new_id: Callable[[], str]
    ) -> Question | None:
        """What to ask now, which is from then on under way."""
        if self.under_way is not None:
            if now_s - max(self.under_way.asked_s, self.backlog_s) < ANSWER_S:
                return None
            self.in_vain(now_s)
        for stream, kind, book in streams:
            if not book.complete and self._ripe(stream, kind, book, now_s):
                first, last = span(book)
                self.under_way = Question(new_id(), stream, first, last, now_s, book.missing)
                return self.under_way
        return None

    def _ripe(self, stream: str, kind: Kind, book: StreamBook, now_s: float) -> bool:
        patience = self.patience[kind]
        quiet = now_s - max(book.moved_s, self.backlog_s) >= patience.quiet_s
        long = patience.at_most_s is not None and now_s - book.moved_s >= patience.at_most_s
        doubt = self._doubts.get(stream)
        return (quiet or long) and (doubt is None or now_s >= doubt.not_before_s)

    def answered(self, book: StreamBook, now_s: float) -> None:
        """What the answer said is in the book."""
        question = self.under_way
        if question is None:
            return
        if book.missing >= question.missing:
            self.in_vain(now_s)
            return
        self.under_way = None
        self._doubts.pop(question.stream, None)
        if not book.complete:  # there is more than one question could name: no reason to wait
            book.moved_s = self.backlog_s = float("-inf")

    def in_vain(self, now_s: float) -> None:
        """No answer, a refusal, or one that brought nothing."""
        question, self.under_way = self.under_way, None
        if question is None:
            return
        doubt = self._doubts.setdefault(question.stream, _Doubt())
        doubt.tries += 1
        wait_s = min(FIRST_WAIT_S * 2**doubt.tries, LONGEST_WAIT_S) if doubt.tries < MAX_TRIES else RARELY_S
        doubt.not_before_s = now_s + wait_s


def span(book: StreamBook) -> tuple[int, int]:
    """The first hole, and those near behind it."""
    holes = book.holes(limit=256)
    first, last = holes[0]
    for begin, end in holes[1:]:
        if begin - last > BRIDGE:
            break
        last = end
    return first, min(last, first + MAX_SPAN - 1)
