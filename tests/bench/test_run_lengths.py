from collections import deque
from random import Random

import pytest

from bench.outcomes import REGIMES, SPACING_S, Bursts, Line, Regime
from bench.run_lengths import (
    DAY_S,
    RATE,
    misses_for,
    misses_per_day,
    run_per_day,
    runs_per_day,
    window_for,
    window_per_day,
)

INDEPENDENT, _, HALF, _ = REGIMES
EVENLY = [number * SPACING_S for number in range(7)]


def test_five_misses_at_20_ms_come_56_times_an_hour_in_bursts_of_one_half() -> None:
    """The central trap."""
    assert misses_per_day(HALF, 5, rate=50) / 24 == pytest.approx(56.25)


@pytest.mark.parametrize("kind", Bursts)
@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_evenly_sent_probes_are_a_run_of_misses_whatever_a_burst_is(regime: Regime, kind: Bursts) -> None:
    assert run_per_day(regime, EVENLY, kind) == pytest.approx(misses_per_day(regime, len(EVENLY)))


def test_closer_probes_prove_less_where_bursts_last_for_a_time() -> None:
    closer = [each * 0.4 for each in EVENLY]
    assert run_per_day(HALF, closer, Bursts.TIME) > 10 * run_per_day(HALF, closer, Bursts.PROBES)


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
@pytest.mark.parametrize("per_day", [1000.0, 1.0, 1 / 365.25])
def test_the_shortest_run_is_rare_enough_and_one_less_is_not(regime: Regime, per_day: float) -> None:
    misses = misses_for(regime, per_day)
    assert misses_per_day(regime, misses) <= per_day
    assert misses == 1 or misses_per_day(regime, misses - 1) > per_day


def test_a_window_that_must_be_lost_whole_is_a_run() -> None:
    assert window_per_day(HALF, 6, 6) == pytest.approx(misses_per_day(HALF, 6))


def test_a_window_of_any_one_loss_alarms_at_each_loss_that_stands_alone() -> None:
    # A loss after w - 1 and the one that leaves, all answered.
    expected = runs_per_day(INDEPENDENT) * (1 - INDEPENDENT.mean) ** 9
    assert window_per_day(INDEPENDENT, 10, 1) == pytest.approx(expected)


@pytest.mark.parametrize(("regime", "lost"), [(INDEPENDENT, 2), (HALF, 3)])
def test_the_arithmetic_of_windows_is_what_a_drawn_line_does(regime: Regime, lost: int) -> None:
    hours, window = 1.0, 12
    line, held, count, alarms = Line(regime, Random(5)), deque([False] * window), 0, 0
    for number in range(int(hours * 3600 * RATE)):
        before = count
        held.append(line.loses(number * SPACING_S))
        count += held[-1] - held.popleft()
        alarms += before < lost <= count
    assert alarms * DAY_S / (hours * 3600) == pytest.approx(window_per_day(regime, window, lost), rel=0.15)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_the_window_found_is_more_than_its_share_lost_and_rare_enough(share: float) -> None:
    window, lost = window_for(HALF, share, per_day=1.0)
    assert lost > share * window
    assert window_per_day(HALF, window, lost) <= 1.0
