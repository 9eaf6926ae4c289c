"""Where it is kept: one SQLite file, WAL, synchronous=FULL. What `write` returned from is on the disk.

`message` holds each event and measurement once, as the bytes the site spelled. `stream` holds the book of each stream,
written in the same transaction, so that what was deleted for age is still known as held.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge_noc.asking import Kind
from edge_noc.book import StreamBook
from edge_noc.intake import Due, Intake, Key, Row, Stream
from edge_noc.presence import Presence

SCHEMA = """
CREATE TABLE IF NOT EXISTS site (tenant TEXT NOT NULL, site TEXT NOT NULL, presence TEXT NOT NULL,
    PRIMARY KEY (tenant, site)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, site TEXT NOT NULL,
    stream TEXT NOT NULL, kind TEXT NOT NULL, book TEXT NOT NULL, UNIQUE (tenant, site, stream));
CREATE TABLE IF NOT EXISTS message (stream INTEGER NOT NULL REFERENCES stream (id), sequence INTEGER NOT NULL,
    first INTEGER NOT NULL, type TEXT NOT NULL, time TEXT NOT NULL, arrived_s REAL NOT NULL, body BLOB NOT NULL,
    UNIQUE (stream, sequence, first));
CREATE VIEW IF NOT EXISTS event AS
    SELECT tenant, site, stream.stream, sequence, type, time, arrived_s, CAST(body AS TEXT) AS body
    FROM message JOIN stream ON message.stream = stream.id WHERE kind = 'event';
"""
VERSION = 1
_BOOKS = "SELECT id, tenant, site, stream, kind, book FROM stream ORDER BY id"
BUSY_S = 10.0
PRUNE_ROWS = 5_000


class DiskRefused(Exception):
    """Nothing of the batch was kept, nothing of it may be acknowledged."""


class Disk:
    """Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        """Raises DiskRefused."""
        try:
            self._base = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            found = self._base.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, VERSION):
                raise DiskRefused(f"{path} is of version {found}, this is version {VERSION}")
            self._base.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        except sqlite3.Error as error:
            raise DiskRefused(f"{path}: {error}") from error
        self.path = path

    def close(self) -> None:
        self._base.close()

    def recall(self, intake: Intake, now_s: float) -> None:
        """Everything that was written, into the books."""
        for tenant, site, presence in self._base.execute("SELECT tenant, site, presence FROM site"):
            intake.site((tenant, site)).presence = Presence.from_json(json.loads(presence))
        for row, tenant, site, name, kind, book in self._base.execute(_BOOKS):
            held = Stream(Kind(kind), StreamBook.from_json(json.loads(book), now_s), row)
            intake.site((tenant, site)).streams[name] = held

    def write(self, intake: Intake, due: Due) -> None:
        """All of it or nothing. Raises DiskRefused."""
        try:
            self._base.execute("BEGIN IMMEDIATE")
            for key, name in due.streams:
                self._keep_book(key, name, intake.sites[key].streams[name])
            self._base.executemany(
                "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", (_row(intake, each) for each in due.rows)
            )
            presences = ((*key, json.dumps(intake.sites[key].presence.to_json())) for key in due.presences)
            self._base.executemany("INSERT OR REPLACE INTO site VALUES (?, ?, ?)", presences)
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise DiskRefused(f"{self.path}: {error}") from error

    def prune(self, before_wall_s: float) -> None:
        """Forget measurements that arrived before, a portion at a time; events stay. Raises DiskRefused."""
        old = (
            "SELECT message.rowid FROM message JOIN stream ON message.stream = stream.id"
            " WHERE kind = 'telemetry' AND arrived_s < ? LIMIT ?"
        )
        try:
            self._base.execute(f"DELETE FROM message WHERE rowid IN ({old})", (before_wall_s, PRUNE_ROWS))
        except sqlite3.Error as error:
            raise DiskRefused(f"{self.path}: {error}") from error

    def _keep_book(self, key: Key, name: str, stream: Stream) -> None:
        book = json.dumps(stream.book.to_json(), separators=(",", ":"))
        if stream.row is None:
            values = (*key, name, stream.kind.value, book)
            cursor = self._base.execute(
                "INSERT INTO stream (tenant, site, stream, kind, book) VALUES (?, ?, ?, ?, ?)", values
            )
            stream.row = cursor.lastrowid
        else:
            self._base.execute("UPDATE stream SET book = ? WHERE id = ?", (book, stream.row))


def _row(intake: Intake, each: Row) -> tuple[object, ...]:
    held, message = intake.sites[each.site].streams[each.stream], each.message
    return held.row, message.sequence, message.first, message.kind, message.time, each.arrived_s, message.body


def stored_books(base: sqlite3.Connection) -> Iterator[tuple[Key, str, Kind, StreamBook]]:
    """Of a file somebody else may be writing. Raises sqlite3.Error."""
    for _, tenant, site, name, kind, book in base.execute(_BOOKS):
        yield (tenant, site), name, Kind(kind), StreamBook.from_json(json.loads(book), 0.0)
