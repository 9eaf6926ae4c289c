"""Where the time of the sites' process goes: the loop's thread under cProfile, at rest and under load.

The profiler itself makes small calls dear, so its shares say more than its seconds; the threads of the records are not
in it (their CPU is a column of the bench).
"""

import cProfile
import pstats
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.table import table

SHOWN = 24
ROOMS = ("edged/", "aiomqtt/", "paho/", "bench/", "asyncio/")


@dataclass(frozen=True, slots=True)
class Line:
    where: str
    calls: int
    own_s: float
    with_callees_s: float


async def profiled(work: Coroutine[Any, Any, Any]) -> list[Line]:
    """What the loop's thread did while `work` went on, the dearest first by itself and all it calls."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        await work
    finally:
        profiler.disable()
    return lines(profiler)


def lines(profiler: cProfile.Profile) -> list[Line]:
    stats: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    found = [
        Line(where(file, name), calls, own_s, whole_s)
        for (file, _line, name), (_primitive, calls, own_s, whole_s, _callers) in stats.items()
    ]
    return sorted(found, key=lambda line: line.with_callees_s, reverse=True)


def where(file: str, name: str) -> str:
    """`edged/report/outgoing.py:wants`: the path from its room on; what is built in has only its name."""
    at = max(file.rfind(f"/{room}") for room in ROOMS)
    if at >= 0:
        return f"{file[at + 1 :]}:{name}"
    return name if file == "~" else f"{Path(file).name}:{name}"


def profile_table(found: list[Line], *, seconds: float, sites: int, events: int) -> str:
    """Of our rooms and the MQTT libraries; µs a second for each site, and µs an event where there were any."""
    shown = [line for line in found if line.where.startswith(ROOMS[:3])][:SHOWN]
    rows = [
        (
            line.where,
            f"{line.calls / seconds / sites:.2f}",
            f"{1e6 * line.with_callees_s / seconds / sites:.0f}",
            f"{1e6 * line.own_s / seconds / sites:.0f}",
            f"{1e6 * line.with_callees_s / events:.0f}" if events else "",
        )
        for line in shown
    ]
    return table(("function", "calls/s/site", "µs/s/site", "of it own", "µs/event"), rows)
