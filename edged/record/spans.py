"""Which rows belong to which stream, and how far the NOC has them. Pure.

A stream is a run of sequence numbers that was never handed out twice. While the disk refuses an event, its number lives
in memory alone and a crash would forget it, so such events get a stream of their own: numbers the disk vouched for are
never given again. Rows are counted through all streams, on this box only: row = start + sequence.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edged.record.errors import RecordBroken
from edged.record.recorded import Head


@dataclass(frozen=True, slots=True)
class Span:
    """Rows start + 1 to start + length are sequences 1 to length of one stream."""

    stream: str
    start: int
    length: int = 0
    acknowledged: int = 0
    """The highest sequence the NOC holds all tier events up to."""

    @property
    def last_row(self) -> int:
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Spans:
    """Ascending, never empty; only the last one grows."""

    spans: tuple[Span, ...]

    @property
    def current(self) -> Span:
        return self.spans[-1]

    @property
    def head(self) -> int:
        """The newest row."""
        return self.current.last_row

    def find(self, row: int) -> Span:
        """The span of an existing row. Raises RecordBroken for a row older than every stream."""
        for span in reversed(self.spans):
            if span.start < row:
                return span
        raise RecordBroken(f"row {row} belongs to no stream")

    def named(self, stream: str) -> Span | None:
        return next((span for span in self.spans if span.stream == stream), None)

    def heads(self) -> tuple[Head, ...]:
        return tuple(Head(span.stream, span.length, span.acknowledged) for span in self.spans)

    def is_acknowledged(self, row: int) -> bool:
        span = self.find(row)
        return row - span.start <= span.acknowledged

    def acknowledge(self, stream: str, sequence: int) -> "Spans":
        return Spans(tuple(replace(s, acknowledged=sequence) if s.stream == stream else s for s in self.spans))

    def begin(self, stream: str) -> "Spans":
        """A new stream after the newest row; a stream without a row makes way for it."""
        return Spans((*self._with_rows(), Span(stream, self.head)))

    def after(self, earlier: "Spans") -> "Spans":
        """These streams behind those of a file that was read late."""
        return Spans((*earlier._with_rows(), *self.spans))

    def grown(self, rows: int) -> "Spans":
        return Spans((*self.spans[:-1], replace(self.current, length=self.current.length + rows)))

    def kept_from(self, row: int) -> "Spans":
        """Without the streams that ended before `row`, the oldest still kept."""
        return Spans((*(span for span in self.spans[:-1] if span.last_row >= row), self.current))

    def with_any(self, rows: Iterable[int]) -> "Spans":
        """Those that one of `rows` belongs to, and the current one."""
        streams = {self.find(row).stream for row in rows}
        return Spans((*(span for span in self.spans[:-1] if span.stream in streams), self.current))

    def _with_rows(self) -> tuple[Span, ...]:
        return tuple(span for span in self.spans if span.length)


class PendingRows:
    """The numbers of the rows of one channel that still have to arrive somewhere, ascending."""

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self.rows = sorted(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, row: int) -> bool:
        at = self._at(row)
        return at < len(self.rows) and self.rows[at] == row

    def add(self, rows: Iterable[int]) -> None:
        """Rows newer than any here."""
        self.rows.extend(rows)

    def put_first(self, rows: Iterable[int]) -> None:
        """Rows older than any here."""
        self.rows[:0] = sorted(rows)

    def settle(self, rows: Iterable[int]) -> None:
        for row in rows:
            if row in self:
                del self.rows[self._at(row)]

    def settle_between(self, first: int, last: int) -> None:
        """Both ends included."""
        del self.rows[self._at(first) : self._at(last + 1)]

    def after(self, row: int, limit: int) -> list[int]:
        at = self._at(row + 1)
        return self.rows[at : at + limit]

    def between(self, first: int, last: int) -> list[int]:
        """Both ends included."""
        return self.rows[self._at(first) : self._at(last + 1)]

    def count_to(self, row: int) -> int:
        return self._at(row + 1)

    def _at(self, row: int) -> int:
        return bisect_left(self.rows, row)
