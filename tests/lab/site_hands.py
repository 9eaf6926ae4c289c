"""What tests do in a running site: run something in a node, ping over a pin, wait until the router moved."""

import asyncio
import json
import statistics
import sys
import time

from lab import plan
from lab.client import LabClient

FAR = plan.FAR_HOSTS[0]


async def run_in(lab: LabClient, node: str, *argv: str) -> bytes:
    process = await asyncio.create_subprocess_exec(*lab.node_command(node, argv), stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out


async def pings_ms(lab: LabClient, source: str, target: str = FAR, count: int = 5) -> list[float | None]:
    words = (sys.executable, "-m", "tests.lab.icmp_ping", source, target, str(count))
    times: list[float | None] = json.loads(await run_in(lab, "edge", *words))
    return times


async def until_active(lab: LabClient, index: str, within_s: float) -> float:
    """Seconds until the router's traffic leaves by the WAN `index`."""
    begun_s = time.monotonic()
    while (await lab.status())["world"]["router"]["active"] != index:
        took_s = time.monotonic() - begun_s
        assert took_s < within_s
        await asyncio.sleep(0.05)
    return time.monotonic() - begun_s


def median_ms(times: list[float | None]) -> float:
    return statistics.median(one for one in times if one is not None)
