from statistics import fmean

import pytest

from bench.detect_alarms import poisson_bounds, watch
from bench.detect_compare import RIVALS, TRAP, _result, one_for_all, round_fails, tuned
from bench.detect_cuts import our_cuts, rival_alarms, rival_cuts
from bench.detect_gray import delay_step, gray
from bench.outcomes import REGIMES, SPACING_S, Bursts
from bench.rivals import MWAN3, Misses
from bench.run_lengths import misses_for, misses_per_day
from probes.reading import Verdict

INDEPENDENT, THIRD, HALF, _ = REGIMES


def test_our_cuts_are_called_and_tell_what_they_risked() -> None:
    cuts = our_cuts(HALF, Bursts.PROBES, rounds=3, seed=1)
    assert len(cuts) == 3
    assert all(0.05 < cut.took_s < 1.0 for cut in cuts)
    assert all(cut.per_day == pytest.approx(misses_per_day(HALF, cut.misses)) for cut in cuts)


def test_a_run_of_n_takes_n_less_one_spacings_and_its_patience() -> None:
    took_s = rival_cuts(lambda: Misses(TRAP), INDEPENDENT, Bursts.TIME, 200, 1, warm_s=0.1, cycle_s=SPACING_S)
    # Met half a spacing before the next probe in the mean, with one and a fifth on their way.
    assert fmean(took_s) == pytest.approx(0.5 * SPACING_S - 0.020 + 4 * SPACING_S + TRAP.patience_s, abs=0.003)


def test_the_trap_fires_as_often_as_the_arithmetic_says() -> None:
    found = rival_alarms(lambda: Misses(TRAP), HALF, Bursts.TIME, hours=1.0, seed=2)
    assert found == pytest.approx(misses_per_day(HALF, 5) / 24, rel=0.3)


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_every_rival_is_timed_and_counted(rival: object) -> None:
    its = _result(rival, INDEPENDENT, Bursts.TIME, 20, 1)  # type: ignore[arg-type]
    assert 0.05 < its.mean_s <= its.p99_s < 140
    assert 0 <= its.per_day < 10


def test_every_family_tuned_keeps_to_the_rate_it_is_given() -> None:
    found = tuned(THIRD, Bursts.TIME, 20, 1, per_day=0.1)
    assert found[0].rule == f"{misses_for(THIRD, 0.1)} misses"
    assert all(each.per_day <= 0.1 for each in found)
    # In a row is the quickest there is.
    assert found[0].mean_s == min(each.mean_s for each in found)


def test_one_setting_for_all_lines_is_that_of_the_worst() -> None:
    assert one_for_all(REGIMES, 1.0).name == f"{misses_for(REGIMES[-1], 1.0)} misses everywhere"


def test_a_round_of_four_fails_with_three_lost() -> None:
    p = INDEPENDENT.mean
    assert round_fails(INDEPENDENT, MWAN3) == pytest.approx(4 * p**3 * (1 - p) + p**4)


# ── false alarms ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390), (100, 81.36, 121.63)]
)
def test_the_bounds_of_a_count_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    """Garwood 1936."""
    assert poisson_bounds(count) == pytest.approx((low, high), rel=1e-3)


def test_what_is_declared_follows_from_alpha_and_time() -> None:
    its = watch(INDEPENDENT, Bursts.TIME, 0.02, 1, alpha=1e-3)
    assert its.alpha == pytest.approx(1e-3)
    assert its.expected == pytest.approx(2 * 1e-3 * 60 * 72)
    assert its.probes == pytest.approx(60 * 72, rel=0.05)


def test_a_looser_alpha_is_wrong_at_times_and_a_shipped_one_is_not() -> None:
    loose, shipped = (watch(HALF, Bursts.PROBES, 0.1, 1, alpha=alpha) for alpha in (1e-2, None))
    assert loose.down > 0
    assert shipped.verdicts[Verdict.DOWN] == 0


# ── the slow failures ──────────────────────────────────────────────────────────────────────────────────
def test_a_gray_failure_and_a_step_of_delay_are_noticed_in_seconds() -> None:
    assert all(0.5 < took_s < 20 for took_s in gray(INDEPENDENT, 0.1, rounds=3, seed=1))
    assert all(0.1 < took_s < 1.5 for took_s in delay_step(0.1, 0.0, rounds=2, seed=1))
