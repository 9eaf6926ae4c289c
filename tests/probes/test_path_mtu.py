"""The search against paths of every kind: how far it gets, and with how many packets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.path_mtu import MOST_ASKS, Search, begin, crossed, failed, next_size

LEAST = 84


def search(
    true_mtu: int, *, tells: bool = False, steps: int = 1, wanted: int = 1500, remembered: int | None = None
) -> tuple[int, list[int]]:
    """The result, and what was asked. `tells`: ICMP comes back; `steps`: in fragments cut so."""
    state, asked = begin(wanted=wanted, least=LEAST, version=4, remembered=remembered), []
    while (size := next_size(state)) is not None:
        asked.append(size)
        if size <= true_mtu:
            state = crossed(state, size)
        else:
            state = failed(state, size, true_mtu // steps * steps if tells else None, steps - 1)
    return state.fits, asked


@pytest.mark.parametrize(
    ("true_mtu", "given", "found", "asked"),
    [
        (1500, {}, 1500, [1500]),
        (9000, {}, 1500, [1500]),
        (1400, {"tells": True}, 1400, [1500, 1400]),
        (1500, {"wanted": 9000, "tells": True}, 1500, [9000, 1500]),
        (1400, {"remembered": 1400}, 1400, [1500, 1400]),
        (1500, {"remembered": 1400}, 1500, [1500]),
        (1420, {"remembered": 1400}, 1400, [1500, 1400]),
        (1280, {"wanted": 1280}, 1280, [1280]),
        (100, {"wanted": 80}, LEAST, []),
    ],
)
def test_a_path_that_is_as_thought_takes_a_packet_or_two(
    true_mtu: int, given: dict[str, Any], found: int, asked: list[int]
) -> None:
    assert search(true_mtu, **given) == (found, asked)


def test_a_silent_path_is_halved_from_the_base_on() -> None:
    found, asked = search(1400)
    assert found == 1400
    assert asked[:3] == [1500, 1200, 1350]
    assert len(asked) <= 11


def test_what_was_remembered_and_no_longer_crosses_is_no_result() -> None:
    assert search(1300, remembered=1400)[0] == 1300


@given(st.integers(LEAST, 2000), st.booleans(), st.sampled_from([1, 8]), st.none() | st.integers(0, 3000))
def test_every_path_is_found_to_the_byte(true_mtu: int, tells: bool, steps: int, remembered: int | None) -> None:
    found, asked = search(true_mtu, tells=tells, steps=steps, remembered=remembered)
    assert len(asked) <= MOST_ASKS
    assert len(set(asked)) == len(asked)
    assert found == (remembered if found == remembered else min(true_mtu, 1500))
    assert found <= true_mtu


@given(st.lists(st.tuples(st.booleans(), st.none() | st.integers(-10, 10_000)), min_size=MOST_ASKS))
def test_whatever_is_told_the_search_ends(answers: list[tuple[bool, int | None]]) -> None:
    state: Search = begin(wanted=1500, least=LEAST, version=6, remembered=1400)
    for across, told in answers:
        size = next_size(state)
        if size is None:
            break
        assert LEAST < size <= 1500
        state = crossed(state, size) if across else failed(state, size, told)
    assert next_size(state) is None
