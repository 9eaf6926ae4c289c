"""Which medium a source is, by how fast its RTP timestamps run: 48 kHz is Opus, 90 kHz video, 8 and 16 kHz telephony.

The slope is fitted over all packets by least squares, so that jitter averages out; silence suppression does not matter,
since timestamps go on through it. A slope that sits between 48 and 90 kHz for a moment (a queue that empties when a
stream begins) is held against how the timestamps step: Opus by multiples of 480, video several packets to a timestamp
or by other steps. Where the two disagree, only the same medium in two windows of 1.5 s is believed. Pure, one object a
source.
"""

from math import erf, log, sqrt
from typing import NamedTuple

from probes.reading import Medium

SURE_S = 2.0
"""Seconds after which the estimate is as good as it gets and need not be fed any more."""

_CLOCKS = ((8_000, Medium.AUDIO), (16_000, Medium.AUDIO), (48_000, Medium.AUDIO), (90_000, Medium.VIDEO))
_TOLERANCE = log(1.2)  # around a clock: a lab's crystal is off by 1e-4, half a second with 50 ms of jitter by 0.1
_OPUS_STEP = 480  # 10 ms; libwebrtc sends 960. Video's 90,000/30, /25, /24, /15, /5, /1 are no multiples of it
_DECIDE_S, _DECIDE_ALONE_S = 0.4, 1.5
_POINTS_MIN = 3  # Opus in DTX gives three in 0.8 s
_ENOUGH = 0.9
_CONFIDENCE_MAX = 0.99
_JITTER_S = 0.015  # assumed at least, however calm it was so far
_JUMP = 900_000  # ticks, 10 s of video: the source began anew, or this is no clock
_STALE_S = 4.0  # undecided for so long, the beginning was odd: begin again

_RANGE, _HALF = 1 << 32, 1 << 31


class Guess(NamedTuple):
    """What the clock says."""

    medium: Medium
    clock_hz: int
    confidence: float
    """0 to 1; below 1 always."""


def step_of(later: int, earlier: int) -> int:
    """Ticks from one 32-bit timestamp to another, negative where it is older: right across the wrap."""
    return (later - earlier + _HALF) % _RANGE - _HALF


class ClockEstimate:
    """Fed with each new timestamp of a source and when it came."""

    __slots__ = (
        "_against",
        "_count",
        "_odd",
        "_repeats",
        "_sequence",
        "_start_s",
        "_sums",
        "_ticks",
        "_timestamp",
        "span_s",
    )

    def __init__(self, t_s: float, timestamp: int, sequence: int) -> None:
        self._against: Medium | None = None
        """What the last window said against how the timestamps step."""
        self._begin(t_s, timestamp, sequence)

    def _begin(self, t_s: float, timestamp: int, sequence: int) -> None:
        self._start_s, self.span_s = t_s, 0.0
        self._timestamp, self._sequence = timestamp, sequence
        self._ticks = self._odd = self._repeats = 0
        self._count, self._sums = 1, (0.0, 0.0, 0.0, 0.0, 0.0)  # the first point is the origin

    def repeat(self) -> None:
        """A packet came with a timestamp already known: another piece of a video frame."""
        self._repeats += 1

    def feed(self, t_s: float, timestamp: int, sequence: int) -> None:
        """A packet came with a timestamp not seen before."""
        step = step_of(timestamp, self._timestamp)
        if abs(step) > _JUMP or t_s - self._start_s > _STALE_S:
            self._begin(t_s, timestamp, sequence)
            return
        if (sequence - self._sequence) % (1 << 16) == 1 and step % _OPUS_STEP:
            self._odd += 1
        self._ticks += step
        self._timestamp, self._sequence = timestamp, sequence
        x, y = t_s - self._start_s, float(self._ticks)
        self.span_s = max(self.span_s, x)
        self._count += 1
        sx, sy, sxx, sxy, syy = self._sums
        self._sums = sx + x, sy + y, sxx + x * x, sxy + x * y, syy + y * y

    def guess(self) -> Guess | None:
        """What it is, once the slope tells with some confidence; None until then. May begin a second window."""
        if self._count < _POINTS_MIN or self.span_s < _DECIDE_S:
            return None
        fitted = self._fit()
        if fitted is None:
            return None
        slope_hz, error_hz = fitted
        at = min(range(len(_CLOCKS)), key=lambda index: abs(log(slope_hz / _CLOCKS[index][0])))
        clock_hz, medium = _CLOCKS[at]
        confidence = min(_CONFIDENCE_MAX, _chance_of(at, slope_hz, error_hz))
        if abs(log(slope_hz / clock_hz)) > _TOLERANCE or confidence < _ENOUGH:
            return None
        if not self._steps_like(clock_hz) and not self._said_before(medium):
            return None
        return Guess(medium, clock_hz, confidence)

    def _said_before(self, medium: Medium) -> bool:
        """Whether the window before this one said so, too; without one, this is the one before."""
        if self.span_s < _DECIDE_ALONE_S:
            return False
        if self._against is not medium:
            self._against = medium
            self._begin(self._start_s + self.span_s, self._timestamp, self._sequence)
            return False
        return True

    def _steps_like(self, clock_hz: int) -> bool:
        video_like = bool(self._repeats or self._odd)
        return clock_hz < 48_000 or video_like == (clock_hz == 90_000)

    def _fit(self) -> tuple[float, float] | None:
        """(slope, its standard error) in Hz; None where time or timestamps do not go on."""
        n = self._count
        sx, sy, sxx, sxy, syy = self._sums
        spread, together, height = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
        if spread <= 0 or together <= 0:
            return None
        slope_hz = together / spread
        residual = max(0.0, height - slope_hz * together) / (n - 2)
        assumed = (_JITTER_S * slope_hz) ** 2
        return slope_hz, sqrt(max(residual, assumed) / spread)


def _chance_of(at: int, slope_hz: float, error_hz: float) -> float:
    """That the true slope is on this clock's side of the middles to its neighbours, in the logarithm."""
    neighbours = [_CLOCKS[index][0] for index in (at - 1, at + 1) if 0 <= index < len(_CLOCKS)]
    distance = min(abs(log(slope_hz / sqrt(_CLOCKS[at][0] * other))) for other in neighbours)
    return erf(distance * slope_hz / error_hz / sqrt(2))
