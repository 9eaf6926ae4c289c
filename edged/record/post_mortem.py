"""What the record says while no daemon runs. Reads only; needs neither asyncio nor the daemon's settings."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edged.core.events import Channel
from edged.record import database
from edged.record.errors import RecordBroken
from edged.record.past import Checkpoint, checkpoint, load, recorded
from edged.record.recorded import Head, Recorded


@dataclass(frozen=True, slots=True)
class PostMortem:
    """The last things a daemon wrote."""

    checkpoint: Checkpoint | None
    recent: tuple[Recorded, ...]
    """Ascending."""
    heads: tuple[Head, ...]
    pending_tier: int
    pending_log: int
    written_wall_s: float
    """When the file or its log last changed, seconds since 1970; ages are the reader's `now` minus this."""


def read_only(directory: Path, *, limit: int = 100) -> PostMortem:
    """Reads the ledger in `directory`. Raises RecordBroken if there is none, or none that can be read."""
    path = directory / database.FILE_NAME
    try:
        log = Path(f"{path}-wal")
        written = max(path.stat().st_mtime, log.stat().st_mtime if log.exists() else 0.0)
        with closing(open_read_only(path)) as connection:
            return _read(connection, limit, written)
    except (OSError, ValueError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RecordBroken(f"cannot read {path}: {why}") from error


def _read(connection: sqlite3.Connection, limit: int, written_wall_s: float) -> PostMortem:
    past = load(connection)
    if past is None:
        raise RecordBroken("the ledger is empty")
    newest = tuple(recorded(connection, past.spans, "ORDER BY row DESC LIMIT ?", (limit,)))
    return PostMortem(
        checkpoint=checkpoint(connection),
        recent=newest[::-1],
        heads=past.spans.heads(),
        pending_tier=len(past.pending[Channel.TIER]),
        pending_log=len(past.pending[Channel.LOG]),
        written_wall_s=written_wall_s,
    )


def open_read_only(path: Path) -> sqlite3.Connection:
    """Reading a write-ahead log needs its index beside it, or leave to make one; without that, a copy is read."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN:
            raise
        return _copy(path)
    return connection


def _copy(path: Path) -> sqlite3.Connection:
    in_memory = sqlite3.connect(":memory:")
    with TemporaryDirectory(prefix="edged-") as folder:
        for suffix in ("", "-wal"):
            if Path(f"{path}{suffix}").exists():
                shutil.copy(f"{path}{suffix}", Path(folder) / f"copy{suffix}")
        with closing(sqlite3.connect(Path(folder) / "copy")) as connection:
            connection.backup(in_memory)
    return in_memory
