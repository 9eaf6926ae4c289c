"""Telemetry that waits for the line, for asyncio: a minute in memory, then on the disk.

One thread owns the file, so no disk ever stands in the way of a probe. The file is the backlog's own: its loss never
endangers the ledger. A disk that refuses is told in `status()` and tried again every RETRY_S; memory holds
MEMORY_MESSAGES meanwhile, and the oldest makes way. Every number ever given is with the broker, in a batch, or under a
tombstone.
"""

import asyncio
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog

from edged.clock import Clock, boot_id
from edged.core.events import Json
from edged.record.backlog_facts import BacklogStatus, Batch, Measurement
from edged.record.backlog_keeper import Keeper
from edged.record.backlog_settings import BacklogSettings
from edged.record.backlog_shelf import Shelf
from edged.record.envelope import Origin, Stamp, measurement_envelope, stamp
from edged.record.errors import RecordMisused
from edged.record.recorded import DiskCause, Tombstone

__all__ = ["Backlog", "BacklogSettings", "BacklogStatus", "Batch", "Measurement"]

LIVE_S = 300
"""Telemetry older than this is not news; the broker is told too (message expiry, MQTT 5)."""
MEMORY_S = 60.0
"""What nobody took for so long is written down: a power cut costs the last minute at most."""
MEMORY_FULL = 60
"""So many waiting are written down at once."""
MEMORY_MESSAGES = 1000
"""While the disk refuses: 90 minutes of two lines, 2 MB."""
RETRY_S = 10.0
TIDY_S = 60.0
"""Housekeeping looks for work this often; while it finds any, every GENTLY_S: a step takes some 20 ms of a core."""
GENTLY_S = 1.0

log = structlog.get_logger()
T = TypeVar("T")


class Backlog:
    """Made by `await Backlog.open(…)`."""

    def __init__(self, keeper: Keeper, origin: Origin, clock: Clock, boot: str, thread: Executor | None) -> None:
        self._keeper, self._origin, self._clock, self._boot = keeper, origin, clock, boot
        self._loop = asyncio.get_running_loop()
        self._own = None if thread else ThreadPoolExecutor(max_workers=1, thread_name_prefix="edged-backlog")
        self._thread = thread or self._own
        self._streams: dict[str, tuple[str, int]] = {}  # of each kind: its stream, and its newest number
        self._unheard: set[str] = set()  # streams the disk has not been told of
        self._waiting: list[Measurement] = []
        self._flying: dict[tuple[str, int], Measurement] = {}
        self._writing: list[Measurement] = []
        self._watchers: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tidying: asyncio.TimerHandle | None = None
        self._next_try_s = self._next_tidy_s = 0.0
        self._refusal = DiskCause.NONE  # of what was last given to the disk
        self._closed = False

    @classmethod
    async def open(
        cls, directory: Path, *, origin: Origin, clock: Clock, settings: BacklogSettings, thread: Executor | None = None
    ) -> "Backlog":
        """Opens or makes the file in `directory`. `thread`: an executor of one thread, for those who run many; it is
        not shut down here. A disk that refuses is lived without.
        """
        backlog = cls(Keeper(Shelf(directory), settings, clock.monotonic()), origin, clock, boot_id(), thread)
        await backlog._run(backlog._keeper.open)
        return backlog

    async def close(self) -> None:
        """Writes what is in memory, if the disk lets it. Nothing may be put afterwards."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._timer, self._tidying):
            if timer:
                timer.cancel()
        await self._in_thread(lambda: None)  # what is being written is written, or is back in memory
        owed = sorted((*self._waiting, *self._flying.values()), key=_place)
        await self._in_thread(partial(self._keeper.close, owed, self._now()))
        if self._own:
            self._own.shutdown(wait=False)

    # ── who measures ───────────────────────────────────────────────────────────────────────────────────
    def put(self, kind: str, data: Mapping[str, Json]) -> None:
        """Numbers and spells one message; never waits. Raises RecordMisused if it cannot be said in JSON, or when
        closed.
        """
        if self._closed:
            raise RecordMisused("the backlog is closed")
        stream, last = self._streams.get(kind) or self._begin(kind)
        now, sequence = self._now(), last + 1
        body = measurement_envelope(
            kind, data, origin=self._origin, now=now, stream=stream, sequence=sequence, first=sequence
        )
        self._streams[kind] = stream, sequence
        self._waiting.append(Measurement(kind, stream, sequence, now, body))
        self._see_to_it(now.monotonic_s)
        self._tell()

    def _begin(self, kind: str) -> tuple[str, int]:
        """Nobody hears of a stream before the disk has: a crash must not leave numbers nobody accounts for."""
        self._streams[kind] = stream, last = str(uuid4()), 0
        self._unheard.add(stream)
        beginning = self._later(partial(self._keeper.begin, stream))
        beginning.add_done_callback(lambda _: self._begun(stream))
        return stream, last

    def _begun(self, stream: str) -> None:
        """Or the disk refuses: then it must do without."""
        self._unheard.discard(stream)
        self._tell()

    # ── the reporter, live ─────────────────────────────────────────────────────────────────────────────
    def watch(self, changed: Callable[[], None]) -> None:
        """`changed` is called on the loop when there is more to take, to send or to tell."""
        self._watchers.append(changed)

    def take(self, monotonic_s: float) -> tuple[Measurement, int] | None:
        """The oldest that is still news, and for how many seconds it will be. It is the caller's until `delivered` or
        `returned`.
        """
        for at, measurement in enumerate(self._waiting):
            left_s = int(measurement.at.monotonic_s + LIVE_S - monotonic_s)
            if left_s > 0 and measurement.stream not in self._unheard:
                del self._waiting[at]
                self._flying[_name(measurement)] = measurement
                return measurement, left_s
        return None

    def delivered(self, measurement: Measurement) -> None:
        """The broker took it."""
        self._flying.pop(_name(measurement), None)

    def returned(self, measurement: Measurement) -> None:
        """The connection ended without an answer: it waits again."""
        if self._flying.pop(_name(measurement), None) and not self._closed:
            insort(self._waiting, measurement, key=_place)
            self._arm(self._clock.monotonic())
            self._tell()

    # ── the reporter, afterwards ───────────────────────────────────────────────────────────────────────
    async def batches(self, limit: int) -> list[Batch]:
        """What waits on the disk, the oldest first; the same ones again until they are settled."""
        return await self._run(partial(self._keeper.read, limit))

    async def settled(self, number: int) -> None:
        """The broker took this batch: it is forgotten. One that has been downsampled meanwhile comes again as that."""
        await self._run(partial(self._keeper.settle, number))

    def tombstones(self) -> list[Tombstone]:
        """Not told yet; never waits."""
        return list(self._keeper.shelf.view.graves.untold)

    async def told(self, tombstones: Sequence[Tombstone]) -> None:
        """A broker took these."""
        await self._run(partial(self._keeper.told, tuple(tombstones)))

    def why_gone(self, stream: str, first: int, last: int) -> list[Tombstone]:
        """What is known to be gone of these numbers, told or not; never waits."""
        return self._keeper.shelf.view.graves.within(stream, first, last)

    def status(self) -> BacklogStatus:
        """As of the latest operation; never waits."""
        view, counts = self._keeper.shelf.view, self._keeper.shelf.counts
        cause = self._refusal if view.cause is DiskCause.NONE else view.cause
        return BacklogStatus(
            waiting=len(self._waiting) + len(self._flying) + len(self._writing),
            batches=view.batches,
            file_bytes=view.file_bytes,
            downsampled=counts.downsampled,
            evicted=counts.evicted,
            lost=counts.lost,
            durable=cause is DiskCause.NONE,
            torn=counts.torn,
            cause=cause,
        )

    # ── from memory to the disk ────────────────────────────────────────────────────────────────────────
    def _see_to_it(self, now_s: float) -> None:
        """After a message was put, and when a minute is over."""
        self._make_way()
        if self._is_due(now_s):
            self._write()
        self._arm(now_s)
        if now_s >= self._next_tidy_s and self._tidying is None:
            self._tidy()

    def _is_due(self, now_s: float) -> bool:
        if not self._waiting or self._writing or now_s < self._next_try_s:
            return False
        return len(self._waiting) >= MEMORY_FULL or now_s - self._waiting[0].at.monotonic_s >= MEMORY_S

    def _arm(self, now_s: float) -> None:
        """One second at least: what came back from a connection that ended is written together."""
        if not self._waiting:
            return
        due_s = max(self._waiting[0].at.monotonic_s + MEMORY_S, self._next_try_s)
        at_s = self._loop.time() + max(1.0, due_s - now_s)
        if self._timer and self._timer.when() > at_s:
            self._timer.cancel()
            self._timer = None
        self._timer = self._timer or self._loop.call_at(at_s, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._see_to_it(self._clock.monotonic())

    def _make_way(self) -> None:
        excess = self._waiting[: max(0, len(self._waiting) - MEMORY_MESSAGES)]
        if excess:
            del self._waiting[: len(excess)]
            self._later(partial(self._keeper.bury, excess))

    def _write(self) -> None:
        self._writing, self._waiting = self._waiting, []
        keeping = self._later(partial(self._keeper.keep, tuple(self._writing), self._resolved(), self._now()))
        keeping.add_done_callback(self._wrote)

    def _resolved(self) -> dict[str, int]:
        """Up to where nothing is owed of each stream, once all that is being written is written."""
        resolved = dict(self._streams.values())
        for each in (*self._flying.values(), *self._waiting):
            resolved[each.stream] = min(resolved[each.stream], each.sequence - 1)
        return resolved

    def _wrote(self, keeping: "asyncio.Future[set[tuple[str, int]]]") -> None:
        kept = keeping.result()
        refused = [each for each in self._writing if _name(each) not in kept]
        self._writing = []
        if refused:
            self._waiting = sorted((*refused, *self._waiting), key=_place)
            self._next_try_s = self._clock.monotonic() + RETRY_S
        self._heard(self._keeper.refusal)
        if not self._closed:
            self._see_to_it(self._clock.monotonic())
        self._tell()

    def _heard(self, refusal: DiskCause) -> None:
        if refusal is not self._refusal:
            log.info("backlog", durable=refusal is DiskCause.NONE, cause=refusal.value, waiting=len(self._waiting))
        self._refusal = refusal

    # ── housekeeping ───────────────────────────────────────────────────────────────────────────────────
    def _tidy(self) -> None:
        self._tidying = None
        now = self._now()
        self._next_tidy_s = now.monotonic_s + TIDY_S
        if self._keeper.shelf.view.batches and not self._closed:
            self._later(partial(self._keeper.tidy, now)).add_done_callback(self._tidied)

    def _tidied(self, tidying: "asyncio.Future[bool]") -> None:
        if tidying.result() and not self._closed:
            self._tidying = self._loop.call_later(GENTLY_S, self._tidy)
            self._tell()

    # ── the thread ─────────────────────────────────────────────────────────────────────────────────────
    async def _run(self, operation: Callable[[], T]) -> T:
        if self._closed:
            raise RecordMisused("the backlog is closed")
        return await self._in_thread(operation)

    async def _in_thread(self, operation: Callable[[], T]) -> T:
        return await asyncio.shield(self._later(operation))

    def _later(self, operation: Callable[[], T]) -> "asyncio.Future[T]":
        """In the order of the calls."""
        return self._loop.run_in_executor(self._thread, operation)

    def _now(self) -> Stamp:
        return stamp(self._clock, self._boot)

    def _tell(self) -> None:
        for changed in self._watchers:
            changed()


def _name(measurement: Measurement) -> tuple[str, int]:
    return measurement.stream, measurement.sequence


def _place(measurement: Measurement) -> tuple[float, int]:
    return measurement.at.monotonic_s, measurement.sequence
