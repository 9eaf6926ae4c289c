"""What users' own traffic says of the carrying line, for nothing: its rate while its delay says that it is full."""

import asyncio
from collections.abc import Callable
from typing import Never

from probes.capacity.passive import PassiveCapacity
from probes.line_reading import CapacityReading
from probes.reading import Direction, LinkCause, LinkReading

_LOOK_S = 0.4
_FRESH_S = 2.0  # a link tells every second


class PassiveMeter:
    """Told every reading of every link; looks at the counters of the in-line interface by itself."""

    def __init__(
        self,
        counters: Callable[[], tuple[int, int] | None],
        carrier: Callable[[], str | None],
        tell: Callable[[CapacityReading], None],
        *,
        monotonic: Callable[[], float],
    ) -> None:
        """`counters()`: bytes received from the room and sent into it; None where they cannot be told."""
        self._counters, self._carrier, self._tell, self._monotonic = counters, carrier, tell, monotonic
        self._readings: dict[str, LinkReading] = {}
        self._lines: dict[tuple[str, Direction], PassiveCapacity] = {}

    def link_said(self, reading: LinkReading) -> None:
        self._readings[reading.link] = reading

    async def run(self) -> Never:
        while True:
            await asyncio.sleep(_LOOK_S)
            self.look(self._monotonic())

    def look(self, now_s: float) -> None:
        counters, carrier = self._counters(), self._carrier()
        reading = self._readings.get(carrier) if carrier is not None else None
        if counters is None or reading is None or now_s - reading.at_s > _FRESH_S:
            self._lines.clear()  # what is not watched without a gap is not known to have been full
            return
        for direction, total in zip((Direction.UP, Direction.DOWN), counters, strict=True):
            key = (reading.link, direction)
            line = self._lines.setdefault(key, PassiveCapacity(*key))
            found = line.feed(now_s, total, saturated=is_full(reading, direction))
            if found is not None:
                self._tell(found)


def is_full(reading: LinkReading, direction: Direction) -> bool:
    """Whether this direction is a queue's worth slower than usual; the whole link, where no reflector tells."""
    way = next((way for way in reading.ways if way.direction is direction), None)
    return way.slow if way is not None else reading.cause is LinkCause.DELAY
