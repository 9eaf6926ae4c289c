"""Each direction by itself: (for how long, what each probe meets) → the readings of both."""

import random
from collections.abc import Callable

import pytest

from probes.prober import TwoWay
from probes.reading import Direction, WayReading
from probes.ways import LinkWays

UP, DOWN = Direction.UP, Direction.DOWN
STEP_S = 0.05
GRAY_NATS = 18.7
OFFSET_NS = 5_000_000_000  # the reflector's clock is five seconds ahead


class Line:
    """One STAMP target asked every 50 ms; what is lost is known half a second later."""

    def __init__(self) -> None:
        self.ways = LinkWays(GRAY_NATS)
        self.now_s, self.number, self.reflected = 0.0, 0, 0
        self.draw = random.Random(3).random
        self._overdue: list[tuple[float, int]] = []

    def go(
        self,
        for_s: float,
        *,
        up_loss: float = 0.0,
        down_loss: float = 0.0,
        out_s: float = 0.01,
        back_s: float = 0.01,
    ) -> "Line":
        until_s = self.now_s + for_s
        while self.now_s < until_s:
            self._probe(lambda share: self.draw() < share, up_loss, down_loss, out_s, back_s)
            while self._overdue and self._overdue[0][0] <= self.now_s:
                self.ways.lost("stamp", self._overdue.pop(0)[1], self.now_s, learn=True)
            self.now_s += STEP_S
        return self

    def _probe(self, lost: Callable[[float], bool], up: float, down: float, out_s: float, back_s: float) -> None:
        number, self.number = self.number, self.number + 1
        if lost(up):
            self._overdue.append((self.now_s + 0.5, number))
            return
        reflected, self.reflected = self.reflected, self.reflected + 1
        if lost(down):
            self._overdue.append((self.now_s + 0.5, number))
            return
        two_way = TwoWay(reflected, round(out_s * 1e9) + OFFSET_NS, round(back_s * 1e9) - OFFSET_NS)
        self.ways.answered("stamp", number, two_way, self.now_s, learn=True)

    def now(self) -> dict[Direction, WayReading]:
        return {reading.direction: reading for reading in self.ways.readings(self.now_s)}


def test_nothing_is_said_of_a_link_no_reflector_tells_of() -> None:
    ways = LinkWays(GRAY_NATS)
    ways.lost("icmp", 1, 0.0, learn=True)
    assert ways.readings(1.0) == ()
    assert not ways.ill()


def test_a_calm_line_is_well_both_ways_whatever_the_clocks_say() -> None:
    now = Line().go(30, up_loss=0.005, down_loss=0.005).now()
    assert not any(way.lossy or way.slow for way in now.values())
    assert now[UP].delay_above_s == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("ill", "well"), [(UP, DOWN), (DOWN, UP)])
def test_loss_one_way_is_told_of_that_way_alone(ill: Direction, well: Direction) -> None:
    line = Line().go(30)
    now = line.go(10, **{f"{ill.value}_loss": 0.25}).now()
    assert (now[ill].lossy, now[well].lossy) == (True, False)
    assert line.ways.ill()
    assert (now[ill].loss_pct or 0) > 5
    assert now[well].loss_pct == 0


@pytest.mark.parametrize(("slow", "fast", "delays"), [(UP, DOWN, {"out_s": 0.11}), (DOWN, UP, {"back_s": 0.11})])
def test_a_queue_one_way_is_told_of_that_way_alone_and_within_a_second(
    slow: Direction, fast: Direction, delays: dict[str, float]
) -> None:
    now = Line().go(30).go(1.0, **delays).now()
    assert (now[slow].slow, now[fast].slow) == (True, False)
    assert now[slow].delay_above_s == pytest.approx(0.1, abs=0.01)
    assert now[fast].delay_above_s == pytest.approx(0.0, abs=0.01)


def test_after_an_outage_neither_way_is_held_ill_for_what_was_before() -> None:
    line = Line().go(30).go(10, up_loss=0.25)
    line.ways.begin_anew()
    assert not line.ways.ill()
