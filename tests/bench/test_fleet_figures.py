from itertools import pairwise
from math import inf
from random import Random

import pytest

from bench.fleet_figures import Ladder, Name, arrivals, growth_per_s, matched, sustained


def test_events_come_at_the_asked_rate_and_fall_to_all_sites_alike() -> None:
    found = list(arrivals(100.0, 50.0, 4, Random(1)))
    assert 4700 < len(found) < 5300  # 5000, give or take four standard deviations
    assert [each.after_s for each in found] == sorted(each.after_s for each in found)
    assert all(0 < each.after_s < 50 for each in found)
    shares = [sum(each.site == site for each in found) for site in range(4)]
    assert all(1100 < share < 1400 for share in shares)


def test_gaps_between_events_are_as_irregular_as_chance() -> None:
    times = [each.after_s for each in arrivals(10.0, 1000.0, 1, Random(2))]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance**0.5 / mean == pytest.approx(1.0, abs=0.05)  # of exponential gaps: exactly 1


def test_each_event_has_its_latency_and_one_nobody_holds_has_an_endless_one() -> None:
    due: dict[Name, float] = {("b", 1): 11.0, ("a", 1): 10.0, ("a", 2): 12.0}
    held: dict[Name, float] = {("a", 1): 10.25, ("a", 2): 12.5, ("z", 9): 1.0}
    found = matched(due, held)
    assert found.latencies_s == (0.25, inf, 0.5)
    assert found.missing == (("b", 1),)


@pytest.mark.parametrize(
    ("samples", "slope"),
    [
        ([], 0.0),
        ([(5.0, 7.0)], 0.0),
        ([(0.0, 3.0), (1.0, 3.0), (2.0, 3.0)], 0.0),
        ([(10.0, 0.0), (11.0, 4.0), (12.0, 8.0)], 4.0),
        ([(0.0, 9.0), (1.0, 8.0), (2.0, 7.0)], -1.0),
        ([(0.0, 0.0), (1.0, 3.0), (2.0, 0.0)], 0.0),  # up and down again
    ],
)
def test_a_queue_grows_as_the_line_through_it_rises(samples: list[tuple[float, float]], slope: float) -> None:
    assert growth_per_s(samples) == pytest.approx(slope)


@pytest.mark.parametrize(
    ("offered_per_s", "p99_s", "growth", "held"),
    [
        (100.0, 0.3, 0.0, True),
        (100.0, 0.999, 5.0, True),
        (100.0, 1.0, 0.0, False),
        (100.0, inf, 0.0, False),
        (100.0, 0.3, 5.1, False),
        (10.0, 0.3, 2.0, True),  # an event or two more or less is no growth
        (100.0, 0.3, -50.0, True),
    ],
)
def test_a_rate_is_sustained_while_events_are_soon_there_and_nothing_piles_up(
    offered_per_s: float, p99_s: float, growth: float, held: bool
) -> None:
    assert sustained(offered_per_s=offered_per_s, p99_s=p99_s, growth=growth) is held


def climb(ladder: Ladder, limit_per_s: float) -> list[float]:
    offered = []
    while ladder.offer is not None:
        offered.append(ladder.offer)
        assert len(offered) < 40
        ladder.answer(ladder.offer, held=ladder.offer <= limit_per_s)
    return offered


@pytest.mark.parametrize("limit_per_s", [1.0, 3.3, 24.0, 25.0, 26.0, 149.0, 400.0, 6000.0])
def test_the_ladder_ends_just_below_the_limit(limit_per_s: float) -> None:
    ladder = Ladder(25.0)
    offered = climb(ladder, limit_per_s)
    assert ladder.good is not None
    assert limit_per_s / 1.15 <= ladder.good <= limit_per_s
    assert len(offered) <= 14


def test_a_ladder_doubles_before_it_divides() -> None:
    assert climb(Ladder(25.0), 149.0)[:4] == [25.0, 50.0, 100.0, 200.0]


def test_where_nothing_holds_it_gives_up_at_the_least_rate() -> None:
    ladder = Ladder(8.0, least_per_s=1.0)
    assert climb(ladder, 0.5) == [8.0, 4.0, 2.0, 1.0]
    assert ladder.good is None


def test_where_everything_holds_it_stops_at_the_most() -> None:
    ladder = Ladder(25.0, most_per_s=100.0)
    assert climb(ladder, inf) == [25.0, 50.0, 100.0]
    assert ladder.good == 100.0
