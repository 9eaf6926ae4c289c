"""Lives of a backlog to be killed. For each line "DIRECTORY SEED" on stdin: forks one that measures for ever, sends
some of it live, and prints every number it was told or told somebody; says "pid N" before and "dead" after.

taken S N: somebody may have heard of number N of stream S. delivered S N: somebody has it. kept S A B: it was on the
disk, and could be read.
"""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

from edged.record import backlog as room
from edged.record import batch
from edged.record.backlog import Backlog
from tests.edged.record.backlog_scene import open_backlog, passed, shapers, upses
from tests.edged.record.scene import FixedClock

room.GENTLY_S = 0.0


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # below PIPE_BUF: a line is there whole or not at all


def send(backlog: Backlog, clock: FixedClock, chance: Random) -> None:
    while chance.random() < 0.7 and (found := backlog.take(clock.monotonic())):
        say(f"taken {found[0].stream} {found[0].sequence}")
        if chance.random() < 0.7:
            say(f"delivered {found[0].stream} {found[0].sequence}")
            backlog.delivered(found[0])
        else:
            backlog.returned(found[0])


async def show(backlog: Backlog) -> None:
    for each in await backlog.batches(3):
        members = batch.unpack(each.body)
        say(f"kept {members[0]['stream']} {members[0].get('first', members[0]['sequence'])} {members[-1]['sequence']}")


async def measure_for_ever(directory: Path, seed: int) -> None:
    chance, clock = Random(seed), FixedClock()
    backlog = await open_backlog(directory, clock)
    while True:
        backlog.put("ups", upses(chance.randrange(100)))
        backlog.put("qos", shapers())
        passed(clock, chance.choice([1, 10, 30]))
        send(backlog, clock, chance)
        await show(backlog)
        if chance.random() < 0.1:
            await backlog.told(backlog.tombstones()[:1])


for line in sys.stdin:
    directory, seed = line.split()
    if not (pid := os.fork()):
        asyncio.run(measure_for_ever(Path(directory), int(seed)))
    say(f"pid {pid}")
    os.waitpid(pid, 0)
    say("dead")
