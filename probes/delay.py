"""What is late? Round trips of each target against its own past. Pure: `now_s` is an argument.

Two answers: how long to wait before an unanswered probe counts as missed, and whether the link as a whole has become
slower.
"""

# How a probe's patience follows its target (the shape of RFC 6298): twice as patient after a late answer, at once.
_SMOOTH, _SMOOTH_DEVIATION, _DEVIATIONS = 1 / 8, 1 / 4, 4.0
_OWN_LATENESS_S = 0.020  # asyncio and a busy box: p99 3 ms, a pause of a library 15 ms

# The baseline falls to a faster path within a few answers and needs minutes to believe in a slower one.
_FALL, _RISE_S, _SPREAD_S = 0.25, 300.0, 60.0
_LEAST_UNIT_S = 0.025  # less than 25 ms is nobody's trouble: a conversation bears 150
_SPREADS_A_UNIT = 4.0
_STEEPEST, _GENTLEST = 3.0, -1.0
_LONGEST_STEP_S = 0.5  # one answer after a pause speaks for half a second at most

_ALARM_UNIT_S, _MOST_UNIT_S = 1.5, 3.0


class TargetDelay:
    """Smoothed round trip and baseline of one target."""

    def __init__(self) -> None:
        self._smoothed_s: float | None = None
        self._deviation_s = 0.0
        self._base_s = 0.0
        self._spread_s = 0.0
        self._at_s = 0.0

    @property
    def known(self) -> bool:
        """Whether it ever answered."""
        return self._smoothed_s is not None

    def patience_s(self, timeout_s: float) -> float:
        """Seconds after which an answer is overdue; `timeout_s` until one was seen, and never more."""
        if self._smoothed_s is None:
            return timeout_s
        return min(timeout_s, self._smoothed_s + _DEVIATIONS * self._deviation_s + _OWN_LATENESS_S)

    def learn(self, rtt_s: float, now_s: float) -> float:
        """Takes in one round trip; returns how far it is above the baseline, in units of what is usual here (1 = just
        noticeable).

        A unit is four times the usual deviation of this target from its smoothed round trip, and at least 25 ms.
        """
        if self._smoothed_s is None:
            self._smoothed_s, self._deviation_s = rtt_s, rtt_s / 2
            self._base_s, self._at_s = rtt_s, now_s
            return 0.0
        off_s = abs(rtt_s - self._smoothed_s)
        self._deviation_s += _SMOOTH_DEVIATION * (off_s - self._deviation_s)
        self._smoothed_s += _SMOOTH * (rtt_s - self._smoothed_s)
        unit_s = max(_LEAST_UNIT_S, _SPREADS_A_UNIT * self._spread_s)
        excess_s = rtt_s - self._base_s
        passed_s, self._at_s = max(0.0, now_s - self._at_s), now_s
        self._base_s += excess_s * (_FALL if excess_s < 0 else min(1.0, passed_s / _RISE_S))
        # Around the smoothed figure, not the baseline: a step widens this for eight answers only, jitter for good.
        self._spread_s += (off_s - self._spread_s) * min(1.0, passed_s / _SPREAD_S)
        return excess_s / unit_s


class DelayTest:
    """CUSUM on delay over all targets of a link, in time rather than in probes, so that the pace does not change it.

    A step of four units (100 ms on a quiet line) alarms after 0.5 s, one of two units after 1.5 s; one back at the
    baseline clears after 3 s at most. Less than a unit never alarms.
    """

    def __init__(self) -> None:
        self.slow = False
        self._sum_unit_s = 0.0
        self._at_s: float | None = None

    def feed(self, excess_units: float, now_s: float) -> None:
        passed_s = 0.0 if self._at_s is None else min(_LONGEST_STEP_S, max(0.0, now_s - self._at_s))
        self._at_s = now_s
        step = min(_STEEPEST, max(_GENTLEST, excess_units - 1))
        self._sum_unit_s = min(_MOST_UNIT_S, max(0.0, self._sum_unit_s + step * passed_s))
        if self._sum_unit_s >= _ALARM_UNIT_S:
            self.slow = True
        elif self._sum_unit_s == 0:
            self.slow = False

    def reset(self) -> None:
        self.slow, self._sum_unit_s, self._at_s = False, 0.0, None
