"""What is told once and soon forgotten: telemetry waiting for the line, and snapshots that changed. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edged.core.events import Json
from edged.record.canonical import canonical
from edged.record.envelope import Stamp

EXPIRY_S = 300
"""Telemetry older than this is not news; the broker is told too (message expiry, MQTT 5)."""


@dataclass(frozen=True, slots=True)
class Measured:
    kind: str
    data: Mapping[str, Json]
    at: Stamp


class TelemetryQueue:
    """Bounded; the oldest makes way."""

    def __init__(self, size: int) -> None:
        self._waiting: deque[Measured] = deque()
        self._size = size
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, measured: Measured) -> None:
        if len(self._waiting) == self._size:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(measured)

    def take(self, monotonic_s: float) -> tuple[Measured, int] | None:
        """The oldest that is still news, and for how many seconds it will be."""
        while self._waiting:
            measured = self._waiting.popleft()
            left_s = int(measured.at.monotonic_s + EXPIRY_S - monotonic_s)
            if left_s > 0:
                return measured, left_s
            self.dropped += 1
        return None


class Snapshots:
    """What each thing looked like when it was last published on this connection."""

    def __init__(self) -> None:
        self._published: dict[str, bytes] = {}

    def changes(self, things: Mapping[str, Json]) -> Iterator[tuple[str, Json, bool]]:
        """(thing, what it looks like, whether it was never published here); None for a thing that is gone."""
        for thing, looks in things.items():
            spelled = canonical(looks)
            if self._published.get(thing) != spelled:
                first = thing not in self._published
                self._published[thing] = spelled
                yield thing, looks, first
        for gone in self._published.keys() - things.keys():
            del self._published[gone]
            yield gone, None, False
