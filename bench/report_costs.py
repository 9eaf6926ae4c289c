"""What reporting costs the disk, memory and the line at rest.

Bytes written are the kernel's own count for a process that does nothing else (proc(5), `write_bytes` of /proc/PID/io):
pages made dirty and written, journal of the file system not included. Bytes on the line are those of the real daemon on
the calm site, by the kernel's count for its connection (TCP_INFO, as ss(8) shows it) with 52 bytes of headers for each
segment; TLS would add 29 bytes a record.
"""

import asyncio
import multiprocessing
import re
import subprocess
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from bench.bounded import BenchFailed
from bench.footprint import not_well
from bench.proc_stat import usage_of
from bench.report_peers import Consumer, Mosquitto
from bench.report_site import EVENTS_PER_S, ORIGIN, Plan, event, live
from bench.site import daemon_with, status, until
from bench.table import table
from edged.clock import SystemClock
from edged.record.settings import RecordSettings
from edged.record.store import Store
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for

SINGLES, BATCHES, BATCH = 600, 40, 50
SETTLES_S, AT_REST_S = 15.0, 120.0
SEGMENT_HEADERS = 52
"""IPv4, TCP and its time stamps."""
WELL_WITHIN_S = 30.0
BUSY_S = 8.0


@dataclass(frozen=True, slots=True)
class Written:
    """By appends of so many events at a time."""

    at_once: int
    bytes_per_event: float
    events_per_s: float
    event_bytes: float


async def costs(directory: Path) -> dict[str, float | int | None]:
    alone = await asyncio.to_thread(_apart, directory / "singles", SINGLES, 1)
    batch = await asyncio.to_thread(_apart, directory / "batches", BATCHES, BATCH)
    rss_mib = await _memory(directory)
    line = await _at_rest()
    print(
        "\n"
        + table(("durable appends", "bytes written/event", "events/s", "event, bytes"), [*map(_row, (alone, batch))])
    )
    print(f"\non {_file_system(directory)}, synchronous=FULL")
    print(f"the site's process (record, backlog, reporter; {EVENTS_PER_S:.0f} events/s): {rss_mib:.0f} MiB resident")
    day_mb, up_pct = line.bytes_per_day / 1e6, line.share_up_pct
    print(f"on the line at rest: {day_mb:.1f} MB a day, {up_pct:.0f} % of it up, over {line.seconds:.0f} s")
    return {
        "bytes_per_event_single": round(alone.bytes_per_event),
        "bytes_per_event_batch": round(batch.bytes_per_event),
        "events_per_s": round(alone.events_per_s),
    }


def _row(its: Written) -> list[str]:
    name = "one at a time" if its.at_once == 1 else f"{its.at_once} at a time"
    return [name, f"{its.bytes_per_event:.0f}", f"{its.events_per_s:.0f}", f"{its.event_bytes:.0f}"]


# ── the disk ───────────────────────────────────────────────────────────────────────────────────────────
def _apart(directory: Path, times: int, at_once: int) -> Written:
    """In a process of its own, so that nobody else's bytes are counted."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("forkserver").Process(
        target=_append, args=(directory, times, at_once, theirs), daemon=True
    )
    process.start()
    if not ours.poll(120):
        process.kill()
        raise BenchFailed(f"{times} appends took more than two minutes")
    found: Written = ours.recv()
    process.join()
    return found


def _append(directory: Path, times: int, at_once: int, answer: Connection) -> None:
    answer.send(asyncio.run(_appends(directory, times, at_once)))


async def _appends(directory: Path, times: int, at_once: int) -> Written:
    store = await Store.open(directory, origin=ORIGIN, clock=SystemClock(), settings=RecordSettings())
    written, began_s, size = _own_writes(), time.monotonic(), 0
    for turn in range(times):
        rows = await store.append([event(f"{turn}.{number}", tier=number % 2 == 0) for number in range(at_once)])
        size += sum(len(row.body) for row in rows if row.durable)
    took_s, events = time.monotonic() - began_s, times * at_once
    written = _own_writes() - written
    await store.close()
    return Written(at_once, written / events, events / took_s, size / events)


def _own_writes() -> int:
    return writes(Path("/proc/self/io").read_text())


def writes(io: str) -> int:
    """proc_pid_io(5)."""
    facts = dict(line.split(": ") for line in io.splitlines())
    return int(facts["write_bytes"]) - int(facts["cancelled_write_bytes"])


def _file_system(directory: Path) -> str:
    said = subprocess.run(
        ["findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", str(directory)],
        check=True,
        capture_output=True,
        text=True,
    )
    return " of ".join(said.stdout.split())


# ── memory ─────────────────────────────────────────────────────────────────────────────────────────────
async def _memory(directory: Path) -> float:
    broker = Mosquitto(directory)
    consumer = Consumer(directory, [broker.address])
    plan = Plan(directory / "site", (broker.address,), directory / "oracle", directory / "site.log", "memory", seed=1)
    site = multiprocessing.get_context("spawn").Process(target=live, args=(plan,), daemon=True)
    broker.start()
    consumer.start()
    site.start()
    try:
        await asyncio.sleep(BUSY_S)
        if site.pid is None or not site.is_alive():
            raise BenchFailed("the site ended by itself")
        return usage_of(site.pid).rss_mib
    finally:
        site.kill()
        consumer.stop()
        broker.stop()


# ── the line ───────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Carried:
    """By one TCP connection since it was made."""

    up_bytes: int
    down_bytes: int


@dataclass(frozen=True, slots=True)
class Line:
    seconds: float
    up_bytes: int
    down_bytes: int

    @property
    def bytes_per_day(self) -> float:
        return (self.up_bytes + self.down_bytes) * 86_400 / self.seconds

    @property
    def share_up_pct(self) -> float:
        return 100 * self.up_bytes / (self.up_bytes + self.down_bytes)


async def _at_rest() -> Line:
    async with start_lab() as lab, daemon_with(lab, toml_for(lab.directory)):
        await until("the site is well", lambda: _missing(lab), within_s=WELL_WITHIN_S)
        await asyncio.sleep(SETTLES_S)
        before, began_s = await _carried(lab), time.monotonic()
        await asyncio.sleep(AT_REST_S)
        after, seconds = await _carried(lab), time.monotonic() - began_s
        return Line(seconds, after.up_bytes - before.up_bytes, after.down_bytes - before.down_bytes)


async def _missing(lab: LabClient) -> str:
    return not_well(await status(lab))


async def _carried(lab: LabClient) -> Carried:
    argv = lab.node_command("edge", ["ss", "-tinH", "state", "established", "dport = :1883"])
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return carried(said.decode())


def carried(ss: str) -> Carried:
    """From what `ss -ti` says of one connection. Raises BenchFailed where it says nothing."""
    facts = {name: int(value) for name, value in re.findall(r"\b(\w+):(\d+)\b", ss)}
    try:
        up = facts.get("bytes_sent", facts.get("bytes_acked", 0)) + SEGMENT_HEADERS * facts["segs_out"]
        return Carried(up, facts.get("bytes_received", 0) + SEGMENT_HEADERS * facts["segs_in"])
    except KeyError as error:
        raise BenchFailed(f"ss says nothing of the connection to the broker: {ss[:200]!r}") from error
