"""Lives on a disk that refuses. Prints what it saw as one JSON object. Arguments: how it refuses, how it ends, the
directory.

full: `directory` becomes a small tmpfs that a ballast file fills up (needs a mount namespace of its own).
io: the kernel fails writes beyond a file size (EFBIG), which SQLite takes for a failing device.
relent: the disk takes events again while the daemon lives. crash: the daemon is killed first.
"""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from edged.core.events import Channel
from edged.record import store as room
from edged.record.recorded import Recorded
from edged.record.store import Store
from tests.edged.record.scene import any_words, log_event, open_store, tier_event

room.RETRY_S = 0.05
UNLIMITED = resource.getrlimit(resource.RLIMIT_FSIZE)


def prepare(how: str, directory: Path) -> None:
    if how == "full":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], check=True)


def refuse(how: str, directory: Path) -> None:
    if how == "io":
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, UNLIMITED[1]))
        return
    with suppress(OSError), (directory / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(b"x" * 4096):
            pass


def relent(how: str, directory: Path) -> None:
    if how == "full":
        (directory / "ballast").unlink()
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, UNLIMITED)


async def until_refused(store: Store, how: str, directory: Path) -> list[Recorded]:
    rows: list[Recorded] = []
    for n in range(500):
        if n == 20:
            refuse(how, directory)
        rows += await store.append([tier_event(n=n, text="x" * 200), log_event(n=n)], str(n).encode())
        if not store.status().durable:
            return rows + await store.append([tier_event(n="held")], b"held")
    raise AssertionError("the disk never refused")


async def first_life(how: str, directory: Path) -> tuple[Store, list[Recorded], dict[str, object]]:
    store = await open_store(directory)
    rows = await until_refused(store, how, directory)
    pending = await store.pending(Channel.TIER, limit=5000)
    readable = [row for row in rows if row.channel is Channel.TIER and (how == "full" or not row.durable)]
    seen = {
        "cause": store.status().cause,
        "in_memory": store.status().in_memory,
        "pending_is_readable": pending == readable,
        "given": [(row.stream, row.sequence, row.durable) for row in rows],
    }
    return store, rows, seen


async def second_life(directory: Path) -> dict[str, object]:
    store = await open_store(directory)
    new = await store.append([tier_event(n="after")])
    kept = await store.recent(10_000)
    await store.close()
    return {
        "new": [(row.stream, row.sequence, row.durable) for row in new],
        "kept": [(row.stream, row.sequence) for row in kept],
    }


async def relenting(how: str, directory: Path) -> dict[str, object]:
    store, rows, seen = await first_life(how, directory)
    relent(how, directory)
    for _ in range(100):
        if store.status().durable:
            break
        await asyncio.sleep(0.05)  # nothing is appended: the store tries again by itself
    kept = await store.recent(10_000)
    same = [(row.row, row.body, True) for row in rows] == [(row.row, row.body, row.durable) for row in kept]
    checkpoint = await store.checkpoint() or b""
    await store.close()
    return seen | {"same": same, "checkpoint": checkpoint.decode()} | await second_life(directory)


async def dying(how: str, directory: Path, pipe: int) -> None:
    _, _, seen = await first_life(how, directory)
    os.write(pipe, json.dumps(seen).encode())
    os.kill(os.getpid(), signal.SIGKILL)


def crashing(how: str, directory: Path) -> dict[str, object]:
    reading, writing = os.pipe()
    if not os.fork():
        asyncio.run(dying(how, directory, writing))
    os.close(writing)
    with open(reading) as pipe:
        seen: dict[str, object] = json.load(pipe)
    relent(how, directory)
    return seen | asyncio.run(second_life(directory))


def main(how: str, ending: str, directory: Path) -> None:
    prepare(how, directory)
    seen = asyncio.run(relenting(how, directory)) if ending == "relent" else crashing(how, directory)
    print(json.dumps(seen))


any_words()
main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
