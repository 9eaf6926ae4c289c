"""The backlog's file as it may be: there, refusing, corrupt. Of one thread; nothing is raised for a disk.

Memory knows each batch (not its body) and each tombstone; the file is written first, then memory believes it. A file
that is corrupt is deleted, since it holds nothing but figures, and begun anew: tombstones name what it held.
"""

import errno
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog

from edged.record.backlog_file import FILE_NAME, BacklogFile, Found, discard, streams_named
from edged.record.backlog_gone import Graves, unaccounted
from edged.record.backlog_steps import Kept
from edged.record.database import cause_of
from edged.record.errors import RecordBroken
from edged.record.recorded import DiskCause, Gone, Tombstone

log = structlog.get_logger()
T = TypeVar("T")


@dataclass
class Counts:
    """Messages since the daemon started; see `BacklogStatus`."""

    downsampled: int = 0
    evicted: int = 0
    lost: int = 0
    torn: int = 0
    """Files."""


@dataclass(frozen=True, slots=True)
class View:
    """What others may read without waiting."""

    graves: Graves = field(default_factory=Graves)
    batches: int = 0
    file_bytes: int = 0
    cause: DiskCause = DiskCause.NONE


class Shelf:
    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self.rows: list[Kept] = []
        """Oldest first."""
        self.counts = Counts()
        self.view = View()
        self._file: BacklogFile | None = None
        self._lives: dict[str, int] = {}
        self._graves = Graves()
        self._unkept = False  # the file has lives or graves older than they are here
        self._next = 1
        self._cause = DiskCause.NONE

    def attempt(self, operation: Callable[[BacklogFile], T], otherwise: T) -> T:
        """What `operation` returns; `otherwise`, and `view.cause`, if the disk refuses."""
        try:
            result = self._twice(operation)
        except (sqlite3.Error, OSError, RecordBroken) as error:
            self._cause = _cause(error)
            log.debug("the disk refuses the backlog", file=str(self.path), cause=self._cause.value, why=str(error))
            return otherwise
        else:
            self._cause = DiskCause.NONE
            return result
        finally:
            self._look()

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._file = None

    def numbers(self, count: int) -> int:
        """The first of so many batch numbers, given to nobody else."""
        self._next += count
        return self._next - count

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────
    def change(
        self,
        file: BacklogFile,
        *,
        new: Sequence[tuple[Kept, bytes]] = (),
        gone: Iterable[Kept] = (),
        why: Gone | None = None,
        lives: Mapping[str, int] | None = None,
    ) -> None:
        """One transaction. `why`: those gone had not reached anybody."""
        numbers = {row.number for row in gone}
        graves = self._graves.dug(row.tombstone(why) for row in gone) if why else self._graves
        known = self._lives if lives is None else dict(lives)
        with file.transaction():
            file.delete(sorted(numbers))
            for row, body in new:
                file.insert(row, body)
            if self._unkept or graves != self._graves or known != self._lives:
                file.write_lives(known)
                file.write_graves(graves)
        self._graves, self._lives, self._unkept = graves, known, False
        rows = (*(row for row in self.rows if row.number not in numbers), *(row for row, _ in new))
        self.rows = sorted(rows, key=lambda row: (row.place, row.number))

    def bury(self, tombstones: Iterable[Tombstone]) -> None:
        """In memory; the next change takes it to the file, and so with the others here."""
        self._graves, self._unkept = self._graves.dug(tombstones), True

    def told(self, tombstones: Sequence[Tombstone]) -> None:
        self._graves, self._unkept = self._graves.after_telling(tombstones), True

    def begin(self, stream: str) -> None:
        self._lives[stream], self._unkept = 0, True

    def resolved(self, lives: Mapping[str, int]) -> dict[str, int]:
        """All lives, with these as far as they are now."""
        return self._lives | {stream: last for stream, last in lives.items() if stream in self._lives}

    # ── the file ───────────────────────────────────────────────────────────────────────────────────────
    def _twice(self, operation: Callable[[BacklogFile], T]) -> T:
        """A corrupt file makes way for a fresh one, once."""
        try:
            return operation(self._ready())
        except (sqlite3.Error, RecordBroken) as error:
            if cause_of(error) is not DiskCause.CORRUPT:
                raise
            self._start_over(error)
            return operation(self._ready())

    def _ready(self) -> BacklogFile:
        if self._file is None:
            file = BacklogFile.open(self.path)
            try:
                found = file.found()
            except BaseException:
                file.close()
                raise
            self._file = file
            self._take_over(found)
        elif not self._file.is_there:
            raise RecordBroken("the file was deleted")
        return self._file

    def _take_over(self, found: Found) -> None:
        self.rows = list(found.rows)
        self._next = max([self._next, *(row.number + 1 for row in self.rows)])
        self._graves, self._unkept = found.graves.dug(self._graves.untold), True
        for stream in found.lives.keys() - self._lives.keys():
            kept = [(row.first, row.last) for row in self.rows if row.stream == stream]
            self.bury(unaccounted(stream, kept, found.lives[stream]))

    def _start_over(self, error: Exception) -> None:
        """Raises OSError."""
        lost = sum(row.messages for row in self.rows)
        if self._file:
            self.bury(row.tombstone(Gone.TORN) for row in self.rows)
        else:  # nothing of an earlier life is anywhere else
            streams = streams_named(self.path) - self._lives.keys()
            self.bury(Tombstone(stream, 1, None, Gone.TORN) for stream in sorted(streams))
        self.close()
        discard(self.path)
        log.error("backlog deleted", file=str(self.path), messages=lost, why=str(error))
        self.rows = []
        self.counts.lost += lost
        self.counts.torn += 1

    def _look(self) -> None:
        file_bytes = self.view.file_bytes
        with suppress(sqlite3.Error, OSError):
            file_bytes = self._file.bytes if self._file else 0
        self.view = View(self._graves, len(self.rows), file_bytes, self._cause)


def _cause(error: sqlite3.Error | OSError | RecordBroken) -> DiskCause:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return DiskCause.FULL if full else cause_of(error)
