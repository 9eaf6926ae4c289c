"""What the ends of the supervision session wrote of each other's packets (`lab.services.media --measure`). Pure.

Both ends stamp with one clock, so a packet's delay is exact; what an idle link adds to nothing is its own median.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from bench.figures import percentile


@dataclass(frozen=True, slots=True)
class Heard:
    """What arrived one way within a stretch of time."""

    delays_ms: dict[str, list[float]]
    """Medium → one-way delay of each packet."""
    received: int
    lost: int

    @property
    def lost_pct(self) -> float:
        return 100 * self.lost / max(1, self.received + self.lost)


@dataclass(frozen=True, slots=True)
class Added:
    """What a packet waited more than its medium does on the idle link, all media together."""

    p50_ms: float
    p99_ms: float


def heard(lines: Iterable[str], since_s: float, until_s: float) -> Heard:
    """The whole seconds of the log that lie within since_s…until_s (CLOCK_MONOTONIC). The last line may be unfinished.

    Raises ValueError when nothing arrived: that is no delay at all.
    """
    delays_ms: dict[str, list[float]] = {}
    received = lost = 0
    for line in lines:
        if not line.endswith("\n"):
            break
        second = json.loads(line)
        if since_s <= second["monotonic_s"] - 1 and second["monotonic_s"] <= until_s:
            delays_ms.setdefault(second["medium"], []).extend(delay / 1000 for delay in second["delays_us"])
            received += second["received"]
            lost += second["lost"]
    if not received:
        raise ValueError(f"no media arrived from {since_s:.1f} to {until_s:.1f} s")
    return Heard(delays_ms, received, max(0, lost))


def added(idle: Heard, loaded: Heard) -> Added:
    """Raises ValueError for a medium that was not heard on the idle link."""
    more: list[float] = []
    for medium, delays_ms in loaded.delays_ms.items():
        if not idle.delays_ms.get(medium):
            raise ValueError(f"no {medium} was heard on the idle link")
        usual_ms = median(idle.delays_ms[medium])
        more += [delay_ms - usual_ms for delay_ms in delays_ms]
    return Added(percentile(more, 50), percentile(more, 99))
