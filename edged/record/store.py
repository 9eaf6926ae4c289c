"""The record, for asyncio: one thread owns the ledger, so no fsync ever stands in the way of a probe.

Calls are served in the order they were made. A disk that refuses is told in `status()` and retried every RETRY_S;
nothing is raised for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from edged.clock import Clock, boot_id
from edged.core.events import Channel, Event
from edged.record.envelope import Origin, stamp
from edged.record.errors import RecordMisused
from edged.record.incident_rows import last_number
from edged.record.ledger import Ledger
from edged.record.memory import Bounds
from edged.record.recorded import Acknowledgement, KeptCommand, Opening, Recorded, RecordStatus, Stretch, Tip, Tombstone
from edged.record.retention import Volume
from edged.record.settings import RecordSettings

RETRY_S = 2.0
"""Events held in memory are offered to the disk this often."""

T = TypeVar("T")


class Store:
    """Made by `await Store.open(…)`."""

    def __init__(self, directory: Path, ledger: Ledger, clock: Clock, boot: str, thread: Executor | None) -> None:
        self._directory, self._ledger, self._clock, self._boot = directory, ledger, clock, boot
        self._loop = asyncio.get_running_loop()
        self._own = None if thread else ThreadPoolExecutor(max_workers=1, thread_name_prefix="edged-record")
        self._thread = thread or self._own
        self._status = ledger.status()
        self._watchers: list[Callable[[], None]] = []
        self._retry: asyncio.TimerHandle | None = None
        self._closed = False
        self.opening: Opening

    @classmethod
    async def open(
        cls, directory: Path, *, origin: Origin, clock: Clock, settings: RecordSettings, thread: Executor | None = None
    ) -> "Store":
        """Opens or makes the ledger in `directory`; `opening` says what was found. `thread`: an executor of one thread,
        for those who run many stores in one process; the caller shuts it down.

        Raises RecordMisused if another process writes there. A file that cannot be trusted is set aside, a disk that
        refuses is lived without.
        """
        bounds = Bounds(
            Volume(settings.keep_rows, settings.keep_mib << 20),
            settings.memory_rows,
            reserve_bytes=settings.reserve_mib << 20,
            floor_bytes=settings.floor_mib << 20,
        )
        store = cls(directory, Ledger(directory, origin=origin, bounds=bounds), clock, boot_id(), thread)
        try:
            store.opening = await store._run(store._ledger.open)
        except RecordMisused:
            store._let_go()
            raise
        return store

    async def close(self) -> None:
        """Writes what is still in memory, if the disk lets it. The store cannot be used afterwards."""
        if self._closed:
            return
        await self._run(self._ledger.close)
        self._closed = True
        if self._retry:
            self._retry.cancel()
        self._let_go()

    # ── the judge's side ───────────────────────────────────────────────────────────────────────────────
    async def append(self, events: Sequence[Event], checkpoint: bytes | None = None) -> list[Recorded]:
        """Records `events`, and the judge's resumable state with them, in one transaction.

        On the disk when this returns, except what comes back with `durable` False (in memory, retried in order) or not
        at all (memory full too, counted in `status().dropped`). Raises RecordMisused, and records nothing, if an event
        cannot be said in JSON.
        """
        now = stamp(self._clock, self._boot)
        return await self._run(lambda: self._ledger.append(events, now, checkpoint), tell=True)

    async def checkpoint(self) -> bytes | None:
        """The judge's state as of the latest `append` that gave one, in this life or an earlier one."""
        kept = await self._run(lambda: self._ledger.checkpoint)
        return kept.body if kept else None

    async def last_incident(self) -> int:
        """The highest number that was given to an incident; 0 if nothing on the disk tells of one."""
        return await self._run(lambda: last_number(self._directory))

    # ── the reporter's side ────────────────────────────────────────────────────────────────────────────
    async def pending(self, channel: Channel, *, after: int = 0, limit: int = 64) -> list[Recorded]:
        """TIER: rows the NOC has not acknowledged; LOG: rows the broker has not taken. Ascending, from the row after
        `after`.
        """
        return await self._run(lambda: self._ledger.pending(channel, after, limit))

    async def stretch(self, stream: str, first: int, last: int, *, limit: int = 64) -> Stretch | None:
        """What is still here of sequences `first` to `last`; None for a stream not known here."""
        return await self._run(lambda: self._ledger.stretch(stream, first, last, limit))

    async def sent(self, rows: Sequence[int]) -> None:
        """The broker took these log rows (`Recorded.row`)."""
        await self._run(lambda: self._ledger.sent(rows))

    async def acknowledged(self, stream: str, sequence: int) -> Acknowledgement:
        """The NOC holds all tier events of `stream` up to `sequence`: they need not be sent again, and may be deleted
        in time.
        """
        return await self._run(lambda: self._ledger.acknowledged(stream, sequence))

    async def next_epoch(self) -> int:
        """The number of the next connection to a broker; never the same twice in the life of one ledger file."""
        return await self._run(self._ledger.next_epoch)

    async def tombstones(self, limit: int = 64) -> list[Tombstone]:
        """What was lost and not told yet, oldest first within each stream. Numbers that are still here are left out."""
        return await self._run(lambda: self._ledger.tombstones(limit))

    async def told(self, stones: Sequence[Tombstone]) -> None:
        """A broker took these, as `tombstones` gave them. They stay known to `why_gone`."""
        await self._run(lambda: self._ledger.told(stones))

    async def why_gone(self, stream: str, first: int, last: int) -> list[Tombstone]:
        """Why which of sequences `first` to `last` cannot be had any more, ascending; "expired" is what somebody took
        once. What is still here, and what was never recorded, is left out.
        """
        return await self._run(lambda: self._ledger.why_gone(stream, first, last))

    # ── commands ───────────────────────────────────────────────────────────────────────────────────────
    async def kept_command(self, identity: str) -> KeptCommand | None:
        """The command with this id, if it was begun here and is not long expired."""
        return await self._run(lambda: self._ledger.kept_command(identity))

    async def keep_command(self, command: KeptCommand) -> bool:
        """In the place of an earlier one with its id. True: on the disk. False: the disk refused, and a crash would
        forget it.
        """
        now_wall_s = self._clock.wall()
        return await self._run(lambda: self._ledger.keep_command(command, now_wall_s))

    # ── anybody's ──────────────────────────────────────────────────────────────────────────────────────
    async def recent(self, limit: int) -> list[Recorded]:
        """The newest rows, ascending, settled ones included."""
        return await self._run(lambda: self._ledger.recent(limit))

    async def tip(self) -> Tip | None:
        """The newest row; None while the disk refuses, or has none."""
        return await self._run(self._ledger.tip)

    def status(self) -> RecordStatus:
        """As of the latest operation; never waits."""
        return self._status

    def watch(self, changed: Callable[[], None]) -> None:
        """`changed` is called on the loop after every `append`."""
        self._watchers.append(changed)

    # ── the thread ─────────────────────────────────────────────────────────────────────────────────────
    async def _run(self, operation: Callable[[], T], *, tell: bool = False) -> T:
        if self._closed:
            raise RecordMisused("the record is closed")
        future = self._loop.run_in_executor(self._thread, self._in_thread, operation)
        future.add_done_callback(self._after)
        if tell:
            future.add_done_callback(self._tell)
        return await asyncio.shield(future)  # a caller that is cancelled must not hide that something was written

    def _let_go(self) -> None:
        if self._own:
            self._own.shutdown(wait=False)

    def _in_thread(self, operation: Callable[[], T]) -> T:
        try:
            return operation()
        finally:
            self._status = self._ledger.status()

    def _after(self, _done: "asyncio.Future[T]") -> None:
        if not self._status.durable and self._retry is None and not self._closed:
            self._retry = self._loop.call_later(RETRY_S, self._try_again)

    def _tell(self, _done: "asyncio.Future[T]") -> None:
        for changed in self._watchers:
            changed()

    def _try_again(self) -> None:
        self._retry = None
        if not self._closed:
            self._loop.run_in_executor(self._thread, self._in_thread, self._ledger.settle).add_done_callback(
                self._after
            )
