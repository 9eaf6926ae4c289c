"""The whole ramp over the lab's wires as arithmetic: right, short, gentle; and lines that never let it get there."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from lab import plan
from lab.wire import WireSettings
from probes.capacity.ramp import Search
from probes.packets.capacity import Feedback
from tests.probes.capacity.wires import Ramped, ramp_over

FIBER, CELLULAR = plan.LINKS["fiber"], plan.LINKS["cellular"]
SEEDS = range(4)


def truth_bps(settings: WireSettings) -> float:
    return settings.rate_bps * 1500 / 1514


def busy_host(rng: Random) -> float:
    """Wakes after a millisecond, and now and then up to 30 ms late."""
    return 0.001 if rng.random() < 0.99 else rng.uniform(0.001, 0.030)


LINES: dict[str, tuple[WireSettings, float, float, float]] = {
    # settings; error in per cent, seconds, and queueing delay in ms that are allowed
    "fiber": (FIBER, 0.5, 3, 60),
    "cellular": (CELLULAR, 2, 3, 150),
    "fiber that loses one in a hundred": (replace(FIBER, loss=0.01), 2, 3, 60),
    "cellular that loses in bursts": (replace(CELLULAR, loss=0.01, burst=3), 3, 3, 150),
    "fiber with a queue of 5 ms": (replace(FIBER, queue_bytes=60_000), 5, 5, 6),
    "cellular with a queue of 24 ms": (replace(CELLULAR, queue_bytes=60_000), 2, 4, 30),
    "DSL up, 2 Mbit/s": (replace(CELLULAR, rate_bps=2e6), 3, 4, 250),
    "EDGE, slower than the ramp begins": (replace(CELLULAR, rate_bps=0.5e6), 3, 4, 300),
    "a cell that wavers by 10 ms": (replace(CELLULAR, jitter_s=0.010), 5, 5, 200),
    "250 Mbit/s": (replace(FIBER, rate_bps=250e6), 0.5, 3, 60),
}


@pytest.mark.parametrize(("settings", "allowed_pct", "seconds", "queue_ms"), LINES.values(), ids=LINES.keys())
def test_a_ramp_finds_what_a_line_carries(
    settings: WireSettings, allowed_pct: float, seconds: float, queue_ms: float
) -> None:
    for seed in SEEDS:
        ramped = ramp_over(settings, seed=seed)
        figure = ramped.search.figure()
        assert figure is not None
        assert figure.rate_bps == pytest.approx(truth_bps(settings), rel=allowed_pct / 100)
        assert figure.low_bps <= truth_bps(settings) <= figure.high_bps
        assert ramped.seconds <= seconds
        assert 8000 * ramped.queue_most_bytes / settings.rate_bps <= queue_ms


@pytest.mark.parametrize("settings", [FIBER, CELLULAR])
def test_a_busy_host_on_either_side_does_no_harm(settings: WireSettings) -> None:
    for seed in SEEDS:
        figure = ramp_over(settings, seed=seed, wakes_s=busy_host, release_s=0.001).search.figure()
        assert figure is not None
        assert figure.rate_bps == pytest.approx(truth_bps(settings), rel=0.03)


def test_it_costs_about_two_seconds_of_the_line() -> None:
    assert ramp_over(FIBER).sent_bytes < 25e6
    assert ramp_over(CELLULAR).sent_bytes < 6e6


def test_it_never_doubles_without_evidence_of_the_present_rate() -> None:
    far_away = ramp_over(replace(FIBER, delay_s=0.3), seconds=3.0)
    orders = [interval.order for interval in far_away.search.intervals]
    assert all(later - earlier <= 1 for earlier, later in pairwise(orders))
    assert far_away.search.rate_bps <= 16e6  # four round trips, four doublings


def test_the_rate_it_may_not_exceed_is_a_floor_of_what_the_line_carries() -> None:
    ramped = ramp_over(replace(FIBER, rate_bps=1e9), max_bps=50e6)
    figure = ramped.search.figure()
    assert figure is not None
    assert max(interval.sent_bps for interval in ramped.search.intervals) < 53e6
    assert figure.rate_bps == pytest.approx(50e6, rel=0.01)
    assert figure.low_bps < 1e9 < figure.high_bps


def fed(search: Search, *, delays_ms: list[float], lost: int = 0, packets: int = 5) -> Search:
    """A feedback every 50 ms, each of packets that took the same time."""
    at_ns = received = expected = 0
    for number, delay_ms in enumerate(delays_ms):
        at_ns, received, expected = at_ns + 50_000_000, received + packets, expected + packets + lost
        delay_ns = round(delay_ms * 1e6)
        search.feedback(
            Feedback(1, number, search.order, received, expected, 0, at_ns + delay_ns, at_ns, delay_ns, delay_ns)
        )
    return search


def search(start_bps: float = 1e6) -> Search:
    return Search(1500, start_bps=start_bps, max_bps=300e6)


RISES: dict[str, tuple[list[float], int, float]] = {
    # delays, losses per feedback, and at most how much of the first rate is sent in the end
    "a few feedbacks of an empty line": ([10, 10, 10, 10], 0, 4.0),
    "delay 40 ms up: held": ([10, 10, 50], 0, 1.3),
    "delay 100 ms up: backed off": ([10, 10, 110, 120], 0, 1.0),
    "twelve losses in every 50 ms": ([10, 10, 10, 10], 12, 1.0),
}


@pytest.mark.parametrize(("delays_ms", "lost", "most"), RISES.values(), ids=RISES.keys())
def test_delay_and_loss_end_the_rise(delays_ms: list[float], lost: int, most: float) -> None:
    assert fed(search(1.2e6), delays_ms=delays_ms, lost=lost).rate_bps <= most * 1.2e6


def test_feedback_without_packets_says_nothing() -> None:
    silent = search()
    for number in range(20):
        silent.feedback(Feedback(1, number, 0, 0, 0, 0, 0, 0, 0, 0))
    assert not silent.intervals
    assert not silent.done
    assert silent.figure() is None


def test_feedback_that_repeats_itself_says_nothing_new() -> None:
    once = fed(search(), delays_ms=[10, 10])
    again = Feedback(1, 9, 1, 10, 10, 0, 110_000_000, 100_000_000, 10_000_000, 10_000_000)
    for _ in range(20):
        once.feedback(again)
    assert len(once.intervals) == 1


def test_a_line_that_carries_next_to_nothing_is_still_asked() -> None:
    assert fed(search(), delays_ms=[10, 10, 200, 400, 600, 800, 1000], packets=1).rate_bps >= 100e3


def test_any_feedback_a_peer_may_send_is_survived() -> None:
    rng = Random(7)
    for _ in range(200):
        searching = search()
        for number in range(12):
            counts = [rng.choice((0, 1, 5, 2**31, 2**32 - 1, rng.randrange(2**32))) for _ in range(4)]
            times = [rng.choice((0, 1, 2**40, 2**64 - 1, rng.randrange(2**64))) for _ in range(2)]
            delays = [rng.choice((0, -(2**63), 2**63 - 1, rng.randrange(2**62))) for _ in range(2)]
            searching.feedback(Feedback(1, number, *counts, *times, *delays))
            assert 0 <= searching.rate_bps <= 300e6
        searching.figure()


def test_what_was_sent_is_told_from_what_was_ordered() -> None:
    ramped: Ramped = ramp_over(replace(FIBER, rate_bps=1e9), wakes_s=lambda _: 0.040)
    figure = ramped.search.figure()
    assert figure is not None
    assert figure.high_bps > 1e9 > figure.low_bps  # the sender was the narrowest place: no more than a floor
