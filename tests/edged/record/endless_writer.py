"""Lives to be killed. For each line "DIRECTORY SEED" on stdin: forks a writer that appends for ever and prints every
event it was told is durable, says "pid N" before and "dead" after. Forking spares each life the imports.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path
from random import Random

from tests.edged.record.scene import open_store, tier_event


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # below PIPE_BUF: a line is there whole or not at all


async def write_for_ever(directory: Path, seed: int) -> None:
    chance = Random(seed)
    store = await open_store(directory)
    for n in count():
        batch = [tier_event(n=f"{seed}/{n}/{i}") for i in range(chance.randint(1, 3))]
        for row in await store.append(batch, f"{seed}/{n}".encode()):
            assert row.durable
            say(f"{row.stream} {row.sequence} {row.body.decode()}")


for line in sys.stdin:
    directory, seed = line.split()
    if not (pid := os.fork()):
        asyncio.run(write_for_ever(Path(directory), int(seed)))
    say(f"pid {pid}")
    os.waitpid(pid, 0)
    say("dead")
