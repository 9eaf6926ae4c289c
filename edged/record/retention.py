"""What is deleted when the box is full: settled rows first, oldest first; then log rows that were never sent, oldest
first, counted.

Never the newest row (its number would come again). Tier rows the NOC has not acknowledged live in a reserve of their
own and are folded when that is full.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from edged.record.reserve import TierRow
from edged.record.spans import PendingRows

DELETED_AT_ONCE = 512
"""Bounds the time one event waits for housekeeping to about 5 ms."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Rows kept, and the bytes of their bodies."""

    rows: int
    bytes: int

    def beyond(self, bound: "Volume") -> bool:
        return self.rows > bound.rows or self.bytes > bound.bytes

    def plus(self, other: "Volume") -> "Volume":
        return Volume(self.rows + other.rows, self.bytes + other.bytes)

    def minus(self, other: "Volume") -> "Volume":
        return Volume(self.rows - other.rows, self.bytes - other.bytes)


@dataclass(frozen=True, slots=True)
class Victims:
    rows: tuple[int, ...]
    unsent: tuple[int, ...]
    """Log rows among them, that never reached anybody."""
    volume: Volume
    folded: tuple[TierRow, ...] = ()
    """Tier rows among them, that make way for a tombstone."""

    def and_folded(self, rows: Sequence[TierRow]) -> "Victims":
        size = Volume(len(rows), sum(row.bytes for row in rows))
        return Victims(
            (*self.rows, *(row.row for row in rows)), self.unsent, self.volume.plus(size), (*self.folded, *rows)
        )


def measure(connection: sqlite3.Connection) -> Volume:
    rows, size = connection.execute("SELECT count(*), ifnull(sum(length(body)), 0) FROM event").fetchone()
    return Volume(rows, size)


def choose(
    connection: sqlite3.Connection, kept: Volume, bound: Volume, *, tier: PendingRows, log: PendingRows, newest: int
) -> Victims:
    """At most DELETED_AT_ONCE rows that bring `kept`, all but the reserve, back under `bound`; fewer when nothing else
    may go.
    """
    settled: list[int] = []
    unsent: list[int] = []
    excess = kept
    if excess.beyond(bound) and kept.rows > log.count_to(newest) + 1:
        for row, size in connection.execute(
            "SELECT row, length(body) FROM event WHERE row < ? ORDER BY row", (newest,)
        ):
            if not excess.beyond(bound) or len(settled) == DELETED_AT_ONCE:
                break
            if row not in tier and row not in log:
                settled.append(row)
                excess = excess.minus(Volume(1, size))
    for row in log.after(0, DELETED_AT_ONCE - len(settled)):
        if not excess.beyond(bound) or row >= newest:
            break
        (size,) = connection.execute("SELECT length(body) FROM event WHERE row = ?", (row,)).fetchone()
        unsent.append(row)
        excess = excess.minus(Volume(1, size))
    return Victims((*settled, *unsent), tuple(unsent), kept.minus(excess))


def delete(connection: sqlite3.Connection, victims: Victims) -> None:
    connection.executemany("DELETE FROM event WHERE row = ?", [(row,) for row in victims.rows])
