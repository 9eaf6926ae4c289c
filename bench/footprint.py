"""What the daemon costs on the calm site: everything configured and well, media flowing, nobody in a session; then with
a session open.

`start_s`: from exec to READY=1, median of the starts. `cpu_pct`: of one core, user and system, over the whole stretch.
"""

import argparse
import asyncio
import json
import os
import sys
from dataclasses import dataclass
from statistics import median

from bench.bounded import run_bounded
from bench.proc_stat import Usage, usage_of
from bench.site import Doc, command, daemon_with, not_flowing, status, until
from bench.table import table
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for

LIMITS = {"cpu_pct": 5.0, "rss_mib": 90.0, "start_s": 2.0}
WELL_WITHIN_S = 20.0
SETTLED_AFTER_S = 10.0
"""A link is asked more often until it is trusted; that is no idle cost."""
SESSION_PART = 0.5  # of the idle stretch; a session is told apart within seconds
UP_AND_DOWN_S = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Over one stretch of time."""

    user_pct: float
    system_pct: float
    wakeups_per_s: float
    rss_mib: float
    peak_mib: float

    @property
    def cpu_pct(self) -> float:
        return self.user_pct + self.system_pct


def cost(before: Usage, after: Usage) -> Cost:
    elapsed_s = after.at_s - before.at_s
    return Cost(
        user_pct=100 * (after.user_s - before.user_s) / elapsed_s,
        system_pct=100 * (after.system_s - before.system_s) / elapsed_s,
        wakeups_per_s=after.wakeups_per_s(before),
        rss_mib=after.rss_mib,
        peak_mib=after.peak_mib,
    )


async def footprint(*, seconds: float, starts: int) -> None:
    async with start_lab() as lab:
        config = toml_for(lab.directory)
        took_s = [await _start_and_stop(lab, config) for _ in range(starts - 1)]
        async with daemon_with(lab, config) as ready_after_s:
            took_s.append(ready_after_s)
            await until("the site is well", lambda: _missing(lab), within_s=WELL_WITHIN_S)
            await asyncio.sleep(SETTLED_AFTER_S)
            pid: int = (await lab.daemon())["pid"]
            idle = await _cost(pid, seconds)
            await until("the site is still well", lambda: _missing(lab), within_s=1)
            await _act(lab, "session_opened")
            await asyncio.sleep(2)
            session = await _cost(pid, seconds * SESSION_PART)
            await _act(lab, "session_closed")
    _report(took_s, idle, session, seconds)


async def _start_and_stop(lab: LabClient, config: str) -> float:
    async with daemon_with(lab, config) as ready_after_s:
        return ready_after_s


async def _cost(pid: int, seconds: float) -> Cost:
    _say(f"measuring for {seconds:.0f} s")
    before = usage_of(pid)
    await asyncio.sleep(seconds)
    return cost(before, usage_of(pid))


async def _act(lab: LabClient, act: str) -> None:
    await command(lab, "act", {"act": act, "reason": "procedure", "session": "bench-1"})


async def _missing(lab: LabClient) -> str:
    return not_well(await status(lab))


def not_well(doc: Doc) -> str:
    """What keeps the site from being configured whole and calm; "" when nothing does."""
    lacks = {
        "tier 0": doc["tier"]["tier"] == 0,
        "all configured": not doc["unwatched"],
        "nothing blind": not doc["blind"],
        "links up": all(link["verdict"] == "up" for link in doc["links"]),
        "the router": bool(doc["router"] and doc["router"]["answering"]),
        "both UPSes": len(doc["ups"]) == 2 and all(ups["contact"] == "ok" for ups in doc["ups"]),
        "QoS": bool(doc["qos"]) and all(line["state"] == "active" for line in doc["qos"]),
        "the phone": bool(doc["phone"] and doc["phone"]["reachable"]),
        "the broker": bool(doc["broker"] and doc["broker"]["connected"]),
    }
    return ", ".join([name for name, there in lacks.items() if not there] + list(filter(None, [not_flowing(doc)])))


def _report(took_s: list[float], idle: Cost, session: Cost, seconds: float) -> None:
    figures = {
        "cpu_pct": round(idle.cpu_pct, 2),
        "rss_mib": round(idle.rss_mib, 1),
        "start_s": round(median(took_s), 2),
        "session_cpu_pct": round(session.cpu_pct, 2),
        "session_rss_mib": round(session.rss_mib, 1),
    }
    head = ("the daemon", "CPU %", "user", "system", "wakeups/s", "RSS MiB", "peak MiB")
    print(table(head, [_row(f"idle, {seconds:.0f} s", idle), _row("session open", session)]))
    print(
        f"\nready after {', '.join(f'{each:.2f}' for each in took_s)} s; load of the machine {os.getloadavg()[0]:.1f}"
    )
    for name, limit in LIMITS.items():
        print(f"{name} {figures[name]:g}, limit {limit:g}: {'kept' if figures[name] <= limit else 'NOT KEPT'}")
    print(json.dumps(figures), flush=True)


def _row(name: str, its: Cost) -> tuple[str, ...]:
    figures = (its.cpu_pct, its.user_pct, its.system_pct, its.wakeups_per_s, its.rss_mib, its.peak_mib)
    return name, *(f"{figure:.1f}" for figure in figures)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="idle stretch, 5–600 (%(default)g)")
    parser.add_argument("--starts", type=int, default=3, help="1–20 (%(default)s)")
    chosen = parser.parse_args()
    if not (5 <= chosen.seconds <= 600 and 1 <= chosen.starts <= 20):
        parser.error("--seconds lies within 5–600, --starts within 1–20")
    within_s = UP_AND_DOWN_S + WELL_WITHIN_S + SETTLED_AFTER_S + 2 * chosen.seconds + 20 * chosen.starts
    run_bounded(footprint(seconds=chosen.seconds, starts=chosen.starts), within_s=within_s)


if __name__ == "__main__":
    main()
