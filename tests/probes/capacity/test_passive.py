"""Tables of (how long, at which rate, whether saturated) over counters looked at as a daemon does."""

import pytest

from probes.capacity.passive import PassiveCapacity
from probes.line_reading import CapacityReading, Method
from probes.reading import Direction

Stretch = tuple[float, float, bool]
IP = 1500 / 1514


def readings(stretches: list[Stretch], every_s: float = 0.1) -> list[CapacityReading]:
    passive = PassiveCapacity("fiber", Direction.DOWN)
    found, now_s, total = [], 100.0, 10**12
    for seconds, rate_bps, saturated in stretches:
        for _ in range(round(seconds / every_s)):
            now_s += every_s
            total += round(rate_bps * every_s / 8)
            if (reading := passive.feed(now_s, total, saturated=saturated)) is not None:
                found.append(reading)
    return found


STORIES: dict[str, tuple[list[Stretch], int]] = {
    "fast, and the queue empty": ([(30, 99e6, False)], 0),
    "full for a second": ([(5, 1e6, False), (1, 100e6, True), (5, 1e6, False)], 0),
    "full for two seconds": ([(5, 1e6, False), (2, 100e6, True), (5, 1e6, False)], 1),
    "full for ten": ([(1, 1e6, False), (10, 100e6, True)], 6),
    "full in bits and pieces": ([(1, 100e6, True), (0.1, 100e6, False)] * 10, 0),
    "delay high but the rate all over the place": ([(0.5, 20e6, True), (0.5, 90e6, True)] * 10, 0),
    "delay high and nothing carried: a dead line": ([(10, 0.0, True)], 0),
    "slow under the same traffic as ever: a detour": ([(10, 1.6e6, False), (30, 1.6e6, True)], 0),
    "slow, and the media give way": ([(10, 1.6e6, False), (30, 0.8e6, True)], 0),
    "slow from the beginning": ([(30, 100e6, True)], 0),
}


@pytest.mark.parametrize(("stretches", "count"), STORIES.values(), ids=STORIES.keys())
def test_only_a_full_line_tells_its_capacity(stretches: list[Stretch], count: int) -> None:
    found = readings(stretches)
    assert len(found) == count
    for reading in found:
        assert reading.rate_bps == pytest.approx(100e6 * IP, rel=0.001)
        assert reading.low_bps < 100e6 * IP < reading.high_bps
        assert (reading.method, reading.spent_bytes) == (Method.PASSIVE, 0)


def test_counters_polled_once_a_second_will_do() -> None:
    found = readings([(3, 1e6, False), (4, 20e6, True)], every_s=1.0)
    assert found
    assert all(reading.rate_bps == pytest.approx(20e6 * IP) for reading in found)


def test_a_counter_that_starts_anew_starts_the_stretch_anew() -> None:
    passive = PassiveCapacity("fiber", Direction.UP)
    idle = [passive.feed(n / 10, 0, saturated=False) for n in range(10)]
    said = [passive.feed(1 + n / 10, n * 10**6, saturated=True) for n in range(16)]
    said += [passive.feed(2.6 + n / 10, n * 10**6 // 2, saturated=True) for n in range(16)]
    assert not any(idle + said)
