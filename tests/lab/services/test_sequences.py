import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.sequences import Stream, Streams


def seen(*events: str) -> Stream:
    """Events as "7" (a log event) or "7t" (a tier event)."""
    stream = Stream()
    for text in events:
        stream.add(int(text.rstrip("t")), tier=text.endswith("t"))
    return stream


@pytest.mark.parametrize(
    ("events", "gaps", "duplicates", "watermark"),
    [
        ([], [], 0, None),
        (["1"], [], 0, None),
        (["1t"], [], 0, 1),
        (["1", "2t", "3"], [], 0, 2),
        (["1", "2t", "3t"], [], 0, 3),
        (["5t", "6"], [], 0, 5),
        (["1", "3t"], [(2, 2)], 0, None),
        (["1t", "3t"], [(2, 2)], 0, 1),
        (["1t", "3t", "2"], [], 0, 3),
        (["1t", "5t", "9t"], [(2, 4), (6, 8)], 0, 1),
        (["1t", "5t", "3t", "2"], [(4, 4)], 0, 3),
        (["1t", "5t", "3t", "4", "2"], [], 0, 5),
        (["3t", "1t"], [(2, 2)], 0, 3),
        (["1t", "1t", "2", "2", "2"], [], 3, 1),
        (["0t", "1"], [], 0, 0),
    ],
)
def test_what_came_says_what_is_missing_and_what_may_be_acknowledged(
    events: list[str], gaps: list[tuple[int, int]], duplicates: int, watermark: int | None
) -> None:
    stream = seen(*events)
    assert (stream.gaps, stream.duplicates, stream.watermark) == (gaps, duplicates, watermark)


@given(st.lists(st.integers(0, 30)))
def test_only_the_first_of_each_is_new_and_gaps_are_what_is_missing(numbers: list[int]) -> None:
    stream = Stream()
    known: set[int] = set()
    for number in numbers:
        assert stream.add(number, tier=False) is (number not in known)
        known.add(number)
    missing = {n for first, last in stream.gaps for n in range(first, last + 1)}
    assert missing == (set(range(min(known), max(known) + 1)) - known if known else set())
    assert stream.duplicates == len(numbers) - len(known)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), unique_by=lambda event: event[0]))
def test_the_watermark_never_goes_back_and_is_always_a_tier_event_that_came(events: list[tuple[int, bool]]) -> None:
    stream, before = Stream(), -1
    for number, tier in events:
        stream.add(number, tier=tier)
        if stream.watermark is not None:
            assert stream.watermark >= before
            assert (stream.watermark, True) in events
            before = stream.watermark


@given(st.permutations([(number, number % 3 == 0) for number in range(1, 20)]))
def test_in_whatever_order_all_came_all_is_acknowledged(events: list[tuple[int, bool]]) -> None:
    stream = Stream()
    for number, tier in events:
        stream.add(number, tier=tier)
    assert stream.ranges == [(1, 19)]
    assert stream.watermark == 18


@pytest.mark.parametrize(
    ("gone", "gaps", "watermark"),
    [
        ([], [(2, 4), (6, 8)], 1),
        ([(2, 4)], [(6, 8)], 5),
        ([(2, 2), (4, 4)], [(3, 3), (6, 8)], 1),
        ([(0, 7)], [(8, 8)], 5),
        ([(3, None)], [(2, 2)], 1),
        ([(2, None), (2, None)], [], 9),
        ([(10, 20)], [(2, 4), (6, 8)], 1),
    ],
)
def test_a_tombstone_closes_what_is_missing(
    gone: list[tuple[int, int | None]], gaps: list[tuple[int, int]], watermark: int
) -> None:
    stream = seen("1t", "5t", "9t")
    for first, last in gone:
        stream.close(first, last)
    assert (stream.gaps, stream.watermark) == (gaps, watermark)


def test_what_was_called_gone_and_comes_all_the_same_is_taken() -> None:
    stream = seen("1t", "5t")
    stream.close(2, None)
    assert stream.add(7, tier=True)
    assert stream.add(3, tier=False)
    assert (stream.gaps, stream.watermark, stream.duplicates) == ([], 7, 0)


def test_streams_do_not_mix() -> None:
    streams = Streams()
    streams["a"].add(1, tier=True)
    streams["b"].add(7, tier=True)
    streams["b"].add(9, tier=True)
    assert streams.gaps == {"b": [(8, 8)]}
    assert (streams["a"].watermark, streams["b"].watermark) == (1, 7)
