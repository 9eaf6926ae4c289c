"""Each row carries the hash of the one before it, so a row changed, dropped or slipped in afterwards shows.

hash(row) = SHA-256(previous || body); the first row of a file follows the hash of that file's first stream id.
Pruned rows leave holes: a row after a hole is held to nothing, the rows after it are held to it.
"""

from collections.abc import Iterable
from hashlib import sha256


def genesis(stream: str) -> bytes:
    return sha256(stream.encode()).digest()


def link(previous: bytes, body: bytes) -> bytes:
    """The 32 bytes the next row must carry."""
    return sha256(previous + body).digest()


def first_break(rows: Iterable[tuple[int, bytes, bytes]]) -> int | None:
    """The number of the first row that does not follow the one before it. Takes (row, previous, body), ascending."""
    expected: tuple[int, bytes] | None = None
    for row, previous, body in rows:
        if expected is not None and expected[0] == row and expected[1] != previous:
            return row
        expected = (row + 1, link(previous, body))
    return None
