"""How soon the loss of live audio or video is known, on real WebRTC through the site, and what looking costs.

A loss counts from the last new frame at the in-line interface. `video_lost_s`, `audio_lost_s`, `both_lost_s`,
`freeze_s`: beyond the dwells, so at best 0: the worse of two medians, until no live two-way A/V is told (dwell: the
observer's silence) and until the tier is entered (silence and the tier's own). `cpu_pct`: the observer alone, at two HD
sessions, of one core.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.bounded import BenchFailed, run_bounded
from bench.figures import middle_and_spread
from bench.media_cost import SETTLE_S
from bench.media_faults import DWELLS_S, FAULTS, SILENCE_S, Fault, Told, rounds
from bench.media_traffic import PACKETS_PER_S
from bench.table import table

FIGURES = {
    "video_lost_s": ("video off", "video off, to the room only", "video off, from the room only"),
    "audio_lost_s": ("audio off", "audio off, to the room only", "audio off, from the room only"),
    "both_lost_s": ("both off", "both lines cut"),
    "freeze_s": ("video frozen",),
}
"""Each is the worst of these faults."""
LIMITS = dict.fromkeys(FIGURES, 1.0) | {"cpu_pct": 10.0}
STREAMS = 4
A_ROUND_S, UP_AND_DOWN_S = 70.0, 120.0


def figures(found: Mapping[str, Sequence[Told]]) -> dict[str, float]:
    """The last line, without the cost."""
    by_name = {fault.name: fault for fault in FAULTS}
    return {
        figure: round(max(_worse(by_name[name], found[name]) for name in names), 2) for figure, names in FIGURES.items()
    }


def _worse(fault: Fault, told: Sequence[Told]) -> float:
    dead = median(each.dead_beyond_s for each in told)
    return max(dead, median(each.tier_beyond_s(fault.tier) for each in told))


def row(fault: Fault, told: Sequence[Told]) -> tuple[str, ...]:
    back = [each.back_s for each in told if each.back_s is not None]
    dwell_s = SILENCE_S + DWELLS_S[fault.tier]
    return (
        fault.name,
        str(len(told)),
        middle_and_spread((each.dead_beyond_s for each in told), 2),
        f"{fault.tier}",
        f"{SILENCE_S:g} + {DWELLS_S[fault.tier]:g} = {dwell_s:g}",
        middle_and_spread((each.tier_beyond_s(fault.tier) for each in told), 2),
        middle_and_spread(back, 1) if back else "",
    )


async def media(count: int, failovers: int, seconds: float, seed: int) -> None:
    spent = await _cost(seconds)
    found = await rounds(count, failovers, seed)
    head = (
        "fault",
        "rounds",
        f"dead, s beyond {SILENCE_S:g}",
        "tier",
        "its dwell, s",
        "entered, s beyond",
        "live again, s",
    )
    print(table(head, [row(fault, found[fault.name]) for fault in FAULTS if found[fault.name]]))
    print("\nFrom the last new frame at the in-line interface; below 0: the links told it before the media did.")
    print(f"observer: {spent['packets_per_s']:.0f} packets/s, {spent['cpu_pct']:.1f} % of a core")
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    last = figures(found) | {"cpu_pct": spent["cpu_pct"]}
    for name, limit in LIMITS.items():
        print(f"{name} {last[name]:g}, limit {limit:g}: {'kept' if last[name] <= limit else 'NOT KEPT'}")
    print(json.dumps(last), flush=True)


async def _cost(seconds: float) -> dict[str, Any]:
    into = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    argv = [*into, sys.executable, "-m", "bench.media_cost", f"{seconds:g}"]
    done = await asyncio.to_thread(
        subprocess.run, argv, stdout=subprocess.PIPE, timeout=SETTLE_S + seconds + 60, check=False
    )
    if done.returncode:
        raise BenchFailed("the observer could not be measured")
    spent: dict[str, Any] = json.loads(done.stdout)
    if spent["live"] != STREAMS or spent["packets_per_s"] < 0.9 * PACKETS_PER_S:
        raise BenchFailed(f"the observer did not see two whole sessions: {spent}")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each fault, 1–100 (%(default)s)")
    parser.add_argument("--failovers", type=int, default=2, help="0–20 (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the cost's measurement, 2–600 (%(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (%(default)s)")
    chosen = parser.parse_args()
    if not (1 <= chosen.rounds <= 100 and 0 <= chosen.failovers <= 20 and 2 <= chosen.seconds <= 600):
        parser.error("--rounds lies within 1–100, --failovers within 0–20, --seconds within 2–600")
    plays = chosen.rounds * len(FAULTS) + 2 * chosen.failovers
    within_s = UP_AND_DOWN_S + 60 + chosen.seconds + A_ROUND_S * plays
    run_bounded(media(chosen.rounds, chosen.failovers, chosen.seconds, chosen.seed), within_s=within_s)


if __name__ == "__main__":
    main()
