"""Whether the machine has room for the fleet: open files, memory, a place for two thousand records. Deciding is pure;
asking the machine is short.
"""

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bounded import BenchFailed

OTHER_FILES = 200
"""Of the process itself: libraries, pipes, the loop."""
BYTES_PER_SITE = 5 << 20
"""A ledger and its write-ahead log, which SQLite lets grow to 4 MiB before it is folded in."""
SHARED_MEMORY = Path("/dev/shm")
DISK = Path("/var/tmp")


@dataclass(frozen=True, slots=True)
class Place:
    directory: Path
    kind: str
    """"tmpfs" (an fsync costs nothing there) or "disk"."""


@dataclass(frozen=True, slots=True)
class Files:
    """Open files of one site, its connection included."""

    whole: int
    bare: int
    """Without a backlog of telemetry."""


def backlogs_that_fit(sites: int, files: Files, limit: int) -> int:
    """How many of the sites may have a backlog. Raises BenchFailed when not even the bare ones fit."""
    left = limit - OTHER_FILES - sites * files.bare
    if left < 0:
        raise BenchFailed(
            f"{sites} sites of {files.bare} open files each need {sites * files.bare + OTHER_FILES}, and this process "
            f"may have {limit} (ulimit -Hn): raise it, or take --sites {(limit - OTHER_FILES) // files.bare}"
        )
    return min(sites, left // max(1, files.whole - files.bare))


def raise_limit() -> int:
    """Of open files, for this process and for those it starts from now on: the soft one to the hard one, which is
    returned.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def place_for(sites: int) -> Iterator[Place]:
    """A directory that is gone afterwards. Raises BenchFailed when neither memory nor disk has room."""
    needed = sites * BYTES_PER_SITE
    fits_memory = SHARED_MEMORY.is_dir() and min(_free(SHARED_MEMORY), _memory_available() // 2) >= needed
    where, kind = (SHARED_MEMORY, "tmpfs") if fits_memory else (DISK, "disk")
    if not fits_memory and _free(DISK) < needed:
        raise BenchFailed(f"no room for {needed >> 20} MiB of records in {SHARED_MEMORY} or {DISK}")
    with TemporaryDirectory(prefix="edged-fleet-", dir=where) as directory:
        yield Place(Path(directory), kind)


def _free(where: Path) -> int:
    return shutil.disk_usage(where).free


def _memory_available() -> int:
    facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(facts["MemAvailable"].removesuffix("kB")) << 10
