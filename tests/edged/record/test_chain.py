from collections.abc import Callable

import pytest

from edged.record.chain import first_break, genesis, link

Row = tuple[int, bytes, bytes]


def chained(*bodies: bytes) -> list[Row]:
    rows, previous = [], genesis("stream")
    for number, body in enumerate(bodies, 1):
        rows.append((number, previous, body))
        previous = link(previous, body)
    return rows


def test_the_first_link_follows_from_the_name_of_the_stream() -> None:
    assert genesis("a").hex() == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"  # sha256("a")
    assert link(genesis("a"), b"").hex() == "bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8"


@pytest.mark.parametrize(
    ("harm", "broken"),
    [
        (lambda rows: rows, None),
        (lambda rows: [], None),
        (lambda rows: [rows[0], (2, rows[1][1], b"forged"), *rows[2:]], 3),
        (lambda rows: [(1, rows[0][1], b"forged"), *rows[1:]], 2),
        (lambda rows: [rows[0], (2, b"\0" * 32, rows[1][2]), *rows[2:]], 2),
        (lambda rows: [rows[0], (2, *rows[2][1:]), (3, *rows[3][1:])], 2),  # one cut out, the rest moved up
        (lambda rows: [rows[0], rows[2], rows[3]], None),  # pruned: a hole is no forgery
        (lambda rows: [rows[0], rows[2], (4, rows[3][1][::-1], rows[3][2])], 4),
    ],
)
def test_the_first_row_that_does_not_follow_is_found(
    harm: Callable[[list[Row]], list[Row]], broken: int | None
) -> None:
    assert first_break(harm(chained(b"one", b"two", b"three", b"four"))) == broken
