"""The rows that prove what is said of one session, read from the ledger file beside a living daemon or a dead one.

From the last checkpoint before the session's first event (or the oldest row kept) to the first checkpoint that covers
its last (or the newest row). A portion at a time, so that no session is too long. Reads only; needs no asyncio.
"""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edged.core.events import Json
from edged.record import database
from edged.record.errors import RecordBroken, RecordMisused
from edged.record.post_mortem import open_read_only
from edged.record.witness_event import TYPE, sealed_place

PORTION_BYTES = 128 << 10
"""Of bodies; in the daemon an answer of so many takes about a MiB while it is made."""
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Bounds:
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ChainedRow:
    row: int
    """Its number on this box."""
    previous: bytes
    """The hash of the row before it."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """Ascending. `after` asks for the next portion; None: there is none. `last` bounds them all."""

    rows: tuple[ChainedRow, ...]
    last: int
    after: int | None

    def document(self) -> dict[str, Json]:
        """As the control socket tells it."""
        rows: list[Json] = [[each.row, each.previous.hex(), each.body.decode()] for each in self.rows]
        return {"rows": rows, "last": self.last, "after": self.after}


def session_rows(
    directory: Path, session: str, *, after: int | None = None, last: int | None = None, most_bytes: int = PORTION_BYTES
) -> Rows:
    """The rows of `session`, from the one after `after` on; ask again with what the answer says until `after` is None.

    Raises RecordBroken if there is no ledger or none that can be read, RecordMisused if nothing in it is about that
    session.
    """
    if not _SESSION.fullmatch(session):
        raise RecordMisused(f"no id of a session: {session!r:.80}")
    path = directory / database.FILE_NAME
    try:
        with closing(open_read_only(path)) as connection:
            if after is None or last is None:
                bounds = _bounds(connection, session)
                after, last = bounds.first - 1, bounds.last
            return _portion(connection, after, last, most_bytes)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise RecordBroken(f"cannot read {path}: {error}") from error


def _portion(connection: sqlite3.Connection, after: int, last: int, most_bytes: int) -> Rows:
    rows: list[ChainedRow] = []
    size = 0
    found = connection.execute(
        "SELECT row, previous, body FROM event WHERE row > ? AND row <= ? ORDER BY row", (after, last)
    )
    for row, previous, body in found:
        if rows and size + len(body) > most_bytes:
            return Rows(tuple(rows), last, rows[-1].row)
        rows.append(ChainedRow(row, bytes(previous), bytes(body)))
        size += len(body)
    return Rows(tuple(rows), last, None)


def _bounds(connection: sqlite3.Connection, session: str) -> Bounds:
    """Two walks through the file; 64 MiB take about 0.2 s."""
    named = f'"session":"{session}"'
    first, last = _ends(connection, named)
    if first is None or last is None:
        raise RecordMisused(f"nothing was recorded of session {session}, or nothing is left of it")
    checkpoint = f'"type":"{TYPE}"'
    (begins,) = connection.execute(
        f"SELECT max(row) FROM event WHERE row < ? AND {_HOLDS}", (first, checkpoint)
    ).fetchone()
    (oldest, newest) = connection.execute("SELECT min(row), max(row) FROM event").fetchone()
    ends = _covering(connection, last, checkpoint)
    return Bounds(oldest if begins is None else begins, newest if ends is None else ends)


def _ends(connection: sqlite3.Connection, named: str) -> tuple[int | None, int | None]:
    first, last = connection.execute(f"SELECT min(row), max(row) FROM event WHERE {_HOLDS}", (named,)).fetchone()
    return first, last


def _covering(connection: sqlite3.Connection, last: int, checkpoint: str) -> int | None:
    """The first checkpoint after row `last` whose statement is about that row or a later one."""
    starts = dict(connection.execute("SELECT stream, start FROM stream"))  # row = start + sequence
    for row, body in connection.execute(
        f"SELECT row, body FROM event WHERE row > ? AND {_HOLDS} ORDER BY row", (last, checkpoint)
    ):
        place = sealed_place(bytes(body))
        if place and place[0] in starts and starts[place[0]] + place[1] >= last:
            return int(row)
    return None


_HOLDS = "instr(body, CAST(? AS BLOB))"
