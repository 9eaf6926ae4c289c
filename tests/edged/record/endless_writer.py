"""Lives to be killed. For each line "DIRECTORY SEED" on stdin: forks a writer that appends for ever, acknowledges in
between, and prints every event it was told is durable and every watermark; says "pid N" before and "dead" after. For
"DIRECTORY look": prints what is pending. Forking spares each life the imports.

`--full`: the directory becomes a small tmpfs first (needs a mount namespace of its own), a ballast file fills it up
during most of each life. `--torn`: the database file is damaged after each life.
"""

import asyncio
import logging
import os
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random

import structlog

from edged.core.events import Channel
from tests.edged.record.scene import any_words, log_event, open_store, tier_event


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # below PIPE_BUF: a line is there whole or not at all


def fill(directory: Path) -> None:
    with suppress(OSError), (directory / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(b"x" * 4096):
            pass


def tear(directory: Path, chance: Random) -> None:
    """Random bytes over a part of it, or an end cut off, or both."""
    path = directory / "ledger.sqlite3"
    size = path.stat().st_size
    how = chance.choice(["scribbled", "truncated", "both"])
    if how != "truncated":
        at = chance.randrange(max(1, size))
        with path.open("r+b") as file:
            file.seek(at)
            file.write(chance.randbytes(min(chance.randint(1, 20_000), size - at)))  # no larger: the disk may be full
    if how != "scribbled":
        os.truncate(path, chance.randrange(size))


async def write_for_ever(directory: Path, seed: int, *, full: bool) -> None:
    chance = Random(seed)
    store = await open_store(directory)
    for n in count():
        if full and n == 5:
            fill(directory)
        batch = [tier_event(n=f"{seed}/{n}/{i}") for i in range(chance.randint(1, 3))]
        for row in await store.append([*batch, log_event(n=f"{seed}/{n}")], f"{seed}/{n}".encode()):
            if row.channel is Channel.TIER:
                assert row.durable, store.status()
                say(f"{row.stream} {row.sequence} {row.body.decode()}")
        if chance.random() < 0.2:
            waiting = await store.pending(Channel.TIER, limit=5000)
            row = chance.choice(waiting)
            say(f"acknowledged {row.stream} {row.sequence}")
            await store.acknowledged(row.stream, row.sequence)


async def look(directory: Path) -> None:
    store = await open_store(directory)
    for row in await store.pending(Channel.TIER, limit=100_000):
        say(f"pending {row.stream} {row.sequence} {row.body.decode()}")
    await store.close()


def live(directory: Path, seed: int, *, full: bool, torn: bool) -> None:
    if full and not directory.is_mount():
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory], check=True)
    if not (pid := os.fork()):
        try:
            asyncio.run(write_for_ever(directory, seed, full=full))
        finally:  # killed in time, or failed: what it was told was not durable, say
            say(f"failed {sys.exc_info()[1]!r}".replace("\n", " "))
            os._exit(1)
    say(f"pid {pid}")
    os.waitpid(pid, 0)
    if full and seed % 3:
        (directory / "ballast").unlink(missing_ok=True)  # every third life ends, and the next begins, on a full disk
    if torn:
        tear(directory, Random(seed))


def main(*, full: bool, torn: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        folder, what = line.split()
        if what != "look":
            live(Path(folder), int(what), full=full, torn=torn)
        elif not (pid := os.fork()):
            asyncio.run(look(Path(folder)))
            os._exit(0)
        else:
            os.waitpid(pid, 0)
        say("dead")


any_words()
main(full="--full" in sys.argv, torn="--torn" in sys.argv)
