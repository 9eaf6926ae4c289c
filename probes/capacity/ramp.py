"""A load that rises until the line is full, and how full it was: which rate to send next, after what came back. Pure.

After the search of ITU-T Y.1540 annex B and TR-471: raise while the delay is less than 30 ms above the line's least,
back off above 90 ms or with more than ten losses in 50 ms. It differs in two things, to be short and gentle. It doubles
instead of climbing a table of 1 Mbit/s, and only on evidence of packets sent at the present rate, so that a long round
trip does not make it overshoot twice. And what it measures is not the best rate it sent but what came out while the
queue was never empty: that rate is the line's own, whatever was sent, so it need not be hit. The queue is held between
10 and 60 ms for that: 1 MB at 20 Mbit/s, which is 400 ms, is never filled.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from probes.capacity.figure import Figure, figure_of
from probes.packets.capacity import Feedback

FEEDBACK_S = 0.050

_LOW_S, _HIGH_S = 0.030, 0.090
_LOSSES_MOST = 10
# (delay above the least, in seconds, up to which, and the next rate as a share of what the line carries)
_HOLD = ((0.008, 1.15), (0.020, 1.06), (0.040, 1.02), (0.060, 0.98), (_HIGH_S, 0.92))
_BACK_OFF = 0.75
_AFTER_LOSSES = 0.9
_FULL_S = 0.008
"""So far above the least delay, every packet of an interval has queued: on cellular jitter alone reaches 6 ms."""
_FEW_PACKETS = 10
_KEEPS_UP = 0.9
_CARRIED_INTERVALS = 4
_WINDOW_INTERVALS = 5
_WINDOWS_WANTED = 5  # of 250 ms: 94 % that the truth lies between their least and greatest
_IDLE_INTERVALS = 3  # of not being full after all: what looked like a queue was jitter
_STILL_INTERVALS = 8  # so long at a rate that does not fill the line, and that cannot be raised
_KEPT_UP = 0.85  # of the rate ordered, or the sender is the narrowest place
_NOISE = 0.004
"""1 ms of lateness in stamping, over a window of 250 ms."""
_TRUST = 0.98
_ANY_LINE_BPS = 10e9
_LEAST_BPS = 100e3
"""Eight packets a second: less, and there would be no more feedback to rise again by."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One feedback against the one before."""

    seconds: float
    packets: int
    bytes: int
    lost: int
    above_s: float
    """Least delay of its packets above the least ever."""
    most_above_s: float
    sent_bps: float
    order: int

    @property
    def rate_bps(self) -> float:
        return 8 * self.bytes / self.seconds

    @property
    def full(self) -> bool:
        """The line was never idle in it. Of a few packets all may be late by jitter."""
        queued = self.above_s >= (_FULL_S if self.packets >= _FEW_PACKETS else _LOW_S)
        return queued or self.lost > _LOSSES_MOST

    @property
    def congested(self) -> bool:
        return self.most_above_s > _LOW_S or self.lost > _LOSSES_MOST

    @property
    def filling(self) -> bool:
        """A queue is growing: less came out than went in. Seen sooner than 30 ms of it."""
        behind = self.rate_bps < _KEEPS_UP * self.sent_bps
        return behind and self.above_s >= _FULL_S / 2 and self.packets >= _FEW_PACKETS


class Search:
    """Fed with every feedback; `rate_bps` and its number `order` are what the sender is to obey next."""

    def __init__(self, packet_bytes: int, *, start_bps: float, max_bps: float) -> None:
        """`packet_bytes` are counted from the IP header on."""
        self.order = 1
        self.rate_bps = min(start_bps, max_bps)
        self.intervals: list[Interval] = []
        self._packet_bytes, self._max_bps = packet_bytes, max_bps
        self._before: Feedback | None = None
        self._least_ns: int | None = None
        self._carried: deque[float] = deque(maxlen=_CARRIED_INTERVALS)
        self._holding = False
        self._idle = self._still = 0

    def feedback(self, feedback: Feedback) -> None:
        """One in which nothing new arrived says nothing, and one whose counts fell is no feedback."""
        before = self._before
        if feedback.received == 0 or (before is not None and not _goes_on(before, feedback)):
            return
        least_ns = feedback.delay_min_ns if self._least_ns is None else min(self._least_ns, feedback.delay_min_ns)
        self._least_ns, self._before = least_ns, feedback
        if before is None:
            return
        now = self._interval(before, feedback, least_ns)
        # An interval of which the first packets were sent at another rate says nothing of this one.
        settled = bool(self.intervals) and self.intervals[-1].order == now.order == self.order
        self.intervals.append(now)
        if self._holding:
            self._hold(now, settled=settled)
        elif now.congested or now.filling:
            self._holding = True
            self._hold(now, settled=True)
        elif settled:
            self._double(now)

    @property
    def done(self) -> bool:
        return self._still >= _STILL_INTERVALS or len(self._windows()) >= _WINDOWS_WANTED

    def figure(self) -> Figure | None:
        """None: the line was not full long enough. Where it could not be filled, a floor: it carries at least that, and
        less than 10 Gbit/s.
        """
        if figure := figure_of(self._windows(), noise=_NOISE, trust=_TRUST):
            return replace(figure, high_bps=figure.high_bps * (1 + self._lost_share()))
        if self._still < _STILL_INTERVALS:
            return None
        carried = _stretch_bps(self.intervals[-_STILL_INTERVALS:])
        return Figure(carried, carried * (1 - _NOISE), _ANY_LINE_BPS, _TRUST)

    def _interval(self, before: Feedback, now: Feedback, least_ns: int) -> Interval:
        sent_s = (now.sent_ns - before.sent_ns) / 1e9
        sent_bytes = (now.expected - before.expected) * self._packet_bytes
        return Interval(
            seconds=(now.arrived_ns - before.arrived_ns) / 1e9,
            packets=now.received - before.received,
            bytes=(now.received - before.received) * self._packet_bytes,
            lost=max(0, (now.expected - now.received) - (before.expected - before.received)),
            above_s=(now.delay_min_ns - least_ns) / 1e9,
            most_above_s=(now.delay_max_ns - least_ns) / 1e9,
            sent_bps=8 * sent_bytes / sent_s if sent_s > 0 else 0.0,
            order=now.order,
        )

    def _double(self, now: Interval) -> None:
        if self.rate_bps >= self._max_bps or now.sent_bps < _KEPT_UP * self.rate_bps:
            self._still += 1
            return
        self._still = 0
        self._send(min(self._max_bps, 2 * self.rate_bps))

    def _hold(self, now: Interval, *, settled: bool) -> None:
        if now.full:
            self._carried.append(now.rate_bps)
        elif settled and (not self._carried or now.rate_bps > max(self._carried)):
            self._carried.append(now.rate_bps)  # it carries more than was thought
        if not self._carried:
            self._carried.append(now.rate_bps)
        self._still = self._still + 1 if self._limited(now) else 0
        self._idle = 0 if now.full else self._idle + settled
        if self._idle >= _IDLE_INTERVALS:
            self._holding, self._idle = False, 0
            return
        self._send(min(self._max_bps, _share(now) * fmean(self._carried)))

    def _limited(self, now: Interval) -> bool:
        """Not full, and not for want of an order."""
        return not now.full and (self.rate_bps >= self._max_bps or now.sent_bps < _KEPT_UP * self.rate_bps)

    def _send(self, rate_bps: float) -> None:
        rate_bps = max(rate_bps, _LEAST_BPS)
        if rate_bps != self.rate_bps:
            self.rate_bps = rate_bps
            self.order += 1

    def _windows(self) -> list[float]:
        """What the full line carried, by fives of its intervals."""
        full = [interval for interval in self.intervals if interval.full]
        starts = range(0, len(full) - _WINDOW_INTERVALS + 1, _WINDOW_INTERVALS)
        return [_stretch_bps(full[start : start + _WINDOW_INTERVALS]) for start in starts]

    def _lost_share(self) -> float:
        """Of the full line: what was lost may have been lost behind the narrowest place, which then carried it."""
        full = [interval for interval in self.intervals if interval.full]
        lost, came = sum(each.lost for each in full), sum(each.packets for each in full)
        return lost / max(1, lost + came)


def _goes_on(before: Feedback, now: Feedback) -> bool:
    newer = now.arrived_ns > before.arrived_ns and now.received > before.received
    return newer and now.sent_ns >= before.sent_ns and now.expected >= before.expected


def _share(now: Interval) -> float:
    """Of what the line carries, what to send next. By the least delay: the most is jitter, until it is too much."""
    if now.most_above_s > _HIGH_S:
        return _BACK_OFF
    share = next((share for above_s, share in _HOLD if now.above_s <= above_s), _BACK_OFF)
    return min(share, _AFTER_LOSSES) if now.lost > _LOSSES_MOST else share


def _stretch_bps(intervals: Sequence[Interval]) -> float:
    return 8 * sum(each.bytes for each in intervals) / sum(each.seconds for each in intervals)
