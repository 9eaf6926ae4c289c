from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.media_loss import MAX_MISSING, SequenceLedger

AFTER = 4  # slots: everything fed in slots 0–1 is settled, and still within the second


def count(sequences: Iterable[int], *, slot: int = 1) -> tuple[int, int]:
    numbers = iter(sequences)
    ledger = SequenceLedger(next(numbers) % 65536, slot)
    for sequence in numbers:
        ledger.feed(sequence % 65536, slot)
    return ledger.count(slot + AFTER)


@pytest.mark.parametrize(
    ("sequences", "expected", "lost"),
    [
        pytest.param(range(100, 150), 50, 0, id="in order"),
        pytest.param([1, 2, 4, 5], 5, 1, id="one missing"),
        pytest.param([1, 10], 10, 8, id="a burst missing"),
        pytest.param([1, 2, 4, 3, 5], 5, 0, id="reordered"),
        pytest.param([1, 3, 4, 5, 6, 7, 8, 2], 8, 0, id="late"),
        pytest.param([1, 2, 2, 2, 3], 3, 0, id="duplicates"),
        pytest.param([1, 2, 4, 2, 2], 4, 1, id="a duplicate does not stand for a missing one"),
        pytest.param(range(65500, 65600), 100, 0, id="wrap-around"),
        pytest.param([65534, 65535, 2, 3], 6, 2, id="loss across the wrap-around"),
        pytest.param([65534, 0, 65535, 1], 4, 0, id="reordered across the wrap-around"),
        pytest.param([1, 2, 3, 30000, 4, 5], 5, 0, id="one packet of noise"),
        pytest.param([*range(1, 20), 30000, 30001, 30002], 3, 0, id="restart with another number"),
        pytest.param([*range(1, 20), 30000, 30001, 30003], 4, 1, id="loss after a restart"),
        pytest.param([5000, 5001, 4500, 4501, 4502], 3, 0, id="restart with a lower number"),
        pytest.param([1, 1002], 1, 0, id="a hole too long to be loss"),
    ],
)
def test_what_is_missing_is_counted(sequences: Iterable[int], expected: int, lost: int) -> None:
    assert count(sequences) == (expected, lost)


def test_a_number_may_come_until_its_slot_is_settled() -> None:
    ledger = SequenceLedger(1, 10)
    ledger.feed(3, 10)
    assert ledger.count(11) == (0, 0)
    ledger.feed(2, 11)
    assert ledger.count(12) == (3, 0)


def test_the_window_is_one_second() -> None:
    ledger = SequenceLedger(1, 10)
    ledger.feed(3, 10)
    assert [ledger.count(slot) for slot in (12, 21, 22)] == [(3, 1), (3, 1), (0, 0)]


def test_a_hole_after_a_second_of_silence_is_an_outage_and_no_loss() -> None:
    ledger = SequenceLedger(1, 10)
    ledger.feed(500, 22)
    ledger.feed(501, 22)
    assert ledger.count(24) == (2, 0)


def test_a_hole_of_half_a_second_is_loss() -> None:
    ledger = SequenceLedger(1, 10)
    ledger.feed(26, 15)
    assert ledger.count(18) == (26, 24)


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=300))
def test_noise_never_loses_more_than_was_expected(sequences: list[int]) -> None:
    expected, lost = count(sequences)
    assert 0 <= lost <= expected


@given(st.permutations(range(1, 31)), st.integers(0, 65535))
def test_any_order_of_the_same_packets_loses_none_of_them(order: list[int], start: int) -> None:
    _, lost = count([start + n for n in (0, *order)])
    assert lost == 0


def test_hostile_jumps_are_forgotten_beyond_a_bound() -> None:
    expected, _ = count(900 * n for n in range(1000))
    assert expected <= MAX_MISSING + 1000


def test_of_a_source_that_nobody_asks_about_no_more_is_remembered_than_is_counted() -> None:
    """A source of no known medium, repair say, sends all day, and loses now and then."""
    ledger = SequenceLedger(0, 0)
    for slot in range(1, 20_000):
        ledger.feed(3 * slot % 65536, slot)
    assert len(ledger) < 100
    assert ledger.count(20_000) == (30, 20)
