"""What a sound file holds: all that matters at its opening, and rows as they were recorded."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from edged.core.events import Channel
from edged.record import database, retention, versions
from edged.record.chain import genesis, link
from edged.record.recorded import Recorded
from edged.record.reserve import Reserve
from edged.record.retention import Volume
from edged.record.spans import PendingRows, Span, Spans
from edged.record.versions import Versions


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The judge's resumable state, opaque to the record, and the wall-clock time it was given."""

    body: bytes
    wall_s: float


@dataclass(frozen=True, slots=True)
class Past:
    spans: Spans
    continues: bool
    """Whether the numbers of the last stream were vouched for, so that it may be continued."""
    newest: int
    """The highest row there is; the last stream may have counted further."""
    tip: bytes
    """What the next row must carry."""
    pending: dict[Channel, PendingRows]
    checkpoint: Checkpoint | None
    epoch: int
    evicted: int
    volume: Volume
    reserve: Reserve
    coalesced: int
    versions: Versions


def load(connection: sqlite3.Connection) -> Past | None:
    """None if the file is new. Raises sqlite3.Error."""
    found = connection.execute(
        "SELECT stream, start, length, acknowledged, continues FROM stream ORDER BY start"
    ).fetchall()
    streams = [Span(*columns[:4]) for columns in found]
    if not streams:
        return None
    newest = connection.execute("SELECT row, previous, body FROM event ORDER BY row DESC LIMIT 1").fetchone()
    last_row = max(newest[0] if newest else 0, streams[-1].start)
    spans = Spans((*streams[:-1], replace(streams[-1], length=last_row - streams[-1].start)))
    pending = _pending(connection, spans)
    return Past(
        spans=spans,
        continues=bool(found[-1][4]),
        newest=newest[0] if newest else 0,
        tip=link(newest[1], newest[2]) if newest else genesis(spans.current.stream),
        pending=pending,
        checkpoint=checkpoint(connection),
        epoch=_integer(connection, "epoch"),
        evicted=_integer(connection, "evicted"),
        volume=retention.measure(connection),
        reserve=_reserve(connection, pending[Channel.TIER]),
        coalesced=_integer(connection, "coalesced"),
        versions=versions.read(connection),
    )


def checkpoint(connection: sqlite3.Connection) -> Checkpoint | None:
    body, wall_s = database.read(connection, "checkpoint"), database.read(connection, "checkpoint_wall_s")
    return Checkpoint(body, float(wall_s)) if isinstance(body, bytes) and isinstance(wall_s, (int, float)) else None


def recorded(connection: sqlite3.Connection, spans: Spans, where: str, values: Iterable[int]) -> Iterator[Recorded]:
    for row, channel, tier, body in connection.execute(
        f"SELECT row, channel, tier, body FROM event {where}", tuple(values)
    ):
        span = spans.find(row)
        yield Recorded(row, span.stream, row - span.start, Channel(channel), tier, bytes(body), durable=True)


def _pending(connection: sqlite3.Connection, spans: Spans) -> dict[Channel, PendingRows]:
    tier = connection.execute("SELECT row FROM event WHERE channel = ?", (Channel.TIER,))
    unsent = connection.execute(
        "SELECT row FROM event WHERE channel = ? AND row > ?", (Channel.LOG, _integer(connection, "log_sent"))
    )
    return {
        Channel.TIER: PendingRows(row for (row,) in tier if not spans.is_acknowledged(row)),
        Channel.LOG: PendingRows(row for (row,) in unsent),
    }


def _reserve(connection: sqlite3.Connection, tier: PendingRows) -> Reserve:
    sizes = connection.execute("SELECT row, length(body) FROM event WHERE channel = ?", (Channel.TIER,))
    return Reserve((row, size) for row, size in sizes if row in tier)


def _integer(connection: sqlite3.Connection, name: str) -> int:
    value = database.read(connection, name)
    return value if isinstance(value, int) else 0
