import pytest

from ups.runtime import Runtime, believed_runtime, modelled_runtime_s


@pytest.mark.parametrize(
    ("load_pct", "charge_pct", "health_pct", "expected_s"),
    [
        (100, 100, 100, 300),  # the two rated points come back
        (50, 100, 100, 840),
        (25, 100, 100, 840 * 2.8),  # each halving of the load multiplies by half/full
        (50, 50, 100, 420),
        (50, 100, 80, 672),
        (200, 100, 100, 300 / 2.8),
        (10, 100, 100, 9173.8),  # 300 * 10 ** log2(2.8)
        (3, 100, 100, 9173.8),  # below 10 % counts as 10 %
        (0, 100, 100, 9173.8),
        (100, 0, 100, 0),
    ],
)
def test_peukert_from_two_rated_points(
    load_pct: float, charge_pct: float, health_pct: float, expected_s: float
) -> None:
    estimate_s = modelled_runtime_s(
        full_load_s=300, half_load_s=840, load_pct=load_pct, charge_pct=charge_pct, health_pct=health_pct
    )
    assert estimate_s == pytest.approx(expected_s, rel=1e-4)


@pytest.mark.parametrize(
    ("ups_s", "model_s", "believed"),
    [
        (None, None, Runtime(None, doubtful=False)),
        (600, None, Runtime(600, doubtful=False)),
        (None, 500, Runtime(500, doubtful=False)),
        (600, 500, Runtime(500, doubtful=False)),
        (500, 600, Runtime(500, doubtful=False)),
        (700, 1000, Runtime(700, doubtful=False)),
        (699, 1000, Runtime(699, doubtful=True)),
        (1000, 100, Runtime(100, doubtful=True)),
        (100, 0, Runtime(0, doubtful=True)),
    ],
)
def test_the_shorter_opinion_counts_and_a_wide_gap_is_flagged(
    ups_s: float | None, model_s: float | None, believed: Runtime
) -> None:
    assert believed_runtime(ups_s, model_s) == believed
