"""Trains over the lab's wires, and disturbed ones."""

from dataclasses import replace
from random import Random

import pytest

from lab import plan
from lab.wire import Wire, WireSettings
from probes.capacity.train import (
    FIRST_PACKETS,
    LEAST_PACKETS,
    TrainPlan,
    TrainSample,
    idle_delay,
    measure_train,
    rose_s,
)
from tests.probes.capacity.wires import IP_BYTES, train_over

FIBER, CELLULAR = plan.LINKS["fiber"], plan.LINKS["cellular"]
MS = 1_000_000


def sampled(
    settings: WireSettings, *, seed: int, noise_s: float, release_s: float = 0.0, bytes_max: int = 600_000
) -> TrainPlan:
    wire, trains, now_s = Wire(settings, Random(seed)), TrainPlan(IP_BYTES, bytes_max, noise_s), 1.0
    while packets := trains.next_packets():
        sent_ns, arrived_ns, last_s = train_over(wire, packets, now_s, release_s=release_s)
        trains.took(measure_train(sent_ns, arrived_ns, IP_BYTES))
        now_s = last_s + 0.1
    return trains


LINES: dict[str, tuple[WireSettings, float, float, float]] = {
    # settings, noise, quantum in which packets come out, error allowed in per cent
    "fiber": (FIBER, 0.0002, 0.0, 0.1),
    "fiber behind a relay that wakes every quarter of a millisecond": (FIBER, 0.0005, 0.00025, 4),
    "fiber behind one that wakes every millisecond": (FIBER, 0.001, 0.001, 8),
    "cellular": (CELLULAR, 0.004, 0.0, 1),
    "cellular behind a relay": (CELLULAR, 0.004, 0.00025, 2),
    "DSL up": (replace(CELLULAR, rate_bps=1e6, jitter_s=0.001), 0.001, 0.0, 1),
    "a gigabit": (replace(FIBER, rate_bps=300e6), 0.0002, 0.0, 1),
    "some loss": (replace(FIBER, loss=0.002), 0.0002, 0.0, 3),
}


@pytest.mark.parametrize(("settings", "noise_s", "release_s", "allowed_pct"), LINES.values(), ids=LINES.keys())
def test_trains_find_what_a_line_carries(
    settings: WireSettings, noise_s: float, release_s: float, allowed_pct: float
) -> None:
    truth_bps = settings.rate_bps * 1500 / 1514
    for seed in range(5):
        figure = sampled(settings, seed=seed, noise_s=noise_s, release_s=release_s).figure()
        assert figure is not None
        assert figure.rate_bps == pytest.approx(truth_bps, rel=allowed_pct / 100)
        assert figure.low_bps <= truth_bps <= figure.high_bps
        assert figure.confidence < 0.85


@pytest.mark.parametrize("bytes_max", [50_000, 100_000, 600_000])
@pytest.mark.parametrize("settings", [FIBER, CELLULAR])
def test_the_byte_budget_is_never_exceeded(settings: WireSettings, bytes_max: int) -> None:
    trains = sampled(settings, seed=1, noise_s=0.004, bytes_max=bytes_max)
    assert trains.spent_bytes <= bytes_max
    assert sum(sample.packets for sample in trains.samples) * IP_BYTES == trains.spent_bytes
    assert all(sample.packets >= LEAST_PACKETS for sample in trains.samples)


def test_length_follows_the_noise_of_the_line() -> None:
    quiet, noisy = (sampled(FIBER, seed=1, noise_s=noise_s, bytes_max=10**7) for noise_s in (0.0001, 0.0012))
    assert quiet.samples[0].packets == noisy.samples[0].packets == FIRST_PACKETS
    assert quiet.samples[1].span_s == pytest.approx(0.010, rel=0.2)
    assert noisy.samples[1].span_s == pytest.approx(0.024, rel=0.2)


PERFECT_NS: list[int | None] = [20 * MS + 120_000 * at for at in range(60)]
AT_ONCE_NS = [10_000 * at for at in range(60)]

DISTURBED: dict[str, tuple[list[int], list[int | None]]] = {
    "nothing came": (AT_ONCE_NS, [None] * 60),
    "two of sixty lost": (AT_ONCE_NS, [None if at in (20, 40) else ns for at, ns in enumerate(PERFECT_NS)]),
    "two swapped": (AT_ONCE_NS, [*PERFECT_NS[:30], PERFECT_NS[31], PERFECT_NS[30], *PERFECT_NS[32:]]),
    "the sender was as slow as the line": ([120_000 * at for at in range(60)], PERFECT_NS),
    "the sender was a little faster": ([100_000 * at for at in range(60)], PERFECT_NS),
    "all at one instant": (AT_ONCE_NS, [5] * 60),
    "empty": ([], []),
    "too short": (AT_ONCE_NS[:4], PERFECT_NS[:4]),
}


@pytest.mark.parametrize(("sent_ns", "arrived_ns"), DISTURBED.values(), ids=DISTURBED.keys())
def test_a_disturbed_train_says_nothing(sent_ns: list[int], arrived_ns: list[int | None]) -> None:
    assert measure_train(sent_ns, arrived_ns, IP_BYTES).rate_bps is None


def test_a_late_stamp_here_and_there_and_a_slow_start_do_no_harm() -> None:
    late: list[int | None] = [None if ns is None else ns + 600_000 * (at % 17 == 0) for at, ns in enumerate(PERFECT_NS)]
    late[0] = 0  # the first one met an empty line and a sleeping receiver
    in_order = [max(ns or 0, *(before or 0 for before in late[: at + 1]), 0) for at, ns in enumerate(late)]
    sample = measure_train(AT_ONCE_NS, list(in_order), IP_BYTES)
    assert sample.rate_bps == pytest.approx(8 * IP_BYTES / 120e-6, rel=0.02)


def test_a_few_good_trains_are_too_few() -> None:
    trains = TrainPlan(IP_BYTES, 600_000, 0.0005)
    for rate_bps in (50e6, 100e6, None, None, 101e6, None, None):
        trains.took(TrainSample(16, rate_bps, 0.010))
    assert trains.figure() is None
    trains.took(TrainSample(16, 99e6, 0.010))
    figure = trains.figure()
    assert figure is not None
    assert (figure.rate_bps, figure.confidence) == (100e6, 0.6375)
    assert figure.low_bps < 99e6 < 101e6 < figure.high_bps


def test_there_is_an_end_to_trying() -> None:
    trains = TrainPlan(IP_BYTES, 10**9, 0.0005)
    while packets := trains.next_packets():
        trains.took(TrainSample(packets, None, 0.0))
    assert len(trains.samples) == 9


@pytest.mark.parametrize(
    ("echoes_ms", "rose"),
    [
        ((60, 61, 59), False),
        ((66, 66, 66), False),
        ((99, 60, 99), False),
        ((72, 71, 75), True),
        ((200, 150, 170), True),
    ],
)
def test_somebody_elses_queue_lifts_every_echo(echoes_ms: tuple[float, ...], rose: bool) -> None:
    idle_s, noise_s = idle_delay([ms / 1000 for ms in (60, 57, 63, 60, 66, 54)])
    assert (idle_s, noise_s) == pytest.approx((0.060, 0.006))
    assert (rose_s(idle_s, [ms / 1000 for ms in echoes_ms]) > 0.010) == rose
