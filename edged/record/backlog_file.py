"""The backlog's SQLite file: what is in it and how it is read and written. Decides nothing.

WAL with synchronous=NORMAL: a power cut may take the last seconds, never the file. Any error of SQLite comes through.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from edged.clock import ClockQuality
from edged.record.backlog_gone import Graves
from edged.record.backlog_steps import Kept
from edged.record.envelope import Stamp
from edged.record.errors import RecordBroken
from edged.record.recorded import Gone, Tombstone

FILE_NAME = "backlog.sqlite3"
APPLICATION_ID = 0x65646762  # "edgb"
SCHEMA_VERSION = 1
PAGE_BYTES = 4096
WAL_BYTES = 256 << 10
"""What the write-ahead log may keep. It is emptied at half of that; a transaction adds 100 KiB at most."""

_SCHEMA = """
CREATE TABLE batch (
  number INTEGER PRIMARY KEY, place INTEGER NOT NULL, kind TEXT NOT NULL, stream TEXT NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, messages INTEGER NOT NULL, every_s INTEGER NOT NULL, begin_s REAL NOT NULL,
  wall_s REAL NOT NULL, monotonic_s REAL NOT NULL, quality TEXT NOT NULL, boot TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE life (stream TEXT PRIMARY KEY, resolved INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE grave (
  stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER, why TEXT NOT NULL, told INTEGER NOT NULL
);
"""
_KEPT = "number, place, kind, stream, first, last, messages, every_s, begin_s, wall_s, monotonic_s, quality, boot"

_STREAM = re.compile(
    b"".join(b"(?<!%s)" % quality.value.encode() for quality in ClockQuality)  # that would be the boot
    + rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier life left."""

    rows: tuple[Kept, ...]
    lives: Mapping[str, int]
    """Streams that were not closed, and up to where nothing is owed of them."""
    graves: Graves


class BacklogFile:
    """Of one thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    @classmethod
    def open(cls, path: Path) -> "BacklogFile":
        """Raises sqlite3.Error or OSError when the disk refuses, RecordBroken for a file not sound or not ours."""
        if not path.exists() and _size(_wal(path)):
            raise RecordBroken("the write-ahead log has lost its file")
        connection = sqlite3.connect(path, isolation_level=None, timeout=2.0)
        try:
            _prepare(connection)
        except BaseException:
            _close(connection)
            raise
        return cls(connection, path)

    def close(self) -> None:
        _close(self._connection)

    def found(self) -> Found:
        """Raises RecordBroken."""
        try:
            return Found(_rows(self._connection), _lives(self._connection), _graves(self._connection))
        except (ValueError, TypeError) as error:
            raise RecordBroken(f"the backlog says what it cannot: {error}") from error

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────
    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a disk that is full has rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def insert(self, row: Kept, body: bytes) -> None:
        at = row.at
        values = (row.number, row.place, row.kind, row.stream, row.first, row.last, row.messages, row.every_s)
        moment = (row.begin_s, at.wall_s, at.monotonic_s, at.quality.value, at.boot)
        self._connection.execute("INSERT INTO batch VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", (*values, *moment, body))

    def delete(self, numbers: Sequence[int]) -> None:
        self._connection.executemany("DELETE FROM batch WHERE number = ?", [(number,) for number in numbers])

    def write_lives(self, lives: Mapping[str, int]) -> None:
        self._connection.execute("DELETE FROM life")
        self._connection.executemany("INSERT INTO life VALUES (?, ?)", lives.items())

    def write_graves(self, graves: Graves) -> None:
        self._connection.execute("DELETE FROM grave")
        self._connection.executemany(
            "INSERT INTO grave VALUES (?, ?, ?, ?, ?)",
            [
                (each.stream, each.first, each.last, each.why.value, told)
                for told, graves_of in ((1, graves.told), (0, graves.untold))
                for each in graves_of
            ],
        )

    def sync(self) -> None:
        """What is written survives a power cut from here on."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def shrink(self, pages: int) -> None:
        """Gives so many free pages back to the disk, a few at a time, so that the log stays small."""
        for _ in range(0, min(pages, self.free_page_bytes // PAGE_BYTES), 16):
            self._connection.executescript("PRAGMA incremental_vacuum(16)")  # `execute` would take one step: one page
        if pages > 0:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def body(self, number: int) -> bytes | None:
        """None: it is not where it was."""
        found = self._connection.execute("SELECT body FROM batch WHERE number = ?", (number,)).fetchone()
        return found[0] if found and isinstance(found[0], bytes) else None

    @property
    def is_there(self) -> bool:
        """Whether the file still has its name: nobody deleted it under us."""
        return self._path.exists()

    @property
    def page_bytes(self) -> int:
        return int(self._pragma("page_count")) * PAGE_BYTES

    @property
    def free_page_bytes(self) -> int:
        return int(self._pragma("freelist_count")) * PAGE_BYTES

    @property
    def bytes(self) -> int:
        """Of the file and its log, as the disk sees them."""
        return self.page_bytes + _size(_wal(self._path))

    def _pragma(self, name: str) -> Any:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]


def streams_named(path: Path) -> set[str]:
    """In a corrupt file and its log, wherever in them: of a file that was cut short SQLite reads nothing. Raises
    OSError.
    """
    named: set[str] = set()
    for file in (path, _wal(path)):
        if _size(file):
            with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as content:
                named |= {found[0].decode("ascii") for found in _STREAM.finditer(content)}
    return named


def discard(path: Path) -> None:
    """Nothing of it can be trusted. Raises OSError."""
    for file in (path, _wal(path), Path(f"{path}-shm")):
        file.unlink(missing_ok=True)


def _wal(path: Path) -> Path:
    return Path(f"{path}-wal")


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA secure_delete = OFF")  # Debian's default; it writes every page that is given up
    fresh = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if fresh:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    else:
        _examine(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_BYTES // 2 // PAGE_BYTES}")
    if fresh:
        connection.executescript(
            f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )


def _examine(connection: sqlite3.Connection) -> None:
    application, version = (connection.execute(f"PRAGMA {x}").fetchone()[0] for x in ("application_id", "user_version"))
    if (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
        raise RecordBroken(f"not a backlog of this version: application id {application:#x}, version {version}")
    findings = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if findings != "ok":
        raise RecordBroken(f"quick_check: {findings}")


def _close(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        connection.close()


def _rows(connection: sqlite3.Connection) -> tuple[Kept, ...]:
    return tuple(_kept(found) for found in connection.execute(f"SELECT {_KEPT} FROM batch ORDER BY place, number"))


def _kept(found: Sequence[Any]) -> Kept:
    wall_s, monotonic_s, quality, boot = found[9:]
    return Kept(*(*found[:9], Stamp(wall_s, monotonic_s, ClockQuality(quality), boot)))


def _lives(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT stream, resolved FROM life"))


def _graves(connection: sqlite3.Connection) -> Graves:
    found = connection.execute("SELECT told, stream, first, last, why FROM grave ORDER BY rowid").fetchall()
    untold, told = (
        tuple(
            Tombstone(stream, first, last, Gone(why)) for is_told, stream, first, last, why in found if is_told == one
        )
        for one in (0, 1)
    )
    return Graves(untold, told)
