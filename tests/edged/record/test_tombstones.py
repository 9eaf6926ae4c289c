import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.record.recorded import Gone, Tombstone
from edged.record.tombstones import MOST, Tombstones, cut, end_of


def evicted(first: int, last: int | None, stream: str = "a") -> Tombstone:
    return Tombstone(stream, first, last, Gone.EVICTED)


def torn(first: int, last: int | None) -> Tombstone:
    return Tombstone("a", first, last, Gone.TORN)


@pytest.mark.parametrize(
    ("laid", "kept"),
    [
        ([evicted(1, 1), evicted(2, 2), evicted(3, 5)], [evicted(1, 5)]),
        ([evicted(4, 5), evicted(1, 3)], [evicted(1, 5)]),
        ([evicted(1, 1), evicted(3, 3)], [evicted(1, 1), evicted(3, 3)]),
        ([evicted(1, 2), torn(3, 4)], [evicted(1, 2), torn(3, 4)]),
        ([evicted(3, 4), torn(1, None)], [torn(1, 2), evicted(3, 4), torn(5, None)]),
        ([torn(5, None), torn(1, 9)], [torn(1, None)]),
        ([evicted(1, 1), evicted(2, 2, "b"), evicted(2, 2)], [evicted(1, 2), evicted(2, 2, "b")]),
    ],
)
def test_neighbours_of_one_reason_become_one_and_the_first_reason_stays(
    laid: list[Tombstone], kept: list[Tombstone]
) -> None:
    assert list(Tombstones().laid(laid).untold()) == kept


def test_counts_are_added_up_and_not_told_twice_when_cut() -> None:
    one = Tombstone("a", 2, 5, Gone.COALESCED, ((1, 1), (2, 3)))
    other = Tombstone("a", 6, 9, Gone.COALESCED, ((2, 2), (3, 2)))
    (both,) = Tombstones().laid([one, other]).untold()
    assert both == Tombstone("a", 2, 9, Gone.COALESCED, ((1, 1), (2, 5), (3, 2)))
    assert cut(both, [4, 12]) == [
        Tombstone("a", 2, 3, Gone.COALESCED, both.tiers),
        Tombstone("a", 5, 9, Gone.COALESCED),
    ]


def test_what_is_told_is_still_known_and_told_again_when_it_grew() -> None:
    stones = Tombstones().laid([evicted(1, 3)])
    told = stones.told(stones.untold())
    assert told.untold() == ()
    assert told.why("a", 2, 9) == [evicted(2, 3)]
    assert told.laid([evicted(4, 4)]).untold() == (evicted(1, 4),)
    grown = stones.laid([evicted(4, 4)])
    assert grown.told(stones.untold()).untold() == (evicted(1, 4),)


def test_too_many_ranges_are_merged_from_the_oldest_on() -> None:
    stones = Tombstones().laid(evicted(2 * n, 2 * n) for n in range(1, MOST + 2))
    kept = stones.untold()
    assert len(kept) <= MOST
    assert kept[0].first == 2
    assert end_of(kept[0]) > 100
    assert kept[-1] == evicted(2 * MOST + 2, 2 * MOST + 2)
    assert all(stones.why("a", 2 * n, 2 * n) for n in range(1, MOST + 2))


def test_too_many_streams_are_forgotten_from_the_oldest_on() -> None:
    stones = Tombstones().laid(evicted(1, None, f"{n}") for n in range(MOST + 1))
    assert not stones.know("0")
    assert stones.know(f"{MOST}")


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8), st.sampled_from(list(Gone))), max_size=20),
    st.sets(st.integers(1, 50)),
)
def test_ranges_never_overlap_and_cover_what_was_laid(laid: list[tuple[int, int, Gone]], present: set[int]) -> None:
    stones = Tombstones().laid(Tombstone("a", first, first + more, why) for first, more, why in laid)
    first_reason: dict[int, Gone] = {}
    for first, more, why in laid:
        for number in range(first, first + more + 1):
            first_reason.setdefault(number, why)
    said = [part for stone in stones.untold() for part in cut(stone, sorted(present))]
    numbers = [(number, part.why) for part in said for number in range(part.first, end_of(part) + 1)]
    assert numbers == sorted((n, why) for n, why in first_reason.items() if n not in present)
