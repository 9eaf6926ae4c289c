"""The SQLite file: how it is opened, what is in it, and what to do with one that cannot be trusted.

A plain rowid table without an index: one event alone costs two pages of write-ahead log. Row numbers are ours, the
highest row is never deleted, so no number comes twice. Values that change in place (cursors, the checkpoint) live in
`kept`.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from edged.record.errors import RecordBroken
from edged.record.recorded import DiskCause

FILE_NAME = "ledger.sqlite3"
APPLICATION_ID = 0x65646765  # "edge": tells file(1), and us, whose file this is
SCHEMA_VERSION = 2
SET_ASIDE_KEPT = 3
"""Files set aside beyond these make way for new ones: a disk that keeps corrupting must not fill up with evidence."""

Value: TypeAlias = "int | float | bytes | None"

_FIRST_SCHEMA = """
CREATE TABLE event (
  row INTEGER PRIMARY KEY, channel TEXT NOT NULL CHECK (channel IN ('tier', 'log')), tier INTEGER NOT NULL,
  previous BLOB NOT NULL, body BLOB NOT NULL
);
CREATE TABLE stream (
  stream TEXT NOT NULL, start INTEGER PRIMARY KEY, length INTEGER NOT NULL, acknowledged INTEGER NOT NULL,
  continues INTEGER NOT NULL
);
CREATE TABLE kept (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
_UPGRADES = {
    1: """
CREATE TABLE tombstone (
  stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER, why TEXT NOT NULL, tiers TEXT NOT NULL,
  told INTEGER NOT NULL, PRIMARY KEY (stream, first)
) WITHOUT ROWID;
CREATE TABLE command (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, expires_wall_s REAL NOT NULL, answer BLOB
);
""",
}
"""What leads from each version to the next. A site's file is never set aside because the software is newer."""


def open_database(path: Path) -> sqlite3.Connection:
    """Opens or creates the file.

    Raises sqlite3.Error when the disk refuses, RecordBroken when the file is not a sound ledger of ours.
    """
    if not _size(path) and _size(Path(f"{path}-wal")):
        raise RecordBroken("the write-ahead log has lost its file")  # SQLite would delete the log and say nothing
    connection = sqlite3.connect(path, isolation_level=None, timeout=2.0)
    try:
        _prepare(connection)
    except BaseException:
        close_database(connection)
        raise
    return connection


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    fresh = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if fresh:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # pages can be given back; must precede the first table
    else:
        _examine(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {4 << 20}")
    if fresh:
        ours = f"INSERT INTO kept VALUES ('identity', '{uuid4()}'); PRAGMA application_id = {APPLICATION_ID};"
        _change(connection, f"{_FIRST_SCHEMA} {ours}", since=1)
    elif (version := _version(connection)) < SCHEMA_VERSION:
        _change(connection, "", since=version)


def _change(connection: sqlite3.Connection, first: str, *, since: int) -> None:
    """`first`, and all that leads from version `since` to ours, in one transaction."""
    steps = "".join(_UPGRADES[version] for version in range(since, SCHEMA_VERSION))
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {first} {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _examine(connection: sqlite3.Connection) -> None:
    """quick_check reads the whole file: 64 MiB in about 0.1 s."""
    application, version = connection.execute("PRAGMA application_id").fetchone()[0], _version(connection)
    if application != APPLICATION_ID or not 1 <= version <= SCHEMA_VERSION:
        raise RecordBroken(f"not a ledger we know: application id {application:#x}, version {version}")
    findings = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if findings != "ok":
        raise RecordBroken(f"quick_check: {findings}")


def close_database(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # closing checkpoints the log, and the disk may refuse that too; the log itself stays
        connection.close()


def cause_of(error: sqlite3.Error | OSError | RecordBroken) -> DiskCause:
    match error:
        case RecordBroken():
            return DiskCause.CORRUPT
        case OSError():
            return DiskCause.UNWRITABLE
        case _:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
            return _CAUSES.get(code, DiskCause.IO)


_CAUSES = {
    sqlite3.SQLITE_FULL: DiskCause.FULL,
    sqlite3.SQLITE_CORRUPT: DiskCause.CORRUPT,
    sqlite3.SQLITE_NOTADB: DiskCause.CORRUPT,
    sqlite3.SQLITE_READONLY: DiskCause.UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: DiskCause.UNWRITABLE,
    sqlite3.SQLITE_PERM: DiskCause.UNWRITABLE,
}


def set_aside(path: Path) -> Path:
    """Renames the file and its write-ahead log to NAME.corrupt-N; N counts up. Raises OSError."""
    earlier = sorted(_numbers_set_aside(path))
    for number in earlier[: len(earlier) + 1 - SET_ASIDE_KEPT if len(earlier) >= SET_ASIDE_KEPT else 0]:
        for suffix in ("", "-wal"):
            _aside(path, number, suffix).unlink(missing_ok=True)
    number = earlier[-1] + 1 if earlier else 1
    with suppress(FileNotFoundError):
        Path(f"{path}-wal").rename(_aside(path, number, "-wal"))
    Path(f"{path}-shm").unlink(missing_ok=True)  # an index of the log, rebuilt from it
    with suppress(FileNotFoundError):
        path.rename(_aside(path, number, ""))
    return _aside(path, number, "")


def _aside(path: Path, number: int, suffix: str) -> Path:
    return path.with_name(f"{path.name}.corrupt-{number}{suffix}")


def _numbers_set_aside(path: Path) -> list[int]:
    tails = (file.name.rpartition("-")[2] for file in path.parent.glob(f"{path.name}.corrupt-*"))
    return [int(tail) for tail in tails if tail.isdigit()]


def read(connection: sqlite3.Connection, name: str) -> object:
    found = connection.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
    return found[0] if found else None


def identity(connection: sqlite3.Connection) -> str:
    """Raises RecordBroken for a file that has none."""
    found = read(connection, "identity")
    if not isinstance(found, str):
        raise RecordBroken("the ledger has no identity")
    return found


def keep(connection: sqlite3.Connection, values: Mapping[str, Value]) -> None:
    connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", values.items())
