"""The load of the QoS bench: uploads from the staff PC, and what the machine and the wire's relay did meanwhile.

The lab's wires are programs on the machine that is measured. Whether one of them, and not the link it plays, set the
delay is told by its CPU time, by its lateness, and by the frames it lost before it saw them.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bounded import BenchFailed
from bench.proc_stat import Machine, Usage, machine, usage_of
from lab.client import LabClient

RELAY = b"lab.relay"


@dataclass(frozen=True, slots=True)
class Load:
    """`over`: of the link's rate, what UDP offers; TCP takes what it gets."""

    name: str
    protocol: str
    over: float = 1.5


LOADS = (Load("TCP", "tcp"), Load("TCP + UDP flood", "both"))


@asynccontextmanager
async def uploading(
    lab: LabClient, load: Load, *, link_bps: float, seconds: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The staff PC uploads while the block runs, and `seconds` long at least; `throughput_bps` waits for its result."""
    words = ["--protocol", load.protocol, "--seconds", f"{seconds:g}", "--rate", f"{load.over * link_bps:.0f}"]
    argv = lab.node_command("staff", [sys.executable, "-m", "lab.services.staff", *words])
    # A session of its own: Ctrl-C is for us, and we end it.
    upload = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    try:
        yield upload
    finally:
        with suppress(ProcessLookupError):
            upload.kill()
        await upload.wait()


async def throughput_bps(upload: asyncio.subprocess.Process) -> float:
    """What arrived at the far side, TCP and UDP together. Raises BenchFailed where nothing did."""
    said, _ = await upload.communicate()
    if not (bps := arrived_bps(json.loads(said or b"{}"))):
        raise BenchFailed(f"nothing of the upload arrived: {said.decode(errors='replace').strip()}")
    return bps


def arrived_bps(figures: dict[str, Any]) -> float:
    """TCP that a flood starved to death brought nothing, and that is a result."""
    return float(figures.get("tcp_bps", 0) + figures.get("udp_bps", 0))


@dataclass(frozen=True, slots=True)
class Wire:
    """The relay of one link at one moment."""

    usage: Usage
    machine: Machine
    overrun: int
    late_max_ms: float
    """Since asked last."""


async def wire(lab: LabClient, link: str, pid: int) -> Wire:
    ways = (await lab.status())["links"][link]
    counts = [ways[way]["counts"] for way in ("up", "down")]
    late_max_s = max(each["late_max_s"] for each in counts)
    return Wire(usage_of(pid), machine(), sum(each["overrun"] for each in counts), 1000 * late_max_s)


async def relay_pid(lab: LabClient, link: str) -> int:
    """As seen from here: the one relay in the network namespace of that node."""
    argv = lab.node_command(link, ["readlink", "/proc/self/ns/net"])
    asked = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    home, _ = await asked.communicate()
    found = _relay_in(home.decode().strip())
    if found is None:
        raise BenchFailed(f"the relay of {link} is not to be found")
    return found


def _relay_in(namespace: str) -> int | None:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # processes come and go, and some are somebody else's
            if os.readlink(folder / "ns/net") == namespace and RELAY in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return None
