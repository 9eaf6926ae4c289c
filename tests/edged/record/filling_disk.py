"""Lives on a small tmpfs that others fill up; the argument is where to mount it. Says "fine" at the end."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from edged.core.events import Channel
from edged.record import space
from edged.record.settings import RecordSettings
from tests.edged.record.scene import any_words, log_event, open_store, tier_event

space.LOOK_S = 0.02
SETTINGS = RecordSettings(floor_mib=8)


def free_mib(directory: Path) -> float:
    return os.statvfs(directory).f_bavail * 4096 / (1 << 20)


async def main(directory: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", directory], check=True)
    store = await open_store(directory, SETTINGS)
    for n in range(120):
        await store.append([log_event(n=n, text="x" * 1000) for _ in range(100)])
    assert store.status().kept_bytes > 8 << 20, (store.status(), free_mib(directory))
    assert free_mib(directory) > 6, "edged itself stops at the floor"
    (directory / "others").write_bytes(bytes(4 << 20))
    before = free_mib(directory)
    for n in range(3000):
        await store.append([log_event(n=n, text="x" * 1000)])
        if free_mib(directory) > before + 2:
            break
    else:
        raise AssertionError(f"no pages were given back: {store.status()}, {free_mib(directory)} MiB free")
    assert store.status().low_space
    with suppress(OSError), (directory / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(b"x" * 4096):
            pass
    for n in range(300):
        rows = await store.append([log_event(n=n, text="x" * 500), tier_event(n=n)])
        assert [row.durable for row in rows] == [True, True], (n, store.status())
    status = store.status()
    assert (status.durable, status.low_space, status.pending_tier) == (True, True, 300)
    assert (await store.why_gone(store.opening.stream, 1, 1))[0].why == "evicted"
    (directory / "ballast").unlink()
    (directory / "others").unlink()
    space.LOOK_S = 0.0
    await store.append([log_event()])
    assert not store.status().low_space
    assert len(await store.pending(Channel.TIER, limit=1000)) == 300
    await store.close()
    print("fine")


any_words()
asyncio.run(main(Path(sys.argv[1])))
