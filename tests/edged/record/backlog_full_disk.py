"""A backlog on a disk that fills up and relents. Prints what it saw as one JSON object. Needs a mount namespace.

Arguments: how full ("full": not a byte left; "floor": less than the floor), the floor in MiB, a directory for a tmpfs.
"""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from edged.record import backlog as room
from edged.record.backlog import Backlog, BacklogSettings
from tests.edged.record.backlog_scene import Accounts, noise, open_backlog, passed
from tests.edged.record.scene import FixedClock

room.MEMORY_MESSAGES = 50
LEFT = {"full": 0, "floor": 7 << 19}  # bytes
CHANCE = Random(1)


async def measured(backlog: Backlog, clock: FixedClock, count: int) -> None:
    for _ in range(count):
        backlog.put("ups", noise(CHANCE, 12))
        passed(clock, 10)
        await backlog.batches(0)


def fill(directory: Path, left: int) -> None:
    with suppress(OSError), (directory / "ballast").open("wb", buffering=0) as ballast:
        while free(directory) > left and ballast.write(b"x" * 4096):
            pass


def free(directory: Path) -> int:
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


async def accounted(backlog: Backlog) -> list[int]:
    (stream, last), *_ = backlog._streams.values()
    accounts = Accounts().take(await backlog.batches(10_000)).bury(backlog.tombstones())
    accounts.hold(stream, [each.sequence for each in (*backlog._waiting, *backlog._writing)])
    return accounts.missing(stream, last)


async def main(how: str, floor_mib: int, directory: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", directory], check=True)
    clock, seen, settings = FixedClock(), dict[str, Any](), BacklogSettings(floor_mib=floor_mib)
    backlog = await open_backlog(directory, clock, settings)
    await measured(backlog, clock, 100)
    fill(directory, LEFT[how])
    seen["free_bytes_before"] = free(directory)
    await measured(backlog, clock, 150)
    seen["refused"], seen["free_bytes"] = asdict(backlog.status()), free(directory)
    (directory / "ballast").unlink()
    await measured(backlog, clock, 30)
    seen["relented"], seen["missing"] = asdict(backlog.status()), await accounted(backlog)
    (stream, last), *_ = backlog._streams.values()
    await backlog.close()
    again = await open_backlog(directory, clock, settings)
    accounts = Accounts().take(await again.batches(10_000)).bury(again.tombstones())
    seen["missing_in_the_next_life"] = accounts.missing(stream, last)
    await again.close()
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
