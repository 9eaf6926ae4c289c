import random

import pytest

from probes.capacity.figure import Figure, figure_of


@pytest.mark.parametrize(
    ("rates", "figure"),
    [
        ([], None),
        ([5.0, 5.0], None),
        ([4.0, 6.0, 5.0], Figure(5.0, 4.0, 6.0, 0.75)),
        ([4.0, 6.0, 5.0, 5.0, 100.0], Figure(5.0, 4.0, 100.0, 0.9375)),
    ],
)
def test_the_middle_stands_and_the_ends_bound_it(rates: list[float], figure: Figure | None) -> None:
    assert figure_of(rates, noise=0.0) == figure


def test_noise_widens_and_doubt_lowers() -> None:
    figure = figure_of([9.0, 10.0, 11.0], noise=0.1, trust=0.5)
    assert figure is not None
    assert (figure.low_bps, figure.high_bps, figure.confidence) == pytest.approx((8.1, 12.1, 0.375))


def test_the_truth_lies_inside_as_often_as_said() -> None:
    rng = random.Random(3)
    figures = [figure_of([rng.gauss(100, 15) for _ in range(5)], noise=0.0) for _ in range(4000)]
    inside = sum(figure.low_bps <= 100 <= figure.high_bps for figure in figures if figure)
    assert inside / 4000 == pytest.approx(0.9375, abs=0.015)
