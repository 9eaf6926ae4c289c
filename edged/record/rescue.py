"""What the database lost and the tier journal still has. Pure.

A rescued event keeps its stream, its sequence and the hash it carried. Its stream is not continued: numbers beyond what
the journal knows may have been given to log events, which it does not hold. For those, and for all else of the stream
that is not in the database, a tombstone stands.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edged.core.events import Channel
from edged.record.journal_entry import END, Kept
from edged.record.numbering import Row
from edged.record.recorded import Gone, Recorded, Tombstone
from edged.record.spans import Span, Spans


@dataclass(frozen=True, slots=True)
class Rescue:
    spans: tuple[Span, ...] = ()
    """All streams of the past, the ones rescued last."""
    rows: tuple[Row, ...] = ()
    """Ascending."""
    stones: tuple[Tombstone, ...] = ()
    continues: bool = True
    """Whether the database's last stream ends where the database says."""


@dataclass(slots=True)
class _Search:
    """Collects, stream by stream."""

    spans: list[Span]
    rows: list[Row] = field(default_factory=list)
    stones: list[Tombstone] = field(default_factory=list)
    continues: bool = True


def rescue(
    events: Sequence[Kept],
    streams: Mapping[str, int],
    *,
    past: Spans | None,
    present: Collection[tuple[str, int]],
    why: Gone,
) -> Rescue:
    """`events` and `streams` are what the journal knows, `past` what the database does; `present` are those of the
    events that the database has, under (stream, sequence). One that has a tombstone comes back all the same: better
    twice said than lost.
    """
    search = _Search([*past.spans] if past else [])
    missing: dict[str, list[Kept]] = {stream: [] for stream in streams}
    for kept in events:
        if kept.name not in present:
            missing[kept.stream].append(kept)
    for stream in sorted(missing, key=lambda name: min((kept.row for kept in missing[name]), default=0)):
        known = past.named(stream) if past else None
        if known is None:
            _take_stream(search, stream, missing[stream], settled=streams[stream], why=why)
        else:
            wanted = [kept for kept in missing[stream] if kept.sequence > known.acknowledged]
            far = max(streams[stream] if streams[stream] != END else 0, *(kept.sequence for kept in wanted), 0)
            _complete(search, known, wanted, far=far if past and past.current is known else 0, why=why)
    return Rescue(tuple(search.spans), tuple(sorted(search.rows, key=_row)), tuple(search.stones), search.continues)


def _take_stream(search: _Search, stream: str, missing: Sequence[Kept], *, settled: int, why: Gone) -> None:
    """A stream the database does not know."""
    if settled == END:
        return
    search.stones.append(Tombstone(stream, 1, None, why))
    if not missing:
        return
    head, start = search.spans[-1].last_row if search.spans else 0, missing[0].row - missing[0].sequence
    span = Span(
        stream,
        start=start if start >= head else head + 1,  # what is moved leaves a hole: it does not follow the row before
        length=max(settled, *(kept.sequence for kept in missing)),
        acknowledged=settled,
    )
    search.spans.append(span)
    search.rows += [_again(kept, span) for kept in missing]
    search.continues = False


def _complete(search: _Search, known: Span, missing: Sequence[Kept], *, far: int, why: Gone) -> None:
    """A stream the database has, but not all of it. `far`: how far it went at least, if it is the last one."""
    if far > known.length:
        search.spans[search.spans.index(known)] = replace(known, length=far)
        search.stones.append(Tombstone(known.stream, known.length + 1, None, why))
        search.continues = False
    search.rows += [_again(kept, known) for kept in missing if kept.sequence <= max(far, known.length)]


def _again(kept: Kept, span: Span) -> Row:
    row = span.start + kept.sequence
    return Row(
        Recorded(row, kept.stream, kept.sequence, Channel.TIER, kept.tier, kept.body, durable=True), kept.previous
    )


def again(kept: Kept, spans: Spans) -> Row | None:
    """In the row it has in `spans`."""
    span = spans.named(kept.stream)
    return _again(kept, span) if span else None


def _row(row: Row) -> int:
    return row.recorded.row
