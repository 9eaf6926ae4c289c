import json
from collections.abc import Callable

import pytest
from edge_noc.book import StreamBook
from hypothesis import given
from hypothesis import strategies as st

Step = Callable[[StreamBook], object]


def tier(sequence: int) -> Step:
    return lambda book: book.take(sequence, sequence, tier=True, now_s=0.0)


def log(sequence: int, first: int | None = None) -> Step:
    return lambda book: book.take(first or sequence, sequence, tier=False, now_s=0.0)


def gone(first: int, last: int | None, why: str = "evicted") -> Step:
    return lambda book: book.bury(first, last, why, now_s=0.0)


def head(last: int) -> Step:
    return lambda book: book.head(last, now_s=0.0)


@pytest.mark.parametrize(
    ("steps", "holes", "watermark"),
    [
        ([tier(1), tier(2)], [], 2),
        ([tier(1), tier(3)], [(2, 2)], 1),
        ([tier(3), log(2), tier(1)], [], 3),
        ([log(1), log(2)], [], 0),
        ([tier(1), log(2), tier(4), log(3)], [], 4),
        ([tier(3)], [(1, 2)], 0),
        ([tier(3), gone(1, 2)], [], 3),
        ([tier(3), gone(1, 1)], [(2, 2)], 0),
        ([tier(1), head(3)], [(2, 3)], 1),
        ([tier(1), gone(2, 5), tier(6)], [], 6),
        ([tier(1), tier(9), gone(2, None)], [], 9),
        ([tier(1), gone(2, None), tier(5), tier(9)], [], 9),
        ([tier(1), head(20), lambda book: book.give_up(0.0)], [], 1),
        ([gone(4, 6)], [(1, 3)], 0),
        ([log(10, first=1), tier(11)], [], 11),
    ],
)
def test_holes_and_the_watermark(steps: list[Step], holes: list[tuple[int, int]], watermark: int) -> None:
    book = StreamBook()
    for step in steps:
        step(book)
    assert book.holes() == holes
    assert book.watermark == watermark
    assert book.complete == (not holes)
    assert book.missing == sum(last - first + 1 for first, last in holes)


def test_what_comes_twice_is_counted_and_changes_nothing() -> None:
    book = StreamBook()
    assert [tier(1)(book), tier(1)(book), log(1)(book)] == [True, False, False]
    assert (book.duplicates, book.held.count) == (2, 1)


def test_a_message_made_of_several_that_covers_more_than_is_here_is_no_duplicate() -> None:
    book = StreamBook()
    log(5)(book)
    assert log(5, first=1)(book)
    assert not log(4)(book)
    assert list(book.held) == [(1, 5)]


def test_what_comes_after_it_was_called_gone_is_held_and_not_lost() -> None:
    book = StreamBook()
    for step in (tier(4), gone(1, 3), log(2)):
        step(book)
    assert book.lost() == {"evicted": [(1, 1), (3, 3)]}
    assert book.held.count == 2


def test_the_moment_is_when_a_hole_opened_or_shrank_and_nothing_else_moves_it() -> None:
    book = StreamBook()
    moments = []
    for now_s, (first, last) in enumerate([(1, 1), (4, 4), (5, 5), (9, 9), (3, 3), (4, 4), (10, 10)]):
        book.take(first, last, tier=True, now_s=float(now_s))
        moments.append(book.moved_s)
    assert moments == [0.0, 1.0, 1.0, 1.0, 4.0, 4.0, 4.0]


STEPS = st.lists(
    st.one_of(
        st.integers(1, 30).map(tier),
        st.tuples(st.integers(1, 30), st.integers(0, 5)).map(lambda pair: log(pair[0] + pair[1], pair[0])),
        st.tuples(st.integers(1, 30), st.integers(0, 5)).map(lambda pair: gone(pair[0], pair[0] + pair[1])),
        st.integers(1, 40).map(head),
        st.integers(1, 40).map(lambda first: gone(first, None, "crash")),
    )
)


@given(STEPS)
def test_the_watermark_never_goes_beyond_a_hole_and_never_back(steps: list[Step]) -> None:
    book, before = StreamBook(), 0
    for step in steps:
        step(book)
        holes = book.holes(limit=1)
        assert not holes or book.watermark < holes[0][0]
        assert before <= book.watermark <= book.known_last
        assert (book.waiting > 0) <= (not book.complete)
        before = book.watermark


@given(STEPS, STEPS)
def test_a_book_that_was_put_away_goes_on_as_if_it_had_not(steps: list[Step], more: list[Step]) -> None:
    book = StreamBook()
    for step in steps:
        step(book)
    again = StreamBook.from_json(json.loads(json.dumps(book.to_json())), now_s=0.0)
    for step in more:
        assert step(book) == step(again)
    assert json.dumps(again.to_json(), sort_keys=True) == json.dumps(book.to_json(), sort_keys=True)
    assert again.holes() == book.holes()
