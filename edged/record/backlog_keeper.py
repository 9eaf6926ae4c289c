"""Telemetry goes onto the shelf, waits there within its bounds, and leaves it. Of one thread, as the shelf is."""

import errno
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import assert_never

import structlog

from edged.record.backlog_facts import Batch, Measurement
from edged.record.backlog_file import PAGE_BYTES, WAL_BYTES, BacklogFile
from edged.record.backlog_pack import folded, packed, together
from edged.record.backlog_settings import BacklogSettings
from edged.record.backlog_shelf import Shelf
from edged.record.backlog_steps import Delete, Fold, Join, Kept, Step, limit_bytes, next_step
from edged.record.envelope import Stamp
from edged.record.errors import RecordBroken, RecordError
from edged.record.recorded import DiskCause, Gone, Tombstone

WRITTEN_AT_ONCE = 96 << 10
"""Bytes of bodies in one transaction: the write-ahead log stays within its bound."""
_SLACK_BYTES = 8 * PAGE_BYTES
"""For what a transaction needs besides its bodies: inner pages, tombstones."""

log = structlog.get_logger()


class Keeper:
    def __init__(self, shelf: Shelf, settings: BacklogSettings, opened_s: float) -> None:
        """`opened_s` (monotonic): since when what is found on the shelf is known here."""
        self.shelf, self._settings, self._opened_s = shelf, settings, opened_s
        self.refusal = DiskCause.NONE
        """Of what was last to be kept."""
        self._lent: frozenset[int] = frozenset()

    def open(self) -> None:
        self.shelf.attempt(self.shelf.change, None)

    def begin(self, stream: str) -> None:
        """A crash may end it from now on, so the disk knows of it before any power cut."""
        self.shelf.begin(stream)

        def write(file: BacklogFile) -> None:
            self.shelf.change(file)
            file.sync()

        self.shelf.attempt(write, None)

    def close(self, owed: Sequence[Measurement], now: Stamp) -> None:
        """Writes `owed`. If the disk takes it, all streams end in good order: nothing of them is lost."""
        if len(self.keep(owed, {}, now)) == len(owed):
            self.shelf.attempt(lambda file: self.shelf.change(file, lives={}), None)
        self.shelf.close()

    def keep(
        self, measurements: Sequence[Measurement], resolved: Mapping[str, int], now: Stamp
    ) -> set[tuple[str, int]]:
        """Which of them, by (stream, sequence), the disk took. `resolved`: up to where nothing is owed of each stream
        once it has taken all.
        """
        self.open()  # if it was not there before: the numbers of batches go on where they ended
        portions = _portions(packed(measurements, self.shelf.numbers(len(measurements))))
        kept: set[tuple[str, int]] = set()
        following = next(portions, None)
        while portion := following:
            following = next(portions, None)
            known = {} if following else resolved
            if not self.shelf.attempt(partial(self._put, portion=portion, resolved=known, now=now), False):
                self.refusal = self.shelf.view.cause
                return kept
            kept |= {(row.stream, number) for row, _ in portion for number in range(row.first, row.last + 1)}
        self.refusal = DiskCause.NONE
        return kept

    def read(self, limit: int) -> list[Batch]:
        """Oldest first. What cannot be read any more is gone."""
        return self.shelf.attempt(partial(self._read, limit=limit), [])

    def settle(self, number: int) -> None:
        def write(file: BacklogFile) -> None:
            self.shelf.change(file, gone=[row for row in self.shelf.rows if row.number == number])

        self.shelf.attempt(write, None)

    def bury(self, evicted: Sequence[Measurement]) -> None:
        """What memory had no room for."""
        self.shelf.bury(Tombstone(each.stream, each.sequence, each.sequence, Gone.EVICTED) for each in evicted)
        self.shelf.counts.evicted += len(evicted)
        self.shelf.attempt(self.shelf.change, None)

    def told(self, tombstones: Sequence[Tombstone]) -> None:
        self.shelf.told(tombstones)
        self.shelf.attempt(self.shelf.change, None)

    def tidy(self, now: Stamp) -> bool:
        """One step of housekeeping; False when there was none to do."""
        return self.shelf.attempt(partial(self._tidy, now=now), False)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def _read(self, file: BacklogFile, limit: int) -> list[Batch]:
        found: list[Batch] = []
        self._lent = frozenset(row.number for row in self.shelf.rows[:limit])
        for row in self.shelf.rows[:limit]:
            body = file.body(row.number)
            if body is not None and _is_whole(body):
                found.append(Batch(row.number, row.messages, body))
            else:
                self._drop(file, [row], Gone.TORN)
        return found

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────
    def _put(
        self, file: BacklogFile, portion: Sequence[tuple[Kept, bytes]], resolved: Mapping[str, int], now: Stamp
    ) -> bool:
        needed = _SLACK_BYTES + sum((len(body) // PAGE_BYTES + 2) * PAGE_BYTES for _, body in portion)
        while self._is_pressed(file, needed):
            step = self._next_step(now, pressed=True)
            if step is None:
                raise OSError(errno.ENOSPC, "no room left to the backlog", str(self.shelf.path))
            self._do(file, step)
        self.shelf.change(file, new=portion, lives=self.shelf.resolved(resolved))
        return True

    def _tidy(self, file: BacklogFile, now: Stamp) -> bool:
        step = self._next_step(now, pressed=self._is_pressed(file, 0))
        if step:
            self._do(file, step)
        file.shrink(-((self._limit_bytes(file) - file.page_bytes) // PAGE_BYTES))
        return step is not None

    # ── bounds ─────────────────────────────────────────────────────────────────────────────────────────
    def _is_pressed(self, file: BacklogFile, needed: int) -> bool:
        return file.page_bytes - file.free_page_bytes + needed > self._limit_bytes(file)

    def _limit_bytes(self, file: BacklogFile) -> int:
        disk = os.statvfs(self.shelf.path.parent)
        free_bytes = disk.f_bavail * disk.f_frsize
        return limit_bytes(self._settings, page_bytes=file.page_bytes, log_bytes=WAL_BYTES, free_bytes=free_bytes)

    def _next_step(self, now: Stamp, *, pressed: bool) -> Step | None:
        rows = self.shelf.rows
        return next_step(rows, self._settings, now, self._opened_s, pressed=pressed, lent=self._lent)

    def _do(self, file: BacklogFile, step: Step) -> None:
        match step:
            case Delete(rows, why):
                self._drop(file, rows, why)
            case Join(rows):
                self._replace(file, rows, together)
            case Fold(rows, every_s):
                measured = sum(row.messages for row in rows if row.every_s == 0)
                if self._replace(file, rows, partial(folded, every_s=every_s)):
                    self.shelf.counts.downsampled += measured
            case _:
                assert_never(step)

    def _replace(self, file: BacklogFile, rows: Sequence[Kept], make: Callable[..., tuple[Kept, bytes]]) -> bool:
        """By what `make` makes of them; what cannot be read is gone."""
        try:
            one = make(rows, [self._body(file, row) for row in rows], number=self.shelf.numbers(1))
        except RecordError as error:
            log.warning("telemetry that cannot be read", stream=rows[0].stream, why=str(error))
            self._drop(file, rows, Gone.TORN)
            return False
        self.shelf.change(file, new=[one], gone=rows)
        return True

    def _body(self, file: BacklogFile, row: Kept) -> bytes:
        body = file.body(row.number)
        if body is None:
            raise RecordBroken(f"batch {row.number} is not where it was")
        return body

    def _drop(self, file: BacklogFile, rows: Sequence[Kept], why: Gone) -> None:
        self.shelf.change(file, gone=rows, why=why)
        messages = sum(row.messages for row in rows)
        if why is Gone.TORN:
            self.shelf.counts.lost += messages
        else:
            self.shelf.counts.evicted += messages


def _portions(batches: Iterable[tuple[Kept, bytes]]) -> Iterator[list[tuple[Kept, bytes]]]:
    portion: list[tuple[Kept, bytes]] = []
    for row, body in batches:
        if portion and sum(len(each) for _, each in portion) + len(body) > WRITTEN_AT_ONCE:
            yield portion
            portion = []
        portion.append((row, body))
    if portion:
        yield portion


def _is_whole(body: bytes) -> bool:
    """zlib ends in a checksum (RFC 1950)."""
    try:
        zlib.decompress(body)
    except zlib.error:
        return False
    return True
