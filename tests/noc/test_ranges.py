from itertools import pairwise

from edge_noc.ranges import Ranges
from hypothesis import given
from hypothesis import strategies as st

PAIRS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(PAIRS, st.integers(1, 70), st.integers(0, 20))
def test_ranges_are_the_set_they_stand_for(pairs: list[tuple[int, int]], first: int, length: int) -> None:
    ranges, numbers = Ranges(), set[int]()
    for low, high in pairs:
        added = set(range(low, high + 1))
        assert ranges.add(low, high) == len(added - numbers)
        numbers |= added
    last = first + length
    asked = set(range(first, last + 1))
    assert {n for low, high in ranges for n in range(low, high + 1)} == numbers
    assert ranges.count == len(numbers)
    assert ranges.covers(first, last) == (asked <= numbers)
    missing = ranges.missing(first, last)
    assert {n for low, high in missing for n in range(low, high + 1)} == asked - numbers
    assert all(after[0] > before[1] + 1 for before, after in pairwise(missing))
    assert ranges.missing(first, last, limit=1) == missing[:1]


@given(PAIRS)
def test_ranges_that_touch_are_one(pairs: list[tuple[int, int]]) -> None:
    held = list(Ranges(pairs))
    assert all(after[0] > before[1] + 1 for before, after in pairwise(held))


@given(PAIRS, st.integers(1, 70))
def test_unbroken_to_is_the_last_before_the_first_hole(pairs: list[tuple[int, int]], first: int) -> None:
    ranges = Ranges(pairs)
    end = ranges.unbroken_to(first)
    assert end == first - 1 or ranges.covers(first, end)
    assert not ranges.covers(end + 1, end + 1)
