"""Which way? A STAMP reflector's answers split losses and delays into going out and coming back. Pure.

Loss: of two answers the reflector's own numbers say how many probes it saw between them. Those it saw and we did not
hear of were lost coming back, the others going out (RFC 8762 section 4.3, and RFC 5357's two counters). Delay: the two
clocks differ by an unknown and drifting amount, which the round trip does not know. It bounds what each direction can
have more than usual, and what is beyond those bounds was a clock.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from math import inf

_NUMBERS = 1 << 32

_KEPT = 512  # answers: five seconds of timeout at 50 a second are 250
_WAITING = 1024  # losses not yet told: nearly a minute of outage at 20 a second
_OUT_OF_ORDER = 64
"""Farther than this no network reorders: one of the two ends has begun anew."""
_ANSWERS_AFTER = 2  # so that two answers that overtook one another are both there

_FLOOR_S = 150.0  # a slower way is the usual one after 150 to 300 s, about as long as `probes.delay` takes
_CLOCK_STEP_NS = 10_000_000  # below is drift and jitter: at 50 ppm it takes a silence of 200 s


class Way(StrEnum):
    """Where a probe was lost."""

    OUT = "out"
    BACK = "back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LostWay:
    number: int
    way: Way


@dataclass(slots=True)
class _Answer:
    number: int
    reflected: int
    lost_back: int = 0
    """How many of the probes between the answer before and this one were already told as lost coming back."""


class DirectionLoss:
    """Feed it every answer and every probe finally lost, each as soon as it is known; it returns what it can tell now.

    A loss is told once two later probes are answered, for only they show how far the reflector counted. Where a gap
    has losses of both kinds their counts are right, but which is which is not known: the older are told as lost coming
    back. Unknown is what was lost before the first answer, around a restart of either end, and with a reflector that
    does not count. A network that duplicates probes makes losses going out look like losses coming back.
    """

    def __init__(self) -> None:
        self._answers: list[_Answer] = []  # by number, which is unwrapped: it only grows
        self._reflected: set[int] = set()
        self._waiting: list[int] = []

    def answered(self, number: int, reflected: int | None) -> tuple[LostWay, ...]:
        """`number` is the probe's, `reflected` the reflector's own number of its answer (None: it does not count)."""
        if reflected is None:
            return self._begin_anew()
        if not self._answers:
            self._keep(_Answer(number, reflected))
            return ()
        last = self._answers[-1]
        answer = _Answer(_unwrapped(number, last.number), _unwrapped(reflected, last.reflected))
        if self._is_answered(answer.number):
            return ()
        told = self._begin_anew() if self._is_another_session(answer, last) else ()
        self._keep(answer)
        return told + self._settle()

    def lost(self, number: int) -> tuple[LostWay, ...]:
        """No answer to it will be counted any more."""
        if not self._answers:
            return (LostWay(number, Way.UNKNOWN),)
        unwrapped = _unwrapped(number, self._answers[-1].number)
        if self._is_answered(unwrapped):  # the sender counts from the beginning again
            return (*self._begin_anew(), LostWay(number, Way.UNKNOWN))
        self._waiting.insert(bisect_left(self._waiting, unwrapped), unwrapped)
        too_many = self._waiting[:-_WAITING]
        del self._waiting[:-_WAITING]
        return _lost(too_many, Way.UNKNOWN) + self._settle()

    def _is_another_session(self, answer: _Answer, last: _Answer) -> bool:
        sent, counted = answer.number - last.number, answer.reflected - last.reflected
        return (
            sent < -_OUT_OF_ORDER
            or counted < -_OUT_OF_ORDER
            or counted > sent + _OUT_OF_ORDER
            or answer.reflected in self._reflected  # no session has a number twice
        )

    def _begin_anew(self) -> tuple[LostWay, ...]:
        told = _lost(self._waiting, Way.UNKNOWN)
        self._answers, self._reflected, self._waiting = [], set(), []
        return told

    def _keep(self, answer: _Answer) -> None:
        self._answers.insert(self._place_after(answer.number), answer)
        self._reflected.add(answer.reflected)
        if len(self._answers) > _KEPT:
            self._reflected.discard(self._answers.pop(0).reflected)

    def _place_after(self, number: int) -> int:
        return bisect_right(self._answers, number, key=lambda answer: answer.number)

    def _is_answered(self, number: int) -> bool:
        place = self._place_after(number)
        return place > 0 and self._answers[place - 1].number == number

    def _settle(self) -> tuple[LostWay, ...]:
        if not self._waiting or len(self._answers) < _ANSWERS_AFTER:
            return ()
        ripe = bisect_left(self._waiting, self._answers[-_ANSWERS_AFTER].number)
        gaps = groupby(self._waiting[:ripe], key=self._place_after)
        told = [lost for place, numbers in gaps for lost in self._ways(place, list(numbers))]
        del self._waiting[:ripe]
        return tuple(told)

    def _ways(self, place: int, numbers: list[int]) -> tuple[LostWay, ...]:
        """Of the probes lost between answer `place - 1` and answer `place`."""
        if place == 0:
            return _lost(numbers, Way.UNKNOWN)
        before, after = self._answers[place - 1], self._answers[place]
        if after.reflected <= before.reflected:  # one overtook the other right here
            return _lost(numbers, Way.UNKNOWN)
        came = after.reflected - before.reflected - 1
        heard_of = sum(before.reflected < answer.reflected < after.reflected for answer in self._answers)
        back = min(len(numbers), max(0, came - heard_of - after.lost_back))
        after.lost_back += back
        return _lost(numbers[:back], Way.BACK) + _lost(numbers[back:], Way.OUT)


@dataclass(frozen=True, slots=True)
class Above:
    """Delay above the usual one, each direction by itself; never below zero. Together: the round trip's."""

    out_s: float
    back_s: float


class OneWayDelay:
    """Each direction's delay above its own baseline, between clocks that need not agree.

    With r = out + back the round trip and d = out - back: r has no clock in it, so r above its floor is real delay,
    the whole of it. How it divides shows in d above *its* baseline, which moves with the clocks. As neither direction
    can have more than the whole, |d - baseline| <= r - floor; where that fails a clock moved, and the baseline is put
    where it holds. Nearly idle answers so pin the baseline down again and again (which takes out any drift); a clock
    step is a new baseline with the very first answer, and a real step of delay shows with the very first answer too.
    A drift while no answer is near the floor for minutes (50 ppm: 3 ms a minute) moves delay between the two
    directions by as much.
    """

    def __init__(self) -> None:
        self._floor = _Floor()
        self._base_ns: int | None = None
        self._split_ns = 0
        self._told = Above(0.0, 0.0)

    def feed(self, out_ns: int, back_ns: int, now_s: float) -> Above:
        """`out_ns` is T2 - T1 and `back_ns` T4 - T3 of one answer. A round trip below zero is no answer's: the last
        figures stand.
        """
        round_trip_ns, difference_ns = out_ns + back_ns, out_ns - back_ns
        if round_trip_ns < 0:
            return self._told
        above_ns = round_trip_ns - self._floor.learn(round_trip_ns, now_s)
        if above_ns < 0:  # faster than ever: believed, and learnt from, when it was seen twice
            self._told = Above(0.0, 0.0)
            return self._told
        self._split_ns = self._split(difference_ns, above_ns)
        out_s = (above_ns + self._split_ns) / 2e9
        self._told = Above(out_s, above_ns / 1e9 - out_s)
        return self._told

    def _split(self, difference_ns: int, above_ns: int) -> int:
        """How much more of `above_ns` is the way out's than the way back's."""
        if self._base_ns is None:
            self._base_ns = difference_ns
        seen_ns = difference_ns - self._base_ns
        beyond_ns = abs(seen_ns) - above_ns
        # A clock stepped: as before, the delay is most likely where it was.
        likely_ns = seen_ns if beyond_ns <= _CLOCK_STEP_NS else self._split_ns
        split_ns = max(-above_ns, min(above_ns, likely_ns))
        if beyond_ns > 0:
            self._base_ns = difference_ns - split_ns
        return split_ns


class _Floor:
    """The second smallest figure of the last 150 to 300 s: one alone may be a clock stepped within the reflector."""

    def __init__(self) -> None:
        self._now: tuple[float, float] = (inf, inf)
        self._before: tuple[float, float] = (inf, inf)
        self._until_s: float | None = None

    def learn(self, figure: int, now_s: float) -> int:
        """The floor, `figure` included."""
        if self._until_s is None or now_s >= self._until_s:
            # After a silence longer than the whole memory nothing is known.
            forgotten = self._until_s is None or now_s >= self._until_s + _FLOOR_S
            self._before, self._now = ((inf, inf) if forgotten else self._now), (inf, inf)
            self._until_s = now_s + _FLOOR_S
        least, second = self._now
        if figure < second:
            self._now = (figure, least) if figure < least else (least, figure)
        floor = min(self._now[1], self._before[1])
        return figure if floor == inf else int(floor)


def _lost(numbers: list[int], way: Way) -> tuple[LostWay, ...]:
    return tuple(LostWay(number % _NUMBERS, way) for number in numbers)


def _unwrapped(number: int, near: int) -> int:
    """The integer of which `number` is the low 32 bits, nearest to `near`."""
    return near + (number - near + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2
