from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from bench.outcomes import MEAN_LOSS, REGIMES, RTT_S, SPACING_S, Bursts, Line, Regime

HALF = Regime("half", 0.5)


def drawn(line: Line, spacing_s: float, count: int) -> list[bool]:
    return [line.loses(number * spacing_s) for number in range(count)]


def share_again(lost: list[bool]) -> float:
    after_lost = [after for before, after in pairwise(lost) if before]
    return sum(after_lost) / len(after_lost)


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_first_and_again_make_up_the_mean(regime: Regime) -> None:
    """Of a stationary chain as many enter loss as leave it."""
    assert (1 - regime.mean) * regime.first == pytest.approx(regime.mean * (1 - regime.again))


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_a_line_loses_one_in_a_hundred_and_repeats_as_its_regime_says(regime: Regime) -> None:
    lost = drawn(Line(regime, Random(1)), SPACING_S, 200_000)
    assert sum(lost) / len(lost) == pytest.approx(MEAN_LOSS, rel=0.15)
    assert share_again(lost) == pytest.approx(regime.again, abs=0.04)


def test_a_burst_that_lasts_for_a_time_meets_more_of_closer_probes() -> None:
    closer_s = SPACING_S * 0.4
    in_time, in_probes = (share_again(drawn(Line(HALF, Random(2), kind), closer_s, 200_000)) for kind in Bursts)
    assert in_time == pytest.approx(HALF.again_after(closer_s), abs=0.03)
    assert in_time == pytest.approx(0.757, abs=0.03)
    assert in_probes == pytest.approx(0.5, abs=0.03)


def test_the_same_line_at_another_spacing_is_the_chain_taken_several_steps_at_once() -> None:
    two_steps = HALF.again * HALF.again + (1 - HALF.again) * HALF.first
    assert HALF.asked_every(2 * SPACING_S, Bursts.TIME).again == pytest.approx(two_steps)
    assert HALF.asked_every(2 * SPACING_S, Bursts.PROBES) == HALF
    assert REGIMES[0].asked_every(SPACING_S / 10, Bursts.TIME).again == MEAN_LOSS


def test_from_the_cut_on_nothing_arrives_nor_does_what_is_on_its_way() -> None:
    line = Line(replace(HALF, mean=1e-9), Random(3))
    line.cut_s = 1.0
    assert not line.loses(1.0 - RTT_S - 0.001)
    assert line.loses(1.0 - RTT_S + 0.001)
    assert line.loses(5.0)


def test_a_line_is_the_same_for_the_same_seed() -> None:
    assert drawn(Line(HALF, Random(4)), SPACING_S, 2000) == drawn(Line(HALF, Random(4)), SPACING_S, 2000)
