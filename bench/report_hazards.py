"""What else goes wrong while a site is killed: nothing, a disk that fills up, a database file that is torn."""

import asyncio
import os
import random
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TINY_MIB = 3
FILLED_S = (0.2, 1.5)
FREE_S = (0.3, 2.0)
TORN_BYTES = 512


@dataclass(frozen=True, slots=True)
class Hazard:
    disk: Callable[[Path], AbstractContextManager[None]]
    """Makes the site's directory, for the length of the block."""
    trouble: Callable[[Path, random.Random], Coroutine[Any, Any, None]]
    """Goes on while the site is killed again and again, until cancelled."""
    between: Callable[[Path, random.Random], None]
    """Between a kill and the next life."""


@contextmanager
def _plain(directory: Path) -> Iterator[None]:
    directory.mkdir()
    yield


@contextmanager
def _tiny(directory: Path) -> Iterator[None]:
    """A disk of its own. Needs root, or a user namespace's."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TINY_MIB}m", "edged-bench", str(directory)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


async def _calm(directory: Path, chance: random.Random) -> None: ...


async def _fill_and_free(directory: Path, chance: random.Random) -> None:
    file = directory / "filler"
    try:
        while True:
            await asyncio.sleep(chance.uniform(*FREE_S))
            fill(file)
            await asyncio.sleep(chance.uniform(*FILLED_S))
            file.unlink()
    finally:
        file.unlink(missing_ok=True)


def fill(file: Path) -> None:
    """Until there is no room for one more byte."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for size in (1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while os.write(handle, b"\0" * size):
                    pass
    finally:
        os.close(handle)


def _nothing(directory: Path, chance: random.Random) -> None: ...


def tear(directory: Path, chance: random.Random) -> None:
    """Random bytes somewhere in the ledger's file, or its end cut off."""
    file = directory / "ledger.sqlite3"
    size = file.stat().st_size if file.exists() else 0
    if not size:
        return
    at = chance.randrange(size)
    with file.open("r+b") as torn:
        if chance.random() < 0.3:
            torn.truncate(at)
        else:
            torn.seek(at)
            torn.write(chance.randbytes(min(TORN_BYTES, size - at)))


HAZARDS = {
    "kills": Hazard(_plain, _calm, _nothing),
    "disk": Hazard(_tiny, _fill_and_free, _nothing),
    "torn": Hazard(_plain, _calm, tear),
}
