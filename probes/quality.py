"""Figures of the last second for people and the judge: median, p95, jitter, loss. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
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
    rtt_p95_s: float | None

    @property
    def loss_pct(self) -> float | None:
        """None where nothing was asked."""
        return 100 * self.lost / self.sent if self.sent else None


def figures(samples: Sequence[Sample]) -> Figures:
    """Median, nearest-rank 95th percentile and loss of `samples`; None where nothing was answered."""
    rtts = sorted(sample.rtt_s for sample in samples if sample.rtt_s is not None)
    if not rtts:
        return Figures(len(samples), len(samples), None, None)
    return Figures(len(samples), len(samples) - len(rtts), median(rtts), rtts[ceil(0.95 * len(rtts)) - 1])


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
