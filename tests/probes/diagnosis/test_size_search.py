"""The search for the largest packet, against paths made of arithmetic: exact, in few rounds, whatever they say."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.diagnosis.size_search import SizeSearch, TooBig

LOW = 96
HOP = "100.64.1.1"


@dataclass(slots=True)
class Cost:
    rounds: int = 0
    packets: int = 0


def search(
    mtu: int, *, want: int = 1500, told: int | None = None, loss: float = 0.0, seed: int = 0
) -> tuple[SizeSearch, Cost]:
    """Against a path that carries `mtu` bytes, and says `told` of what is larger (None: nothing)."""
    found, cost, chance = SizeSearch(low=LOW, want=want), Cost(), Random(seed)
    while sizes := found.sizes():
        answered = {size for size in sizes if size <= mtu and chance.random() >= loss}
        refused = {size: TooBig(HOP, told) for size in sizes if size > mtu and told is not None}
        found.heard(sizes, answered, refused)
        cost.rounds += 1
        cost.packets += len(sizes)
        assert cost.rounds <= 10
    return found, cost


def test_what_passes_at_once_costs_one_packet() -> None:
    found, cost = search(1500)
    assert (found.low, found.done, cost.packets) == (1500, True, 1)


@given(st.integers(LOW, 1499), st.integers(600, 9216))
def test_a_black_hole_is_found_to_the_byte(mtu: int, want: int) -> None:
    found, cost = search(mtu, want=max(want, mtu + 1))
    assert (found.low, found.high, found.done) == (mtu, mtu + 1, True)
    assert not found.told
    assert cost.rounds <= 8
    assert cost.packets <= 70


@given(st.integers(LOW, 1499))
def test_whoever_tells_the_truth_is_believed_after_one_proof(mtu: int) -> None:
    found, cost = search(mtu, told=mtu)
    assert (found.low, found.done, found.told) == (mtu, True, {1500: TooBig(HOP, mtu)})
    assert cost.packets <= 3


@given(st.integers(LOW, 1499), st.sampled_from([0, 1, 68, 9000, 2**32 - 1]) | st.integers(0, 1499))
def test_no_lie_of_a_router_goes_into_the_size(mtu: int, told: int) -> None:
    """A claim below what is known to pass, above what failed, or none at all (before RFC 1191). One that is too small
    is proven, and then believed: larger packets are indeed refused.
    """
    found, _ = search(mtu, told=told)
    assert found.done
    assert found.low == (told if LOW <= told < mtu else mtu)


@pytest.mark.parametrize("mtu", [1500, 1492, 1400, 1300, 576])
def test_single_losses_do_not_shrink_the_path(mtu: int) -> None:
    wrong = [seed for seed in range(200) if search(mtu, loss=0.03, seed=seed)[0].low != mtu]
    assert len(wrong) <= 1


def test_a_dead_target_ends_the_search_without_a_claim() -> None:
    found, cost = search(LOW - 1)
    assert found.low == LOW
    assert cost.rounds <= 10


def test_two_bottlenecks_one_that_tells_and_a_narrower_that_does_not() -> None:
    found = SizeSearch(low=LOW, want=1500)
    while sizes := found.sizes():
        too_big = {size: TooBig(HOP, 1400) for size in sizes if size > 1400}
        found.heard(sizes, {size for size in sizes if size <= 1300}, too_big)
    assert (found.low, found.done) == (1300, True)
    assert found.high not in found.told
    assert 1500 in found.told
