import pytest

from edged.record.backlog_gone import TOLD_KEPT, UNTOLD_KEPT, Graves, unaccounted
from edged.record.recorded import Gone, Tombstone


def grave(first: int, last: int | None, why: Gone = Gone.EVICTED, stream: str = "a") -> Tombstone:
    return Tombstone(stream, first, last, why)


@pytest.mark.parametrize(
    ("dug", "found"),
    [
        ([grave(1, 5), grave(6, 9)], [grave(1, 9)]),
        ([grave(6, 9), grave(1, 5)], [grave(1, 9)]),
        ([grave(1, 5), grave(7, 9)], [grave(1, 5), grave(7, 9)]),
        ([grave(1, 5), grave(7, 9), grave(6, 6)], [grave(1, 9)]),
        ([grave(1, 5), grave(3, None)], [grave(1, None)]),
        ([grave(3, None), grave(1, 2), grave(50, 60)], [grave(1, None)]),
        ([grave(1, 5), grave(6, 9, Gone.EXPIRED)], [grave(1, 5), grave(6, 9, Gone.EXPIRED)]),
        ([grave(1, 5), grave(6, 9, stream="b")], [grave(1, 5), grave(6, 9, stream="b")]),
        ([grave(1, 9), grave(2, 3)], [grave(1, 9)]),
    ],
)
def test_neighbours_share_a_tombstone(dug: list[Tombstone], found: list[Tombstone]) -> None:
    assert list(Graves().dug(dug).untold) == found


def test_what_was_told_is_kept_for_those_who_ask_again() -> None:
    graves = Graves().dug([grave(1, 5), grave(11, 20)]).after_telling([grave(1, 5)])
    assert graves == Graves((grave(11, 20),), (grave(1, 5),))
    assert graves.within("a", 4, 15) == [grave(4, 5), grave(11, 15)]
    assert graves.within("a", 6, 10) == graves.within("b", 1, 20) == []
    assert Graves().dug([grave(3, None)]).within("a", 1, 9) == [grave(3, 9)]


def test_one_that_grew_while_it_was_told_is_told_again() -> None:
    graves = Graves().dug([grave(1, 5), grave(6, 9)]).after_telling([grave(1, 5)])
    assert graves.untold == (grave(1, 9),)


def test_there_are_never_too_many() -> None:
    many = [grave(1, None, Gone.CRASH, f"{n}") for n in range(UNTOLD_KEPT + 5)]
    graves = Graves().dug(many)
    assert list(graves.untold) == many[5:]
    assert list(graves.after_telling(many).told) == many[-TOLD_KEPT:]


@pytest.mark.parametrize(
    ("kept", "after", "lost"),
    [
        ([], 0, [(1, None)]),
        ([(1, 60)], 60, [(61, None)]),
        ([(1, 60)], 20, [(61, None)]),
        ([(1, 29), (31, 60)], 10, [(30, 30), (61, None)]),
        ([(5, 9), (20, 30)], 12, [(13, 19), (31, None)]),
        ([(5, 9)], 12, [(13, None)]),
    ],
)
def test_of_a_life_that_crashed_all_is_gone_that_is_not_kept(
    kept: list[tuple[int, int]], after: int, lost: list[tuple[int, int | None]]
) -> None:
    assert unaccounted("a", kept, after) == [grave(first, last, Gone.CRASH) for first, last in lost]
