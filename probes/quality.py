"""Figures of the last second for people and the judge: least, median, p95, p99, jitter, loss. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished probe: answered after `rtt_s`, or lost (None)."""

    at_s: float
    rtt_s: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    sent: int
    lost: int
    rtt_s: float | None
    """Median."""
    rtt_p95_s: float | None
    rtt_min_s: float | None = None
    """What the path takes without any queue."""
    rtt_p99_s: float | None = None
    """Of fewer than 100 answers the slowest: at session pace three targets give 60 a second."""

    @property
    def loss_pct(self) -> float | None:
        """None where nothing was asked."""
        return 100 * self.lost / self.sent if self.sent else None


def figures(samples: Sequence[Sample]) -> Figures:
    """Least, median, nearest-rank 95th and 99th percentile, and loss of `samples`; None where nothing was answered."""
    rtts = sorted([sample.rtt_s for sample in samples if sample.rtt_s is not None])
    sent, answered = len(samples), len(rtts)
    if not rtts:
        return Figures(sent, sent, None, None)
    return Figures(
        sent, sent - answered, median(rtts), _ranked(rtts, 95), rtt_min_s=rtts[0], rtt_p99_s=_ranked(rtts, 99)
    )


class Jitter:
    """Interarrival jitter of RFC 3550 section 6.4.1 applied to the round trips of one target: J += (|D| - J) / 16."""

    def __init__(self) -> None:
        self.jitter_s: float | None = None
        self._last_s: float | None = None

    def feed(self, rtt_s: float) -> None:
        if self._last_s is not None:
            before_s = self.jitter_s or 0.0
            self.jitter_s = before_s + (abs(rtt_s - self._last_s) - before_s) / 16
        self._last_s = rtt_s


def _ranked(ordered: Sequence[float], percent: int) -> float:
    """Nearest rank: the least value that `percent` of them do not exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1]
