"""Figures for the NOC, regularly: every second of every link, each UPS and shaper. None is an event.

Seconds travel ten in a message, as columns: 60 messages a minute would be nine tenths envelope. UPSes and shapers move
slowly: they are told once a minute, and at once when a state in them changed.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from edged.core.events import Json
from probes.reading import Direction, LinkReading, WayReading

EVERY_S = 10.0
"""Two links cost 1.4 to 1.9 kB each time, with all wrapping 14 to 18 MB a day: see docs/telemetry.md."""
SLOW_S = 60.0
"""Of a UPS or a shaper: every 10 s they would cost more than 100 MB a month each."""
LONGEST_SECONDS = 60
"""More than one batch, so that a late one is whole; after a suspended night nobody needs eight hours of nothing."""

FIGURES: Mapping[str, tuple[str, ...]] = {
    # kind of telemetry (and key in the status document) → figures it carries
    "ups": ("ups", "power", "charge_pct", "runtime_s", "load_pct"),
    "qos": ("interface", "rate_bps", "classes"),
}
STATES: Mapping[str, tuple[str, ...]] = {
    # kind → what is told at once when it changes; which UPSes and interfaces there are counts as well
    "ups": ("ups", "power", "contact"),
    "qos": ("interface", "rate_bps"),
}

Column: TypeAlias = Callable[[LinkReading], Json]


def _ms(value_s: float | None) -> Json:
    return None if value_s is None else round(1e3 * value_s, 1)


def _tenths(value: float | None) -> Json:
    return None if value is None else round(value, 1)


def _way(direction: Direction, figure: Callable[[WayReading], Json]) -> Column:
    """Of one direction; None where nothing tells the two apart."""
    return lambda reading: next((figure(way) for way in reading.ways if way.direction is direction), None)


COLUMNS: Mapping[str, Column] = {
    "verdict": lambda reading: reading.verdict.value,
    "cause": lambda reading: reading.cause.value,
    "pace": lambda reading: reading.pace,
    "sent": lambda reading: reading.sent,
    "rtt_min_ms": lambda reading: _ms(reading.rtt_min_s),
    "rtt_ms": lambda reading: _ms(reading.rtt_s),
    "rtt_p95_ms": lambda reading: _ms(reading.rtt_p95_s),
    "rtt_p99_ms": lambda reading: _ms(reading.rtt_p99_s),
    "jitter_ms": lambda reading: _ms(reading.jitter_s),
    "loss_pct": lambda reading: _tenths(reading.loss_pct),
    "burst_longest": lambda reading: reading.burst_longest,
    "mos": lambda reading: _tenths(reading.mos),
    "up_loss_pct": _way(Direction.UP, lambda way: _tenths(way.loss_pct)),
    "down_loss_pct": _way(Direction.DOWN, lambda way: _tenths(way.loss_pct)),
    "up_delay_ms": _way(Direction.UP, lambda way: _ms(way.delay_above_s)),
    "down_delay_ms": _way(Direction.DOWN, lambda way: _ms(way.delay_above_s)),
}


class SecondRecords:
    """Fed with every reading of every link, gives what the seconds since the last batch were like. Pure.

    A second without a reading is null in every column. Of several readings in one second the newest stands.
    """

    def __init__(self, links: Iterable[str], now_s: float) -> None:
        self._links = {link: _Seconds(now_s) for link in links}

    def feed(self, reading: LinkReading) -> None:
        """Half a microsecond to two: readings come once a second and with each change of verdict."""
        if reading.link in self._links:
            self._links[reading.link].put(reading)

    def batch(self, now_s: float) -> list[Json]:
        """A row for each link, of the seconds since the last call: see `docs/telemetry.md`."""
        rows = ((link, seconds.take(now_s)) for link, seconds in self._links.items())
        return [_row(link, readings, age_s) for link, (readings, age_s) in rows if readings]


class _Seconds:
    """Of one link. A reading belongs to the nearest second on a grid that gently follows the readings' own rhythm, so
    that one 20 ms late, or a prober started anew at another fraction, neither doubles a second nor leaves one out.
    """

    _FOLLOW = 0.1

    def __init__(self, now_s: float) -> None:
        self._newest_s, self._heard = now_s, False
        self._waiting: deque[LinkReading | None] = deque(maxlen=LONGEST_SECONDS)

    def put(self, reading: LinkReading) -> None:
        off_s = reading.at_s - self._newest_s
        steps, follow = (round(off_s), self._FOLLOW) if self._heard else (max(1, round(off_s)), 1.0)
        if steps > 0:
            self._advance(steps - 1)
            self._waiting.append(reading)
            self._newest_s += 1 + follow * (off_s - steps)
            self._heard = True
        elif self._waiting:
            self._waiting[-1] = reading

    def take(self, now_s: float) -> tuple[list[LinkReading | None], float]:
        """The seconds waiting, and how long before `now_s` the first of them ended."""
        self._advance(max(0, int(now_s - self._newest_s - 0.5)))
        readings = list(self._waiting)
        self._waiting.clear()
        return readings, now_s - self._newest_s + len(readings) - 1

    def _advance(self, seconds: int) -> None:
        """So many in which nothing was told."""
        self._waiting.extend([None] * min(seconds, LONGEST_SECONDS))
        self._newest_s += seconds


def _row(link: str, readings: list[LinkReading | None], age_s: float) -> Json:
    columns = {
        name: _folded([None if each is None else value(each) for each in readings]) for name, value in COLUMNS.items()
    }
    return {"link": link, "age_s": round(age_s, 1), "every_s": 1, "seconds": len(readings), **columns}


def _folded(values: list[Json]) -> Json:
    """One value stands for all that are the same: half of what a quiet line would cost."""
    return values[0] if all(value == values[0] for value in values) else values


class SlowRecords:
    """Which kinds of `FIGURES` are due. Pure."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, list[Json]]] = {}

    def due(self, document: Mapping[str, Any], now_s: float) -> Iterable[tuple[str, list[Json]]]:
        """(kind, rows); what is given counts as told."""
        for kind, figures in FIGURES.items():
            states = _rows(document[kind], STATES[kind])
            told_s, told = self._told.get(kind, (-math.inf, []))
            # half an EVERY_S early rather than one late: whoever asks does so about every EVERY_S
            if states != told or now_s - told_s > SLOW_S - EVERY_S / 2:
                self._told[kind] = now_s, states
                yield kind, _rows(document[kind], figures)


def _rows(subjects: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> list[Json]:
    return [{key: each.get(key) for key in keys} for each in subjects]


async def tell_figures(
    tell: Callable[[str, Mapping[str, Json]], None],
    document: Callable[[], dict[str, Any]],
    seconds: SecondRecords,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Until cancelled: `tell(kind, figures)` for everything there is. `monotonic` is the clock of the readings."""
    slow = SlowRecords()
    while True:
        await asyncio.sleep(EVERY_S)
        now_s = monotonic()
        for kind, rows in (("links", seconds.batch(now_s)), *slow.due(document(), now_s)):
            if rows:
                tell(kind, {"rows": rows})
