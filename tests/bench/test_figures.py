import pytest

from bench.figures import middle_and_spread, percentile


@pytest.mark.parametrize(
    ("samples", "pct", "expected"),
    [
        ([7.0], 50, 7.0),
        ([7.0], 99, 7.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 75, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 99, 4.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
        ([float(n) for n in range(1, 1001)], 99, 990.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(samples: list[float], pct: float, expected: float) -> None:
    assert percentile(samples, pct) == expected


@pytest.mark.parametrize(("samples", "pct"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_there_is_no_percentile_of_nothing_or_beyond_all(samples: list[float], pct: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(samples, pct)


@pytest.mark.parametrize(
    ("rounds", "digits", "shown"),
    [
        ([1.66], 1, "1.7"),
        ([3.0, 1.0, 2.0], 1, "2.0 (1.0–3.0)"),
        ([1.0, 2.0], 1, "1.5 (1.0–2.0)"),
        ([26.4], 0, "26"),
        ([-0.04, 0.02, -0.01], 1, "0.0 (0.0–0.0)"),
    ],
)
def test_rounds_are_shown_as_their_middle_and_their_spread(rounds: list[float], digits: int, shown: str) -> None:
    assert middle_and_spread(rounds, digits) == shown
