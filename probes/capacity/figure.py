"""From several measurements of one rate to one figure that says how far it is to be trusted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

LEAST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """The truth lies within `low_bps`…`high_bps` with probability `confidence`."""

    rate_bps: float
    low_bps: float
    high_bps: float
    confidence: float


def figure_of(rates_bps: Sequence[float], *, noise: float, trust: float = 1.0) -> Figure | None:
    """The median, and the interval from the least to the greatest; None for fewer than three.

    With n independent samples that interval holds the true median with probability 1 - 2^(1-n), whatever they are
    distributed like (order statistics: all n on one side of it is two times a run of n coin throws). It is widened on
    both sides by `noise`, the share by which the clock may have been wrong in all of them alike; `trust` is the
    probability that the method's own assumptions hold.
    """
    if len(rates_bps) < LEAST_SAMPLES:
        return None
    held = sorted(rates_bps)
    confidence = trust * (1 - 2.0 ** (1 - len(held)))
    return Figure(median(held), held[0] * (1 - noise), held[-1] * (1 + noise), confidence)
