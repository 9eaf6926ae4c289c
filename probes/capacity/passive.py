"""What users' own traffic says of a line's bandwidth, at no cost. Pure.

A rate is a capacity only while the line is full: its delay is a queue's worth above the baseline (the caller says so),
its rate is flat, and more than it was before the delay rose. A line that became slow under the same traffic as ever, by
a detour or a bad cell, is not full. All else is what users happened to want, and says nothing.
"""

from probes.capacity.figure import Figure, figure_of
from probes.line_reading import CapacityReading, Method
from probes.reading import Direction

_WINDOW_S = 0.4
_LASTING_S = 1.6
"""Shorter, and one flow's start into an empty queue looks like a full line."""
_MOST_WINDOWS = 12
_FLAT = 0.15
"""Windows further apart, from least to greatest, are no flat top: somebody slowed down, or the line itself wavers."""
_HEADER_SHARE = 14 / 1514
"""Of a full frame, its Ethernet header: interfaces count it, the IP-layer capacity does not. Full lines carry full
frames, most of them."""
_TRUST = 0.9
_SURGE = 1.25
_USUAL_S = 3.0


class PassiveCapacity:
    """One direction of one link. A reading each time the line has been full for another 1.6 s or more."""

    def __init__(self, link: str, direction: Direction) -> None:
        self._link, self._direction = link, direction
        self._looked: tuple[float, int] | None = None
        self._window: tuple[float, int] | None = None
        self._rates_bps: list[float] = []
        self._since_s = 0.0
        self._usual_bps: float | None = None
        """Before the delay rose."""

    def feed(self, now_s: float, total_bytes: int, *, saturated: bool) -> CapacityReading | None:
        """`total_bytes` is the interface's counter in this direction at `now_s`; `saturated` is whether the link's
        delay has been above its baseline by a queue's worth ever since the last look.
        """
        before = self._looked
        self._looked = now_s, total_bytes
        if before is None or total_bytes < before[1] or now_s <= before[0]:
            self._window, self._rates_bps, self._usual_bps = None, [], None
            return None
        if not saturated:
            self._window, self._rates_bps = None, []
            self._learn_usual(8 * (total_bytes - before[1]) / (now_s - before[0]), now_s - before[0])
            return None
        if self._window is None:
            self._window, self._since_s = before, before[0]
        began_s, began_bytes = self._window
        if now_s - began_s < _WINDOW_S - 1e-9:
            return None
        self._rates_bps.append(8 * (total_bytes - began_bytes) / (now_s - began_s) * (1 - _HEADER_SHARE))
        self._window = now_s, total_bytes
        return self._reading(now_s)

    def _reading(self, now_s: float) -> CapacityReading | None:
        del self._rates_bps[:-_MOST_WINDOWS]
        if now_s - self._since_s < _LASTING_S - 1e-9:
            return None
        figure = figure_of(self._rates_bps, noise=_HEADER_SHARE, trust=_TRUST)
        if figure is None or not _flat(self._rates_bps, figure) or not self._surged(figure):
            return None
        self._since_s, self._rates_bps = now_s, []
        return CapacityReading(
            link=self._link,
            at_s=now_s,
            direction=self._direction,
            method=Method.PASSIVE,
            rate_bps=figure.rate_bps,
            low_bps=figure.low_bps,
            high_bps=figure.high_bps,
            confidence=figure.confidence,
            spent_bytes=0,
        )

    def _learn_usual(self, rate_bps: float, passed_s: float) -> None:
        known_bps = rate_bps if self._usual_bps is None else self._usual_bps
        self._usual_bps = known_bps + (rate_bps - known_bps) * min(1.0, passed_s / _USUAL_S)

    def _surged(self, figure: Figure) -> bool:
        return self._usual_bps is not None and figure.rate_bps >= _SURGE * self._usual_bps


def _flat(rates_bps: list[float], figure: Figure) -> bool:
    return figure.rate_bps > 0 and max(rates_bps) - min(rates_bps) <= _FLAT * figure.rate_bps
