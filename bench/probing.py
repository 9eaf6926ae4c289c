"""What probing costs: two links with three targets each, on loopback, at each pace. Answers come from the kernel and
another process; a loopback send includes the kernel's work of answering it, so a real line costs a little less.

python -m bench.probing prints a table and, last, one JSON object: `calm_cpu_pct`, `session_cpu_pct`, of one core;
`probe_us`, CPU for one probe at session pace, and in it `send_us`, `receive_us`, `judge_us` (pacing and detector) and
`loop_us` (waking up, asyncio).
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable

import structlog

from bench.cpu_shares import CpuShares, Method
from probes.icmp import IcmpProber
from probes.kernel_time import StampedSocket
from probes.link import LinkProber, watch_link
from probes.link_settings import LinkSettings
from probes.pace import PaceControl
from probes.reading import LinkReading
from probes.stamp import StampProber

_RUN_S = 10.0
_SETTLE_S = 2.0  # past the first suspicion
_REFLECTOR = ("127.0.0.1", 38620)
_PARTS: dict[str, tuple[Method, ...]] = {
    "send": ((IcmpProber, "send"), (StampProber, "send")),
    "receive": ((StampedSocket, "_read"),),
    "judge": ((LinkProber, "tick"), (LinkProber, "_heard")),
}


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


async def cost(*, session: bool, settled: Callable[[], None] = lambda: None) -> tuple[float, list[LinkReading]]:
    """CPU seconds per second of both links together, and the last reading of each. `settled` is called as the count
    begins.
    """
    last: dict[str, LinkReading] = {}
    tasks = [
        asyncio.create_task(watch_link(link, lambda r: last.update({r.link: r}), pace=PaceControl(session=session)))
        for link in links()
    ]
    await asyncio.sleep(_SETTLE_S)
    settled()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    await asyncio.sleep(_RUN_S)
    share = (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return share, list(last.values())


def at_each_pace() -> dict[str, float]:
    """CPU in per cent of a core."""
    figures = {}
    for pace in ("calm", "session"):
        share, readings = asyncio.run(cost(session=pace == "session"))
        figures[f"{pace}_cpu_pct"] = round(100 * share, 2)
        for reading in readings:
            rtt_us = None if reading.rtt_s is None else round(reading.rtt_s * 1e6)
            print(f"{pace:8} {reading.link:9} {reading.verdict:8} {reading.sent:3} probes/s, median {rtt_us} µs")
    return figures


def of_one_probe() -> dict[str, float]:
    """CPU in µs of one probe at session pace, and of its parts."""
    with CpuShares(_PARTS) as shares:
        share, _ = asyncio.run(cost(session=True, settled=shares.reset))
    sent = shares.calls["send"]
    whole_us = share * _RUN_S * 1e6 / sent
    parts_us = {part: ns / 1000 / sent for part, ns in shares.ns.items()}
    parts_us["loop"] = whole_us - sum(parts_us.values())
    print(f"one probe {whole_us:.0f} µs:", ", ".join(f"{part} {us:.0f}" for part, us in parts_us.items()))
    return {"probe_us": round(whole_us, 1)} | {f"{part}_us": round(us, 1) for part, us in parts_us.items()}


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    command = [sys.executable, "-m", "probes.stamp_reflector", "--listen", f"{_REFLECTOR[0]}:{_REFLECTOR[1]}"]
    reflector = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        figures = at_each_pace() | of_one_probe()
    finally:
        reflector.terminate()
        reflector.wait()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
