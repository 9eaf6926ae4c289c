"""Counters and delays, look by look → what users' own traffic says of the carrying line."""

from dataclasses import replace

import pytest

from edged.passive import PassiveMeter, is_full
from probes.line_reading import CapacityReading, Method
from probes.reading import Direction, LinkCause, LinkReading, WayReading
from tests.edged.core.room import calm_room

UP, DOWN = Direction.UP, Direction.DOWN
LOOK_S = 0.4


def way(direction: Direction, *, slow: bool) -> WayReading:
    return WayReading(direction, 0.0, 0.08 if slow else 0.0, 0.001, lossy=False, slow=slow)


class Line:
    """Fiber carries; `go` looks for a while, with so many bits a second each way."""

    def __init__(self, carrier: str | None = "fiber") -> None:
        self.now_s, self.total = 100.0, (0, 0)
        self.found: list[CapacityReading] = []
        self.reading: LinkReading = calm_room(session=False).state.links["fiber"].reading
        self.counters: tuple[int, int] | None = (0, 0)
        self.meter = PassiveMeter(lambda: self.counters, lambda: carrier, self.found.append, monotonic=lambda: 0.0)

    def go(
        self, seconds: float, *, up_mbit: float = 0.0, down_mbit: float = 0.0, slow: Direction | None = None
    ) -> "Line":
        for _ in range(round(seconds / LOOK_S)):
            self.now_s += LOOK_S
            self.total = tuple(
                total + round(mbit * 1e6 / 8 * LOOK_S)
                for total, mbit in zip(self.total, (up_mbit, down_mbit), strict=True)
            )  # type: ignore[assignment]
            self.counters = self.total
            ways = tuple(way(each, slow=each is slow) for each in Direction)
            self.meter.link_said(replace(self.reading, at_s=self.now_s, ways=ways))
            self.meter.look(self.now_s)
        return self


@pytest.mark.parametrize(("slow", "mbit"), [(UP, 18.0), (DOWN, 90.0)])
def test_a_full_direction_is_measured_by_what_it_carries(slow: Direction, mbit: float) -> None:
    line = Line().go(2, up_mbit=1, down_mbit=1).go(4, **{f"{slow.value}_mbit": mbit}, slow=slow)
    assert line.found
    assert {(each.link, each.direction, each.method) for each in line.found} == {("fiber", slow, Method.PASSIVE)}
    assert line.found[-1].rate_bps == pytest.approx(mbit * 1e6, rel=0.02)


def test_a_busy_line_that_is_not_slow_says_nothing_of_what_it_could() -> None:
    assert Line().go(10, up_mbit=50, down_mbit=50).found == []


def test_without_knowing_who_carries_nothing_is_known() -> None:
    assert Line(carrier=None).go(10, up_mbit=50, slow=UP).found == []


def test_a_gap_in_watching_begins_anew() -> None:
    line = Line().go(1.2, up_mbit=18, slow=UP)
    line.counters = None
    line.meter.look(line.now_s + 0.1)
    assert line.go(1.2, up_mbit=18, slow=UP).found == []


def test_where_no_reflector_tells_the_link_s_own_delay_does() -> None:
    reading = Line().reading
    assert not is_full(reading, UP)
    assert is_full(replace(reading, cause=LinkCause.DELAY), UP)
    assert not is_full(replace(reading, cause=LinkCause.DELAY, ways=(way(UP, slow=False),)), UP)
