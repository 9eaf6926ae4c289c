import pytest

from edged.record.journal_entry import END, Kept
from edged.record.recorded import Gone, Tombstone
from edged.record.rescue import Rescue, rescue
from edged.record.spans import Span, Spans

FILE = Spans((Span("a", 0, 5, acknowledged=2), Span("b", 5, 3)))


def kept(stream: str, sequence: int, row: int) -> Kept:
    return Kept(row, stream, sequence, 2, b"p" * 32, f"{stream}{sequence}".encode())


def searched(*events: Kept, past: Spans | None = FILE, present: tuple[str, ...] = (), **streams: int) -> Rescue:
    here = {one.name for one in events if one.body.decode() in present}
    known = {one.stream: 0 for one in events} | streams
    return rescue(events, known, past=past, present=here, why=Gone.TORN)


def rows(found: Rescue) -> list[tuple[int, str]]:
    return [(row.recorded.row, row.recorded.body.decode()) for row in found.rows]


def test_what_the_database_has_is_left_alone() -> None:
    found = searched(kept("a", 4, 4), kept("b", 3, 8), present=("a4", "b3"), a=2, b=0)
    assert (found.rows, found.stones, found.spans, found.continues) == ((), (), FILE.spans, True)


def test_a_row_the_database_misses_comes_back_in_its_place_unless_it_is_acknowledged() -> None:
    found = searched(kept("a", 1, 1), kept("a", 4, 4))
    assert (rows(found), found.continues) == ([(4, "a4")], True)


@pytest.mark.parametrize("events", [(kept("b", 5, 10),), ()])
def test_a_stream_that_went_further_than_the_database_knows_is_not_continued(events: tuple[Kept, ...]) -> None:
    found = searched(*events, b=5 if not events else 0)
    assert rows(found) == [(10, "b5") for _ in events]
    assert (found.spans[-1], found.continues) == (Span("b", 5, 5), False)
    assert found.stones == (Tombstone("b", 4, None, Gone.TORN),)


def test_a_stream_the_database_does_not_know_follows_those_it_knows() -> None:
    found = searched(kept("c", 2, 10), kept("c", 4, 12), c=1)
    assert rows(found) == [(10, "c2"), (12, "c4")]
    assert (found.spans[-1], found.continues) == (Span("c", 8, 4, acknowledged=1), False)
    assert found.stones == (Tombstone("c", 1, None, Gone.TORN),)


def test_one_whose_rows_others_have_taken_is_moved_behind_a_hole() -> None:
    found = searched(kept("c", 1, 6), kept("d", 1, 7))
    assert rows(found) == [(10, "c1"), (12, "d1")]


def test_without_a_database_all_streams_come_back_as_they_were() -> None:
    found = searched(kept("b", 1, 6), kept("a", 4, 4), past=None)
    assert rows(found) == [(4, "a4"), (6, "b1")]
    assert [span.stream for span in found.spans] == ["a", "b"]


def test_a_stream_of_which_nothing_waits_has_a_tombstone_and_a_forgotten_one_has_none() -> None:
    found = searched(past=None, a=7, z=END)
    assert (found.rows, found.spans) == ((), ())
    assert found.stones == (Tombstone("a", 1, None, Gone.TORN),)
