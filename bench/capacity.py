"""How right edged's figures of a line's bandwidth are, and how soon its ramp gives way.

In the lab, without its services: the product's own far end on node internet, its client in the edge box, pinned to each
link. First trains and ramps on the idle lines, against what the lab's wires carry. Then a ramp on fiber in which a
stream begins (a call's video and audio, between workstation and internet, only the way the load goes: the hardest to
notice). The guard is the product's, on the edge's room side. The time counts from the first packet of the stream that
was late by more than 10 ms or lost, or from its first packet where none was, to the last load packet that left; a tap
on the sender's interface says when, not the product.
"""

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.bounded import BenchFailed, run_bounded
from bench.capacity_figures import Packet, Stopped, error_pct, stopped_after, usual_delay_s, worst_pct
from bench.figures import middle_and_spread
from bench.proc_stat import machine
from bench.table import table
from lab import plan
from lab.client import LabClient, start_lab

FAR, FAR_PORT = "198.51.100.20", 8621  # not 8620: the lab may run a far end of its own there
STREAM_FAR, STREAM_NEAR = "198.51.100.30", "10.77.0.20"
ANSWER_WITHIN_S = 40.0
STREAM_S = 1.5
BEGINS_S = (0.9, 2.0)
"""After the ramp was ordered: between its first high rates and its end."""
QUIET_S = 0.8
"""Between measurements: more than a full queue."""
WAYS = ("up", "down")
TRIES_PER_ROUND = 3

Doc = dict[str, Any]


class Program:
    """A program in a node that answers lines with lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process, self._name = process, name

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(ANSWER_WITHIN_S):
            said = await self._process.stdout.readline()
        if not said:
            raise BenchFailed(f"{self._name} ended by itself")
        return said.decode()

    async def ask(self, line: str) -> Any:
        self.tell(line)
        return json.loads(await self.line())


@asynccontextmanager
async def program(lab: LabClient, node: str, module: str, *words: str, ready: bool = False) -> AsyncIterator[Program]:
    argv = lab.node_command(node, [sys.executable, "-m", module, *words])
    # A session of its own: Ctrl-C is for us, and we end it.
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=1 << 24,  # what an end of the stream heard is one line
    )
    running = Program(process, module)
    try:
        if ready:
            await running.line()
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Reading:
    link: str
    way: str
    method: str
    doc: Doc

    @property
    def error_pct(self) -> float:
        return error_pct(self.doc["rate_bps"], plan.LINKS[self.link].rate_bps)

    @property
    def holds(self) -> bool:
        """Whether the truth lies where the reading says."""
        truth_bps = self.doc["rate_bps"] / (1 + self.error_pct / 100)
        return bool(self.doc["low_bps"] <= truth_bps <= self.doc["high_bps"])


@dataclass(frozen=True, slots=True)
class Stop:
    way: str
    after: Stopped


async def capacity(*, rounds: int, stops: int, user_namespace: bool) -> None:
    before = machine()
    async with start_lab(with_services=False, user_namespace=user_namespace) as lab, AsyncExitStack() as stack:
        key_file = lab.directory / "capacity-bench.key"
        key_file.write_bytes(os.urandom(32).hex().encode())
        words = ("--listen", f"{FAR}:{FAR_PORT}", "--key-file", str(key_file))
        await stack.enter_async_context(program(lab, "internet", "probes.capacity.server", *words))
        clients = {wan.link: await stack.enter_async_context(_client(lab, wan, key_file)) for wan in plan.WANS}
        await asyncio.sleep(1.0)
        readings = await _accuracy(clients, rounds)
        stopped = await _stops(lab, clients["fiber"], stops)
    print(_accuracy_table(readings))
    print()
    print(_stops_table(stopped))
    busy = machine().busy_pct(before)
    print(f"\nmachine {busy:.0f} % busy meanwhile, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(json.dumps(_figures(readings, stopped)), flush=True)


def _client(lab: LabClient, wan: plan.Wan, key_file: Path) -> Any:
    words = ["--link", wan.link, "--source", wan.pin, "--address", FAR, "--port", str(FAR_PORT), "--guard", "lan0"]
    return program(lab, "edge", "bench.capacity_probe", *words, "--key-file", str(key_file))


# ── how right ──────────────────────────────────────────────────────────────────────────────────────────
async def _accuracy(clients: dict[str, Program], rounds: int) -> list[Reading]:
    readings = []
    for number in range(1, rounds + 1):
        for link, client in clients.items():
            for method in ("train", "ramp"):
                for way in WAYS:
                    _say(f"round {number} of {rounds}: {method} {way} {link}")
                    readings.append(Reading(link, way, method, await _figure(client, method, way)))
    return readings


async def _figure(client: Program, method: str, way: str) -> Doc:
    for _ in range(TRIES_PER_ROUND):
        doc: Doc = await client.ask(f"{method} {way}")
        await asyncio.sleep(QUIET_S)
        if "rate_bps" in doc:
            return doc
        _say(f"  no figure: {doc['why']}")
    raise BenchFailed(f"{method} {way}: no figure in {TRIES_PER_ROUND} tries, last {doc['why']}")


# ── how soon it gives way ──────────────────────────────────────────────────────────────────────────────
async def _stops(lab: LabClient, client: Program, stops: int) -> list[Stop]:
    stopped = []
    async with (
        program(lab, "internet", "bench.capacity_stream", "--host", STREAM_FAR, ready=True) as far,
        program(
            lab, "workstation", "bench.capacity_stream", "--host", STREAM_NEAR, "--far", STREAM_FAR, ready=True
        ) as near,
        program(lab, "edge", "bench.capacity_tap", "wan0", str(FAR_PORT), ready=True) as up_tap,
        program(lab, "internet", "bench.capacity_tap", "fiber", str(FAR_PORT), ready=True) as down_tap,
    ):
        usual_s = {way: usual_delay_s(await _stream(near, far, way)) for way in WAYS}
        for number in range(1, stops + 1):
            for way, tap in (("up", up_tap), ("down", down_tap)):
                _say(f"round {number} of {stops}: a stream begins in a ramp {way}")
                stopped.append(await _stop(client, near, far, tap, way, usual_s[way]))
    return stopped


async def _stop(client: Program, near: Program, far: Program, tap: Program, way: str, usual_s: float) -> Stop:
    for _ in range(TRIES_PER_ROUND):
        await tap.ask("forget")
        ramp = asyncio.ensure_future(client.ask(f"ramp {way}"))
        await asyncio.sleep(random.uniform(*BEGINS_S))
        packets = await _stream(near, far, way)
        doc, last_load_s = await ramp, await tap.ask("last")
        await asyncio.sleep(QUIET_S)
        if doc.get("why") == "users_hurt" and last_load_s is not None:
            return Stop(way, stopped_after(packets, usual_s, last_load_s))
        _say(f"  the ramp was over before the stream began: {doc.get('why', 'a figure')}")
    raise BenchFailed(f"no ramp {way} met a stream in {TRIES_PER_ROUND} tries")


async def _stream(near: Program, far: Program, way: str) -> list[Packet]:
    far.tell(f"go {STREAM_S} {way}")
    near_doc, far_doc = await near.ask(f"go {STREAM_S} {way}"), json.loads(await far.line())
    return _packets(near_doc, far_doc) if way == "up" else _packets(far_doc, near_doc)


def _packets(sender: Doc, receiver: Doc) -> list[Packet]:
    heard = dict(receiver["heard"])
    return [Packet(sent_s, heard.get(number)) for number, sent_s in sender["sent"]]


# ── report ─────────────────────────────────────────────────────────────────────────────────────────────
def _accuracy_table(readings: Sequence[Reading]) -> str:
    rows = []
    for link in plan.LINKS:
        for method in ("train", "ramp"):
            for way in WAYS:
                these = [each for each in readings if (each.link, each.method, each.way) == (link, method, way)]
                rows.append([
                    f"{link} {method} {way}",
                    middle_and_spread([each.doc["rate_bps"] / 1e6 for each in these], 2),
                    middle_and_spread([each.error_pct for each in these], 2),
                    f"{sum(each.holds for each in these)}/{len(these)}",
                    f"{median(each.doc['confidence'] for each in these):.2f}",
                    middle_and_spread([each.doc["spent_bytes"] / 1e6 for each in these], 2),
                ])  # fmt: skip
    return table(["", "Mbit/s", "error %", "truth inside", "said", "MB spent"], rows)


def _stops_table(stopped: Sequence[Stop]) -> str:
    rows = []
    for way in WAYS:
        these = [stop for stop in stopped if stop.way == way]
        rows.append([
            f"ramp {way}",
            middle_and_spread([stop.after.hurt_ms for stop in these], 0),
            middle_and_spread([stop.after.begin_ms for stop in these], 0),
            middle_and_spread([stop.after.hurt for stop in these], 0),
            middle_and_spread([stop.after.late_most_ms for stop in these], 0),
        ])  # fmt: skip
    return table(
        ["a stream begins in", "last load after hurt, ms", "after its begin, ms", "packets hurt", "latest, ms"], rows
    )


def _figures(readings: Sequence[Reading], stopped: Sequence[Stop]) -> dict[str, float]:
    """The worst of all rounds and both directions."""
    errors = {
        f"{link}_{method}_err_pct": round(
            worst_pct([each.error_pct for each in readings if (each.link, each.method) == (link, method)]), 2
        )
        for method in ("train", "ramp")
        for link in plan.LINKS
    }
    return errors | {"ramp_stop_ms": round(max(stop.after.hurt_ms for stop in stopped), 1)}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of trains and ramps, 1–20 (%(default)s)")
    parser.add_argument("--stops", type=int, default=5, help="ramps each way that a stream meets, 1–20 (%(default)s)")
    parser.add_argument("--user-namespace", action="store_true", help="as for an ordinary user, also when root")
    chosen = parser.parse_args()
    if not (1 <= chosen.rounds <= 20 and 1 <= chosen.stops <= 20):
        parser.error("--rounds and --stops lie within 1–20")
    work = capacity(rounds=chosen.rounds, stops=chosen.stops, user_namespace=chosen.user_namespace)
    run_bounded(work, within_s=60 + TRIES_PER_ROUND * (60 * chosen.rounds + 20 * chosen.stops))


if __name__ == "__main__":
    main()
