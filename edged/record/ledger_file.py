"""The file under the ledger: one writer, whole transactions, and a lock so that there is only one."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from edged.core.events import Channel
from edged.record import database, retention
from edged.record.change import Change
from edged.record.errors import RecordBroken, RecordMisused
from edged.record.numbering import Row
from edged.record.past import Past, load, recorded
from edged.record.recorded import DiskCause, Recorded
from edged.record.reserve import TierRow
from edged.record.retention import Victims, Volume
from edged.record.spans import PendingRows, Spans

log = structlog.get_logger()

_FREE_PAGES_KEPT = 256
"""1 MiB: while the disk is full, events go there."""
_GIVEN_AT_ONCE = 256
"""Bounds the time one event waits for housekeeping."""

REFUSALS = (sqlite3.Error, OSError, RecordBroken)
"""How a disk says no."""


class LedgerFile:
    def __init__(self, directory: Path) -> None:
        self._directory, self._path = directory, directory / database.FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None
        self.set_aside: list[Path] = []
        self.identity: str | None = None
        """Of the file last opened: tells it from one put in its place."""

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def open(self) -> Past | None:
        """What the file holds, None if it is new. Raises REFUSALS, and RecordMisused when another process has it."""
        self.take_the_directory()
        try:
            return self._open_and_load()
        except (sqlite3.Error, RecordBroken) as error:
            if database.cause_of(error) is not DiskCause.CORRUPT:
                raise
            self.put_aside(error)
            return self._open_and_load()

    def take_the_directory(self) -> None:
        """Raises OSError, and RecordMisused when another process has it."""
        if self._lock is not None:
            return
        self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(self._directory / "ledger.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise RecordMisused(f"another process writes to {self._directory}") from error
        self._lock = lock

    def _open_and_load(self) -> Past | None:
        connection = database.open_database(self._path)
        try:
            past, identity = load(connection), database.identity(connection)
        except (sqlite3.Error, RecordBroken):
            database.close_database(connection)
            raise
        self._connection, self.identity = connection, identity
        return past

    def put_aside(self, why: Exception) -> None:
        self.disconnect()
        self.set_aside.append(database.set_aside(self._path))
        log.error("ledger set aside", file=str(self._path), now=str(self.set_aside[-1]), why=str(why))

    def disconnect(self) -> None:
        if self._connection:
            database.close_database(self._connection)
        self._connection = None

    def close(self) -> None:
        self.disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────
    def write(self, change: Change) -> None:
        """One transaction. What is vital is on the disk when this returns; cursors alone a power cut may take back."""
        with self._transaction(sync="FULL" if change.vital else "NORMAL") as connection:
            change.make(connection)

    def forget_after(self, row: int) -> None:
        """Rows of a transaction the disk refused and kept all the same; nobody was told of them."""
        with self._transaction(sync="FULL") as connection:
            connection.execute("DELETE FROM event WHERE row > ?", (row,))

    def recycle(self) -> None:
        """Brings the write-ahead log into the file, so that it can be written over: on a full disk it cannot grow."""
        self._open.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def give_back(self) -> None:
        """Free pages go back to the disk, but for some that the next events can use."""
        (free,) = self._open.execute("PRAGMA freelist_count").fetchone()
        if free > _FREE_PAGES_KEPT:
            pages = min(free - _FREE_PAGES_KEPT, _GIVEN_AT_ONCE)
            self._open.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would stop after one page
            self.recycle()

    def reclaimable_bytes(self) -> int:
        """What the file has of the disk without using it: free pages, and what a checkpoint will cut off."""
        pages, free, size = (
            int(self._open.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return max(free * size, self._path.stat().st_size - (pages - free) * size)

    @contextmanager
    def _transaction(self, *, sync: str) -> Iterator[sqlite3.Connection]:
        connection = self._open
        connection.execute(f"PRAGMA synchronous = {sync}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def fetch(self, rows: Sequence[int], spans: Spans) -> list[Recorded]:
        marks = ",".join("?" * len(rows))
        return self._recorded(spans, f"WHERE row IN ({marks}) ORDER BY row", rows)

    def between(self, first: int, last: int, limit: int, spans: Spans) -> list[Recorded]:
        return self._recorded(spans, "WHERE row BETWEEN ? AND ? ORDER BY row LIMIT ?", (first, last, limit))

    def numbers(self, first: int, last: int) -> list[int]:
        """The rows there are from `first` to `last`."""
        found = self._open.execute("SELECT row FROM event WHERE row BETWEEN ? AND ? ORDER BY row", (first, last))
        return [row for (row,) in found]

    def tier_rows(self, rows: Sequence[int], spans: Spans) -> list[TierRow]:
        marks = ",".join("?" * len(rows))
        found = self._open.execute(
            f"SELECT row, tier, length(body) FROM event WHERE row IN ({marks}) ORDER BY row", tuple(rows)
        )
        named = ((row, spans.find(row), tier, size) for row, tier, size in found)
        return [TierRow(row, span.stream, row - span.start, tier, size) for row, span, tier, size in named]

    def having(self, names: Iterable[tuple[str, int]], spans: Spans) -> set[tuple[str, int]]:
        """Those (stream, sequence) there are rows for."""
        rows = {span.start + number: (span.stream, number) for stream, number in names if (span := spans.named(stream))}
        lowest, highest = min(rows, default=0), max(rows, default=-1)
        return {rows[row] for row in self.numbers(lowest, highest) if row in rows}

    def chained(self, rows: Sequence[int], spans: Spans) -> list[Row]:
        """Rows with the hash each carries."""
        marks = ",".join("?" * len(rows))
        hashes = dict(self._open.execute(f"SELECT row, previous FROM event WHERE row IN ({marks})", tuple(rows)))
        return [Row(recorded, bytes(hashes[recorded.row])) for recorded in self.fetch(rows, spans)]

    def newest(self, limit: int, spans: Spans) -> list[Recorded]:
        """Ascending."""
        return self._recorded(spans, "ORDER BY row DESC LIMIT ?", (limit,))[::-1]

    def oldest_row(self) -> int:
        return int(self._open.execute("SELECT ifnull(min(row), 0) FROM event").fetchone()[0])

    def victims(self, kept: Volume, bound: Volume, pending: Mapping[Channel, PendingRows], newest: int) -> Victims:
        """Raises REFUSALS."""
        return retention.choose(
            self._open, kept, bound, tier=pending[Channel.TIER], log=pending[Channel.LOG], newest=newest
        )

    def _recorded(self, spans: Spans, where: str, values: Iterable[int]) -> list[Recorded]:
        return list(recorded(self._open, spans, where, values))

    # ── details ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RecordBroken(f"{self._path} is not open")
        return self._connection
