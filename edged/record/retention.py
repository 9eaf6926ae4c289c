"""What is deleted when the box is full: settled rows first, oldest first; then log rows that were never sent, oldest
first, counted.

Never the newest row (its number would come again), never a tier row the NOC has not acknowledged.
"""

import sqlite3
from dataclasses import dataclass

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
    """Those of `rows` that never reached anybody."""
    volume: Volume


def measure(connection: sqlite3.Connection) -> Volume:
    rows, size = connection.execute("SELECT count(*), ifnull(sum(length(body)), 0) FROM event").fetchone()
    return Volume(rows, size)


def choose(
    connection: sqlite3.Connection, kept: Volume, bound: Volume, *, tier: PendingRows, log: PendingRows, newest: int
) -> Victims:
    """At most DELETED_AT_ONCE rows that bring `kept` back under `bound`; fewer when nothing else may go."""
    settled: list[int] = []
    unsent: list[int] = []
    excess = kept
    if kept.rows > len(tier) + len(log) + 1:
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
