"""A backlog in a process of its own, to be killed: says its stream once that is on the disk. Argument: directory."""

import asyncio
import json
import sys
import time
from pathlib import Path

from edged.clock import SystemClock
from edged.record.backlog import Backlog, BacklogSettings
from tests.edged.record.scene import ORIGIN


async def main(directory: Path) -> None:
    backlog = await Backlog.open(directory, origin=ORIGIN, clock=SystemClock(), settings=BacklogSettings())
    backlog.put("links", {"rows": []})
    while not (taken := backlog.take(time.clock_gettime(time.CLOCK_BOOTTIME))):
        await asyncio.sleep(0.01)
    print(json.loads(taken[0].body)["stream"], flush=True)
    await asyncio.sleep(60)


asyncio.run(main(Path(sys.argv[1])))
