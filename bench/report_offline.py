"""Three days without a line, on an accelerated clock, and the return over a line of 1 Mbit/s.

The real record and backlog take what a site of two links, two UPSes and two shapers has to say; then the real reporter
tells it to a real mosquitto and the kit's consumer, while tier events go on being raised.
"""

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import percentile
from bench.report_peers import Consumer, Mosquitto
from bench.report_site import BIRTH, ORIGIN, settings_for
from bench.report_talk import links, log_event, mark_of, shapers, tier_event, upses
from bench.report_wire import Wire, most_bps, slow_line
from bench.table import table
from edged.clock import ClockQuality
from edged.record import backlog as backlog_module
from edged.record.backlog import Backlog, BacklogSettings
from edged.record.settings import RecordSettings
from edged.record.store import Store
from edged.report.mqtt import Reporter
from edged.telemetry import EVERY_S, SLOW_S

HOURS = 72
LIMIT_MIB = 64
TIER_EVERY_S, LOG_EVERY_S = 600.0, 120.0
LINE_BPS = 1e6
LIVE_EVERY_S = 0.5
REPLAY_WITHIN_S = 400.0
WINDOW_S = 10.0
WAITING = 40


@dataclass
class FastClock:
    """Stands where it is put, until it `runs`."""

    monotonic_s: float = 1000.0
    wall_s: float = field(default_factory=lambda: time.time() - 3600 * HOURS)
    _from_s: float | None = None

    def run(self) -> None:
        self._from_s = time.monotonic()

    def pass_by(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds

    def _ran_s(self) -> float:
        return 0.0 if self._from_s is None else time.monotonic() - self._from_s

    def monotonic(self) -> float:
        return self.monotonic_s + self._ran_s()

    def wall(self) -> float:
        return self.wall_s + self._ran_s()

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED


async def offline(directory: Path) -> dict[str, float | int | None]:
    clock = FastClock()
    backlog_module.GENTLY_S = 0.001  # housekeeping waits by the loop's clock, which is not accelerated
    state = directory / "state"
    store = await Store.open(state, origin=ORIGIN, clock=clock, settings=RecordSettings())
    backlog = await Backlog.open(state, origin=ORIGIN, clock=clock, settings=BacklogSettings())
    try:
        tier_events = await _three_days(store, backlog, clock)
        await asyncio.sleep(2)  # housekeeping comes to an end
        _tell_kept(store, backlog, tier_events, state)
        clock.run()
        await _return(directory, store, backlog, clock)
    finally:
        await backlog.close()
        await store.close()
    return {}


# ── away ───────────────────────────────────────────────────────────────────────────────────────────────
async def _three_days(store: Store, backlog: Backlog, clock: FastClock) -> int:
    chance, tier_events = random.Random(72), 0
    for step in range(int(HOURS * 3600 / EVERY_S)):
        clock.pass_by(EVERY_S)
        at_s = step * EVERY_S
        backlog.put("links", links(chance))
        if at_s % SLOW_S == 0:
            backlog.put("ups", upses(chance))
            backlog.put("qos", shapers(chance))
        if at_s % TIER_EVERY_S == 0:
            tier_events += 1
            await store.append([tier_event(f"away.{step}", clock.monotonic())])
        elif at_s % LOG_EVERY_S == 0:
            await store.append([log_event(f"away.{step}", clock.monotonic())])
        while backlog.status().waiting > WAITING:  # noqa: ASYNC110 - the disk is slower than this clock
            await asyncio.sleep(0.001)
    return tier_events


def _tell_kept(store: Store, backlog: Backlog, tier_events: int, state: Path) -> None:
    record, kept = store.status(), backlog.status()
    mib = sum(file.stat().st_size for file in state.iterdir()) / (1 << 20)
    rows = [
        ["tier events", str(tier_events), str(record.pending_tier)],
        ["log events waiting", "–", str(record.pending_log)],
        ["telemetry told coarser", "–", str(kept.downsampled)],
        ["telemetry evicted", "–", str(kept.evicted)],
        ["batches", "–", str(kept.batches)],
        ["MiB on the disk", f"≤ {LIMIT_MIB}", f"{mib:.1f}"],
    ]
    print("\n" + table((f"{HOURS} h offline", "wanted", "kept"), rows))


# ── back ───────────────────────────────────────────────────────────────────────────────────────────────
async def _return(directory: Path, store: Store, backlog: Backlog, clock: FastClock) -> None:
    broker = Mosquitto(directory)
    consumer = Consumer(directory, [broker.address])
    broker.start()
    consumer.start()
    await asyncio.to_thread(consumer.listens)
    raised: dict[str, float] = {}
    try:
        async with slow_line(broker.port, LINE_BPS) as (port, wire):
            settings = settings_for([f"127.0.0.1:{port}"])
            reporter = Reporter(
                store,
                settings,
                origin=ORIGIN,
                clock=clock,
                birth=BIRTH,
                snapshots=dict,
                emit=lambda _: None,
                backlog=backlog,
            )
            began_s = time.monotonic()
            tasks = [asyncio.create_task(each) for each in (reporter.run(), _go_on(store, clock, raised))]
            try:
                whole = await _replayed(store, backlog, began_s)
            finally:
                for task in reversed(tasks):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        arrivals = await asyncio.to_thread(_arrivals, consumer)
    finally:
        consumer.stop()
        broker.stop()
    _tell_return(whole, time.monotonic() - began_s, wire, arrivals, raised)


async def _go_on(store: Store, clock: FastClock, raised: dict[str, float]) -> None:
    """Tier events, as long as the replay takes."""
    number = 0
    while True:
        await asyncio.sleep(LIVE_EVERY_S)
        mark = f"live.{number}"
        raised[mark] = time.time()
        await store.append([tier_event(mark, clock.monotonic())])
        number += 1


async def _replayed(store: Store, backlog: Backlog, began_s: float) -> bool:
    """Whether all of it went out in time."""
    while time.monotonic() - began_s < REPLAY_WITHIN_S:
        await asyncio.sleep(0.5)
        if store.status().pending_log == 0 and backlog.status().batches == 0 and backlog.status().waiting == 0:
            await asyncio.sleep(2)  # the last live events arrive
            return True
    return False


@dataclass(frozen=True, slots=True)
class Arrival:
    mark: str
    tier: bool
    arrived_s: float


def _arrivals(consumer: Consumer) -> list[Arrival]:
    base = sqlite3.connect(consumer.database, timeout=10)
    try:
        rows = base.execute("SELECT body, type, arrived_s FROM event").fetchall()
    finally:
        base.close()
    return [Arrival(mark_of(json.loads(body)), kind.startswith("tier."), at_s) for body, kind, at_s in rows]


def _tell_return(
    whole: bool, took_s: float, wire: Wire, arrivals: Sequence[Arrival], raised: Mapping[str, float]
) -> None:
    away = [each for each in arrivals if each.mark.startswith("away.")]
    tier_s = max((each.arrived_s for each in away if each.tier), default=0.0)
    log_s = min((each.arrived_s for each in away if not each.tier), default=0.0)
    live = [each for each in arrivals if each.mark in raised]
    behind_s = [each.arrived_s - raised[each.mark] for each in live if raised[each.mark] < tier_s]
    live_s = [each.arrived_s - raised[each.mark] for each in live if raised[each.mark] >= tier_s]
    steady = wire.up[len(wire.up) // 10 :]
    rows = [
        ["replayed whole", "yes", "yes" if whole else f"not within {REPLAY_WITHIN_S:.0f} s"],
        ["took s", "–", f"{took_s:.0f}"],
        ["tier events of those days before the rest", "yes", "yes" if tier_s <= log_s else "NO"],
        ["tier events of those days at the NOC", "–", str(sum(each.tier for each in away))],
        ["kbit/s up, mean", f"≤ {LINE_BPS / 1e3:.0f}", f"{8 * sum(size for _, size in wire.up) / took_s / 1e3:.0f}"],
        [f"kbit/s up, worst {WINDOW_S:.0f} s after the start", "–", f"{most_bps(steady, WINDOW_S) / 1e3:.0f}"],
        ["live tier events behind those", "–", str(len(behind_s))],
        ["the slowest of them, ms", "–", f"{1000 * max(behind_s):.0f}" if behind_s else "–"],
        ["live tier events during the rest", "–", str(len(live_s))],
        ["their p99 to the NOC, ms", "< 1000", f"{1000 * percentile(live_s, 99):.0f}" if live_s else "–"],
    ]
    print("\n" + table(("the return, over 1 Mbit/s", "wanted", "found"), rows))
