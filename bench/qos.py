"""What a full uplink does to the P1 stream, with edged's QoS and without.

The staff PC uploads as hard as the line takes it: one TCP upload, as of images, and then TCP with a UDP flood of 1.5
times the line. Both on fiber, and on cellular with fiber cut; each with the whole daemon, and with the daemon without
[qos]. Added delay is a media packet's one-way delay less the median of its medium on the same link, idle, a minute
before: jitter of the idle link counts as added. Of several rounds the median; of loads and of the two ways the worst.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.bounded import BenchFailed, run_bounded
from bench.media_log import Added, Heard, added, heard
from bench.qos_report import IDLE, Cell, Wires, figures, report
from bench.site import daemon_with, not_flowing, status, until
from bench.toml_tables import without
from bench.upload import LOADS, Load, relay_pid, throughput_bps, uploading, wire
from lab import plan
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for

ROUTER_S = 3.0  # failover and failback: nothing of it is measured here
SWITCHED_WITHIN_S = 20.0
WELL_WITHIN_S = 20.0
RAMP_S = 2.0
"""Until TCP fills the line."""
DRAINED_S = 1.5
"""More than the cellular queue holds (0.4 s), and a line of the media log."""
ENDS = {"up": "platform", "down": "workstation"}
"""Who hears the packets that go this way."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a round of measurements needs to know."""

    lab: LabClient
    configs: dict[bool, str]
    """With QoS, and without."""
    relays: dict[str, int]
    seconds: float


async def qos(*, seconds: float, rounds: int, user_namespace: bool) -> None:
    cells: list[Cell] = []
    async with start_lab(failover_s=ROUTER_S, failback_s=ROUTER_S, user_namespace=user_namespace) as lab:
        config = toml_for(lab.directory)
        relays = {link: await relay_pid(lab, link) for link in plan.LINKS}
        stage = Stage(lab, {True: config, False: without(config, "qos")}, relays, seconds)
        for number in range(1, rounds + 1):
            for wan in plan.WANS:
                await _carry_by(lab, wan)
                for shaped in (False, True):
                    _say(f"round {number} of {rounds}: {wan.link}, QoS {'on' if shaped else 'off'}")
                    cells += await _measure(stage, wan.link, shaped=shaped)
    print(report(cells))
    print(f"\nload of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(json.dumps(figures(cells) | {"rounds": rounds}), flush=True)


async def _carry_by(lab: LabClient, wan: plan.Wan) -> None:
    await lab.do("heal", "all")
    if wan != plan.WANS[0]:
        await lab.do("cut", plan.WANS[0].link)

    async def missing() -> str:
        active = (await lab.status())["world"]["router"]["active"]
        return "" if active == wan.index else f"WAN {active} carries"

    await until(f"the router moves to {wan.name}", missing, within_s=SWITCHED_WITHIN_S)


async def _measure(stage: Stage, link: str, *, shaped: bool) -> list[Cell]:
    """One life of the daemon: the idle link, then each load."""
    async with daemon_with(stage.lab, stage.configs[shaped]):
        await until("the daemon is ready", lambda: _not_ready(stage.lab, link, shaped), within_s=WELL_WITHIN_S)
        idle, idle_wires = await _listen(stage, link)
        cells = [Cell(link, shaped, IDLE, {way: added(idle[way], idle[way]) for way in ENDS}, 0.0, None, idle_wires)]
        for load in LOADS:
            cells.append(await _under(stage, link, load, idle, shaped=shaped))
            await until("nothing changed meanwhile", lambda: _not_ready(stage.lab, link, shaped), within_s=5)
    return cells


async def _under(stage: Stage, link: str, load: Load, idle: dict[str, Heard], *, shaped: bool) -> Cell:
    rate_bps = plan.LINKS[link].rate_bps
    async with uploading(stage.lab, load, link_bps=rate_bps, seconds=RAMP_S + stage.seconds + 1) as upload:
        await asyncio.sleep(RAMP_S)
        loaded, wires = await _listen(stage, link)
        p4_bps = await throughput_bps(upload)
    await asyncio.sleep(DRAINED_S)
    more: dict[str, Added] = {way: added(idle[way], loaded[way]) for way in ENDS}
    return Cell(link, shaped, load.name, more, max(each.lost_pct for each in loaded.values()), p4_bps, wires)


async def _listen(stage: Stage, link: str) -> tuple[dict[str, Heard], Wires]:
    """Both ways for `seconds` (and the rest of the second in which they end)."""
    before = await wire(stage.lab, link, stage.relays[link])
    since_s = time.monotonic()
    await asyncio.sleep(stage.seconds + 1)
    until_s = time.monotonic()
    after = await wire(stage.lab, link, stage.relays[link])
    await asyncio.sleep(0.1)  # the line of the last second is written when it is over
    try:
        ways = {way: heard(_lines(stage.lab.directory, end), since_s, until_s) for way, end in ENDS.items()}
    except ValueError as error:
        raise BenchFailed(f"{link}: {error}") from error
    return ways, Wires(
        relay_pct=after.usage.cpu_pct(before.usage),
        machine_pct=after.machine.busy_pct(before.machine),
        late_max_ms=after.late_max_ms,
        overrun=after.overrun - before.overrun,
    )


def _lines(directory: Path, end: str) -> list[str]:
    return (directory / f"media-{end}.jsonl").read_text().splitlines(keepends=True)


async def _not_ready(lab: LabClient, link: str, shaped: bool) -> str:
    """What the daemon still lacks to be measured on this link; "" when nothing."""
    doc = await status(lab)
    link_bps = plan.LINKS[link].rate_bps
    lacks = [not_flowing(doc)]
    if not any(each["link"] == link and each["carrying"] for each in doc["links"]):
        lacks.append(f"{link} does not carry")
    if bool(doc["qos"]) != shaped:
        lacks.append("QoS" if shaped else "QoS to be gone")
    for line in doc["qos"]:
        rate_bps = line["rate_bps"] or 0
        if line["state"] != "active" or not 0.5 * link_bps < rate_bps <= link_bps:
            lacks.append(f"{line['interface']} is {line['state']} at {rate_bps / 1e6:g} Mbit/s")
    return ", ".join(filter(None, lacks))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement, 3–60 (%(default)g)")
    parser.add_argument("--rounds", type=int, default=3, help="1–20 (%(default)s)")
    parser.add_argument("--user-namespace", action="store_true", help="as for an ordinary user, also when root")
    chosen = parser.parse_args()
    if not (3 <= chosen.seconds <= 60 and 1 <= chosen.rounds <= 20):
        parser.error("--seconds lies within 3–60, --rounds within 1–20")
    within_s = 60 + chosen.rounds * (2 * SWITCHED_WITHIN_S + 4 * (30 + (1 + len(LOADS)) * (chosen.seconds + 5)))
    work = qos(seconds=chosen.seconds, rounds=chosen.rounds, user_namespace=chosen.user_namespace)
    run_bounded(work, within_s=within_s)


if __name__ == "__main__":
    main()
