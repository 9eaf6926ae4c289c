"""What probing costs: two links with three targets each, on loopback, at each pace. Answers come from the kernel and
another process.

python -m bench.probing prints a table and, last, one JSON object: `calm_cpu_pct`, `session_cpu_pct`, of one core.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import time

import structlog

from probes.link import watch_link
from probes.link_settings import LinkSettings
from probes.pace import PaceControl
from probes.reading import LinkReading

_RUN_S = 10.0
_REFLECTOR = ("127.0.0.1", 38620)


def links() -> list[LinkSettings]:
    targets = [
        {"kind": "icmp", "address": "127.0.0.1"},
        {"kind": "stamp", "address": _REFLECTOR[0], "port": _REFLECTOR[1]},
        {"kind": "icmp", "address": "127.0.0.2"},
    ]
    sources = {"fiber": "127.0.0.11", "cellular": "127.0.0.12"}
    return [
        LinkSettings.model_validate({"name": name, "source": source, "targets": targets})
        for name, source in sources.items()
    ]


async def cost(*, session: bool) -> tuple[float, list[LinkReading]]:
    """CPU seconds per second of both links together, and the last reading of each."""
    last: dict[str, LinkReading] = {}
    tasks = [
        asyncio.create_task(watch_link(link, lambda r: last.update({r.link: r}), pace=PaceControl(session=session)))
        for link in links()
    ]
    await asyncio.sleep(2.0)  # past the first suspicion
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    await asyncio.sleep(_RUN_S)
    share = (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return share, list(last.values())


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    command = [sys.executable, "-m", "probes.stamp_reflector", "--listen", f"{_REFLECTOR[0]}:{_REFLECTOR[1]}"]
    reflector = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL)
    figures = {}
    try:
        time.sleep(1.0)
        for pace in ("calm", "session"):
            share, readings = asyncio.run(cost(session=pace == "session"))
            figures[f"{pace}_cpu_pct"] = round(100 * share, 2)
            for reading in readings:
                rtt_us = None if reading.rtt_s is None else round(reading.rtt_s * 1e6)
                print(f"{pace:8} {reading.link:9} {reading.verdict:8} {reading.sent:3} probes/s, median {rtt_us} µs")
    finally:
        reflector.terminate()
        reflector.wait()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
