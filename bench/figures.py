"""From samples to figures. Pure."""

from collections.abc import Iterable, Sequence
from math import ceil
from statistics import median


def percentile(samples: Sequence[float], pct: float) -> float:
    """Nearest rank: the smallest sample that `pct` per cent of all do not exceed. ValueError where there is none."""
    if not samples or not 0 < pct <= 100:
        raise ValueError(f"no {pct:g}th percentile of {len(samples)} samples")
    return sorted(samples)[ceil(len(samples) * pct / 100) - 1]


def middle_and_spread(samples: Iterable[float], digits: int = 1) -> str:
    """`1.7 (1.2–2.4)`: the median of several rounds, the least and the most."""
    held = sorted(samples)
    if len(held) == 1:
        return f"{held[0]:z.{digits}f}"
    return f"{median(held):z.{digits}f} ({held[0]:z.{digits}f}–{held[-1]:z.{digits}f})"
