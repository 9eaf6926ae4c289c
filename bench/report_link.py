"""How soon an event that says "the active link died" is at the NOC: over the other link, while the router still waits.

The real daemon on the lab's site; the router fails over after 20 s, fiber is cut. Counted is what was judged before the
router moved: from the moment in the event (`time`) to its arrival at the lab's NOC, both by the one clock of this
machine.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.bounded import BenchFailed
from bench.figures import percentile
from bench.footprint import not_well
from bench.site import daemon_with, status, until
from bench.table import table
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for
from lab.noc_copy import TIER_EVENT, NocCopy

FAILOVER_S = 20.0
CUTS = 20
TOLD_WITHIN_S = 12.0
"""Well before the router moves."""
AGAIN_WITHIN_S = 60.0
CALM_S = 2.0
LINK_DOWN = "edge.link.down.raised.v1"
QUICK = """
[tiers]
t1 = { raise_s = 3, clear_s = 2 }
t2 = { raise_s = 1, clear_s = 2 }
t3 = { raise_s = 3, clear_s = 2 }
"""
"""Recovery sooner than in a real room, and without a hold-down that grows with each cut, so that many fit in."""


@dataclass(slots=True)
class Arrivals:
    """Seconds from the verdict in the event to its arrival."""

    tier_s: list[float] = field(default_factory=list)
    link_down_s: list[float] = field(default_factory=list)
    missed: int = 0
    """Cuts of which the NOC heard nothing while the router waited."""


async def link(directory: Path) -> dict[str, float | int | None]:
    found = Arrivals()
    async with start_lab(failover_s=FAILOVER_S, failback_s=1.0) as lab:
        noc = NocCopy(lab.directory / "noc.jsonl")
        async with daemon_with(lab, quick(toml_for(lab.directory))):
            for number in range(CUTS):
                await until("the site is well", lambda: _missing(lab), within_s=AGAIN_WITHIN_S)
                await asyncio.sleep(CALM_S)
                print(f"cut {number + 1} of {CUTS}", file=sys.stderr, flush=True)
                await _cut(lab, noc, found)
                await lab.do("heal", "fiber")
    _report(found)
    p99_ms = round(1000 * percentile(found.tier_s, 99)) if found.tier_s else None
    return {"other_link_p99_ms": p99_ms}


async def _cut(lab: LabClient, noc: NocCopy, found: Arrivals) -> None:
    noc.read()
    known = len(noc.events)
    await lab.do("cut", "fiber")
    try:
        tier = await _arrival(noc, known, lambda event: event["type"] == TIER_EVENT and event["tier"] > 0)
        down = await _arrival(noc, known, lambda event: event["type"] == LINK_DOWN and event["data"]["at"] == "fiber")
    except TimeoutError:
        found.missed += 1
        return
    found.tier_s.append(tier)
    found.link_down_s.append(down)


async def _arrival(noc: NocCopy, known: int, wanted: Callable[[dict[str, Any]], bool]) -> float:
    """Of the first such event behind the `known` ones. Raises TimeoutError."""
    async with asyncio.timeout(TOLD_WITHIN_S):
        while True:
            noc.read()
            for line in noc.events[known:]:
                if wanted(line["event"]):
                    return late_s(line)
            await asyncio.sleep(0.05)


def late_s(line: dict[str, Any]) -> float:
    """Between the moment an event tells and its arrival."""
    return float(line["arrived_s"]) - datetime.fromisoformat(line["event"]["time"]).timestamp()


def quick(toml: str) -> str:
    for role in ("primary", "backup"):
        line = f'role = "{role}"'
        if line not in toml:
            raise BenchFailed(f"the site's configuration has no link of role {role}")
        toml = toml.replace(line, f"{line}\nrecovery_window_s = 2\nhold_down_s = 0")
    return toml + QUICK


async def _missing(lab: LabClient) -> str:
    return not_well(await status(lab))


def _report(found: Arrivals) -> None:
    head = ("verdict to NOC, other link", "cuts", "p50 ms", "p99 ms", "most ms")
    rows = [_row("tier event", found.tier_s), _row("link.down.raised", found.link_down_s)]
    print("\n" + table(head, rows))
    print(f"\n{found.missed} cuts the NOC did not hear of while the router waited ({FAILOVER_S:g} s)")


def _row(name: str, samples: Sequence[float]) -> list[str]:
    figures = [percentile(samples, pct) for pct in (50, 99, 100)] if samples else []
    return [name, str(len(samples)), *(f"{1000 * each:.0f}" for each in figures), *["–"] * (3 - len(figures))]
