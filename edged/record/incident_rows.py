"""Incidents as the record tells them, read from the ledger file beside a living daemon or a dead one.

The rows of an incident carry its number. What began just before it was opened (a deadline runs from the loss, a tier
waits for its dwell) and looks at its lines are taken in by room, link and time. Reads only; needs no asyncio.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edged.core.events import Json
from edged.record import database
from edged.record.errors import RecordBroken, RecordMisused
from edged.record.incident_story import Told, listed, story, told
from edged.record.post_mortem import open_read_only

MOST_LISTED = 500
MOST_ROWS = 5_000
"""Looked at: of a line that flaps for weeks, the newest."""
_ROWS_BEFORE = 300
"""Looked back from where an incident was opened. A tier waits for seconds; a busy room tells a few rows in ten."""


def incidents(directory: Path, *, limit: int = 50) -> list[dict[str, Json]]:
    """The newest incidents, newest first, at most `limit`; keys as `incident_story.listed` gives them.

    Raises RecordBroken if there is no ledger or none that can be read.
    """
    with _ledger(directory) as connection:
        rows = _newest(connection, f"{_HOLDS} OR {_HOLDS}", ('"type":"edge.incident.', '"incident":'))
        return listed(rows)[: min(limit, MOST_LISTED)]


def incident(directory: Path, number: int) -> dict[str, Json]:
    """One incident in full; keys as `incident_story.story` gives them.

    Raises RecordBroken if there is no ledger or none that can be read, RecordMisused if it holds nothing of that one.
    """
    with _ledger(directory) as connection:
        its = _whole(connection, number)
        if not its:
            raise RecordMisused(f"nothing is recorded of incident {number}, or nothing is left of it")
        between = f"row BETWEEN {its[0].row - _ROWS_BEFORE} AND {its[-1].row} AND ({_HOLDS} OR {_HOLDS})"
        around = _newest(connection, between, ('"type":"edge.timer.', '"type":"edge.path.diagnosed.'))
        return story(number, its, [each for each in around if each.incident is None])


def last_number(directory: Path) -> int:
    """The highest number that was given to an incident; 0 if nothing on the disk tells of one."""
    try:
        with _ledger(directory) as connection:
            opened = _newest(connection, _HOLDS, ('"type":"edge.incident.opened.',))
            tagged = _newest(connection, _HOLDS, ('"incident":',))
    except RecordBroken:
        return 0
    return max((number for each in (*opened, *tagged) for number in (each.number, each.incident) if number), default=0)


@contextmanager
def _ledger(directory: Path) -> Iterator[sqlite3.Connection]:
    path = directory / database.FILE_NAME
    try:
        with closing(open_read_only(path)) as connection:
            yield connection
    except (OSError, ValueError, KeyError, sqlite3.Error) as error:
        raise RecordBroken(f"cannot read {path}: {error}") from error


def _whole(connection: sqlite3.Connection, number: int) -> list[Told]:
    """Its rows, ascending, and those of whatever turned out to be one with it."""
    rows: dict[int, Told] = {}
    numbers, read = {number}, set[int]()
    while waiting := numbers - read:
        found = [each for wanted in sorted(waiting) for each in _naming(connection, wanted)]
        read |= waiting
        numbers |= {each.number for each in found if each.number is not None and each.data.get("into") in numbers}
        rows |= {each.row: each for each in found if {each.incident, each.number} & numbers}
    return [rows[row] for row in sorted(rows)]


def _naming(connection: sqlite3.Connection, number: int) -> list[Told]:
    """A superset: the spelling (RFC 8785) has no spaces, and a number ends with a comma or a brace."""
    ends = [f'"{key}":{number}{end}' for key in ("incident", "number", "into") for end in ",}"]
    return _newest(connection, " OR ".join([_HOLDS] * len(ends)), ends)


def _newest(connection: sqlite3.Connection, where: str, values: list[str] | tuple[str, ...]) -> list[Told]:
    """Ascending."""
    found = connection.execute(
        f"SELECT row, body FROM event WHERE {where} ORDER BY row DESC LIMIT {MOST_ROWS}", tuple(values)
    )
    return [told(row, bytes(body)) for row, body in found][::-1]


_HOLDS = "instr(body, CAST(? AS BLOB))"
