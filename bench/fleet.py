"""How many events a second a fleet of sites can bring to the NOC through one mosquitto, and how soon it is back when
the broker dies.

Every site is the daemon's own record, backlog and reporter; all of them live in this process, so its CPU is the fleet's
and not a site's. Tier events come as a Poisson process over all sites. Latency counts from the moment an event was due
to the moment its site knew that the NOC holds it: a fleet that cannot keep pace counts as late. A rate is sustained
when its 99th percentile stays below a second and the queue does not grow. Fleet, broker and consumer share the machine.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from random import Random

import structlog

from bench.bounded import run_bounded
from bench.figures import percentile
from bench.fleet_broker import Broker
from bench.fleet_consumer import Consumer, kit, light
from bench.fleet_crowd import Crowd
from bench.fleet_figures import Ladder, Name, growth_per_s, matched, sustained
from bench.fleet_profile import profile_table, profiled
from bench.fleet_room import Place, place_for, raise_limit
from bench.fleet_site import TENANT
from bench.fleet_storm import Storm, storm
from bench.fleet_usage import Shares, Watch
from bench.proc_stat import usage_of
from bench.table import table

FIRST_PER_S = 25.0
CONNECTS_PER_S = 100.0
CONNECT_WITHIN_S = 120.0
LEAST_EVENTS = 20.0
"""Of one step: fewer have no 99th percentile to speak of."""
IDLE_S = 15.0
PROFILE_S = 10.0
SETTLING_S = 1.0
"""Every queue grows at first: from none to the usual one."""
DRAIN_S = 30.0
END_S = 60.0
STORM_S = 150.0
"""Kept back of the time allowed for what comes after the steps."""
STORM_LOAD = 0.25
"""Of the sustained rate: what goes on happening at the sites while their broker is gone."""


@dataclass(frozen=True, slots=True)
class Step:
    offered_per_s: float
    taken_per_s: float
    arrived_s: float
    """99 of 100 were at the consumer within this."""
    p50_s: float
    p99_s: float
    growth: float
    shares: Shares
    held: bool

    def row(self) -> tuple[str, ...]:
        times = (f"{1e3 * each:.0f}" for each in (self.arrived_s, self.p50_s, self.p99_s))
        rates = f"{self.offered_per_s:.0f}", f"{self.taken_per_s:.1f}"
        return *rates, *times, f"{self.growth:.1f}", *self.shares.row(), "yes" if self.held else "no"


HEAD = (
    *("offered/s", "taken/s", "arrived p99 ms", "p50 ms", "p99 ms", "queue +/s"),
    *("sites CPU %", "of it records", "mosquitto", "consumer", "machine", "sustained"),
)


class Fleet:
    def __init__(self, crowd: Crowd, broker: Broker, consumer: Consumer, *, over_s: float) -> None:
        self._crowd, self._broker, self._consumer, self._over_s = crowd, broker, consumer, over_s
        self._held: dict[Name, float] = {}
        self.steps: list[Step] = []

    async def find_the_rate(self, step_s: float) -> Step | None:
        """The best step of a ladder of them; None if not even the least rate was sustained."""
        ladder = Ladder(FIRST_PER_S, least_per_s=LEAST_EVENTS / step_s)
        while ladder.offer is not None and self._crowd.now_s() + step_s + DRAIN_S + STORM_S < self._over_s:
            step = await self._step(ladder.offer, step_s)
            self.steps.append(step)
            say("  ".join(f"{name} {figure}" for name, figure in zip(HEAD, step.row(), strict=True)))
            ladder.answer(step.offered_per_s, held=step.held)
        good = [step for step in self.steps if step.held]
        return max(good, key=lambda step: step.offered_per_s, default=None)

    async def idle(self, seconds: float) -> Shares:
        watch = await self._watch()
        await asyncio.sleep(seconds)
        return await watch.shares()

    async def _step(self, rate_per_s: float, seconds: float) -> Step:
        watch = await self._watch()
        load = await self._crowd.load(rate_per_s, seconds)
        shares = await watch.shares()
        drained = await self._crowd.soon(lambda: not self._crowd.waiting, within_s=DRAIN_S)
        await self.ask_what_is_held()
        arrived = matched(load.due_s, self._held).latencies_s
        known = matched(load.due_s, self._crowd.acknowledged_s).latencies_s
        p50_s, p99_s = percentile(known, 50), percentile(known, 99)
        growth = growth_per_s([each for each in load.queue if each[0] > load.queue[0][0] + SETTLING_S])
        good = sustained(offered_per_s=rate_per_s, p99_s=p99_s, growth=growth)
        over_s = load.queue[0][0] + load.seconds
        taken = sum(self._held.get(name, over_s) < over_s for name in load.due_s)
        return Step(
            offered_per_s=rate_per_s,
            taken_per_s=taken / load.seconds,
            arrived_s=percentile(arrived, 99),
            p50_s=p50_s,
            p99_s=p99_s,
            growth=growth,
            shares=shares,
            held=good and drained and not load.given_up,
        )

    async def lost(self) -> int:
        """Once every site knows that the NOC holds everything: what it does not hold. Raises BenchFailed if that does
        not come about.
        """
        await self._crowd.until(lambda: not self._crowd.waiting, "everything is acknowledged", within_s=END_S)
        await self.ask_what_is_held()
        return len(matched(self._crowd.due_s, self._held).missing)

    async def ask_what_is_held(self) -> None:
        self._held |= await self._consumer.held()

    async def _watch(self) -> Watch:
        return await Watch.begin(os.getpid(), self._broker.pid, self._consumer.pid, self._crowd.record_cpu_s)


Work = Callable[[Crowd, Broker, Consumer, Place], Awaitable[None]]


async def with_a_crowd(work: Work, *, sites: int, noc: str) -> None:
    """Broker, consumer and sites, all connected; taken down afterwards. Raises BenchFailed."""
    _quiet()
    limit = raise_limit()
    with place_for(sites) as place:
        async with Broker(place.directory / "broker") as broker, _consumer(noc, broker, place) as consumer:
            crowd = Crowd(place.directory, port=broker.port, chance=Random())
            try:
                say(f"opening {sites} records ({place.kind})")
                await crowd.open(sites, limit=limit)
                say("connecting")
                await crowd.connect(spread_s=sites / CONNECTS_PER_S, within_s=CONNECT_WITHIN_S)
                await work(crowd, broker, consumer, place)
            finally:
                say("taking it down")
                await crowd.close()


def _consumer(noc: str, broker: Broker, place: Place) -> AbstractAsyncContextManager[Consumer]:
    if noc == "kit":
        return kit(place.directory, port=broker.port, tenant=TENANT)
    return light(port=broker.port, tenant=TENANT)


async def _measure(
    crowd: Crowd, broker: Broker, consumer: Consumer, place: Place, *, minutes: float, step_s: float
) -> None:
    whole, sites = Fleet(crowd, broker, consumer, over_s=crowd.now_s() + 60 * minutes), len(crowd.sites)
    idle = await whole.idle(IDLE_S)
    per_site_kib = 1024 * (usage_of(os.getpid()).rss_mib - crowd.before_mib) / sites
    best = await whole.find_the_rate(step_s)
    print(table(HEAD, [("0", "", "", "", "", "", *idle.row(), ""), *(step.row() for step in whole.steps)]))
    print(_said(crowd, consumer, place, per_site_kib), flush=True)
    say("mosquitto is killed, and started again")
    after = await storm(crowd, broker, rate_per_s=max(1.0, STORM_LOAD * (best.offered_per_s if best else 0)))
    print(_storm_said(after, sites))
    print(json.dumps(_figures(sites, best, await whole.lost())), flush=True)


async def _profile(crowd: Crowd, _broker: Broker, _consumer: Consumer, _place: Place, *, rate_per_s: float) -> None:
    """At rest, then under load: each first bare, for the truth, then profiled, for the shares."""
    sites = len(crowd.sites)
    for rate, name in ((0.0, "at rest"), (rate_per_s, f"at {rate_per_s:g} events/s")):
        records_s, loop_s = await crowd.record_cpu_s(), time.thread_time()
        await _busy(crowd, rate)
        loop_us = 1e6 * (time.thread_time() - loop_s) / PROFILE_S / sites
        records_us = 1e6 * (await crowd.record_cpu_s() - records_s) / PROFILE_S / sites
        print(f"\n{name}, not profiled: loop {loop_us:.0f} and records {records_us:.0f} µs a second for each site")
        found = await profiled(_busy(crowd, rate))
        print(profile_table(found, seconds=PROFILE_S, sites=sites, events=round(rate * PROFILE_S)), flush=True)


async def _busy(crowd: Crowd, rate_per_s: float) -> None:
    await (crowd.load(rate_per_s, PROFILE_S) if rate_per_s else asyncio.sleep(PROFILE_S))


def _said(crowd: Crowd, consumer: Consumer, place: Place, per_site_kib: float) -> str:
    sites, files = len(crowd.sites), crowd.files
    lines = [
        f"\n{sites} sites in one process, one mosquitto and a consumer share {os.cpu_count()} cores; load of the "
        f"machine {os.getloadavg()[0]:.1f}. Percents are of one core, the machine's of all.",
        f"consumer: {consumer.name}; records on {place.kind}; {files.whole if files else 0} open files and "
        f"{per_site_kib:.0f} KiB a site",
    ]
    if crowd.backlogs < sites:
        lines.append(
            f"only {crowd.backlogs} sites have a backlog and tell measurements: this process may not open more files "
            "(ulimit -Hn)"
        )
    if crowd.not_durable:
        lines.append(f"{crowd.not_durable} events were not on the disk when that was asked; they are not looked for")
    return "\n".join(lines)


def _storm_said(after: Storm, sites: int) -> str:
    return (
        f"broker killed for {after.away_s:.0f} s while {after.raised} events happened: half of {sites} sites back "
        f"{after.half_back_s:.1f} s after it was, 99 % {after.most_back_s:.1f} s, all {after.all_back_s:.1f} s, "
        f"everything acknowledged {after.acknowledged_s:.1f} s"
    )


def _figures(sites: int, best: Step | None, lost: int) -> dict[str, float | None]:
    return {
        "sites": sites,
        "events_per_s": round(best.taken_per_s, 1) if best else 0,
        "p99_ms": round(1e3 * best.p99_s, 1) if best else None,
        "lost": lost,
    }


def _quiet() -> None:
    """Two thousand daemons would each tell of every connection."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=2000, help="1–5000 (%(default)s)")
    parser.add_argument("--minutes", type=float, default=8.0, help="at most, 4–60 (%(default)g)")
    parser.add_argument("--noc", choices=("kit", "light"), default="kit", help="the consumer (%(default)s)")
    parser.add_argument("--step-s", type=float, default=15.0, help="length of one step, 5–120 (%(default)g)")
    parser.add_argument("--profile", type=float, metavar="EVENTS_PER_S", help="instead: whose CPU it is, at this rate")
    chosen = parser.parse_args()
    if not (1 <= chosen.sites <= 5000 and 4 <= chosen.minutes <= 60 and 5 <= chosen.step_s <= 120):
        parser.error("--sites lies within 1–5000, --minutes within 4–60, --step-s within 5–120")
    work: Work = partial(_measure, minutes=chosen.minutes, step_s=chosen.step_s)
    if chosen.profile:
        work = partial(_profile, rate_per_s=chosen.profile)
    run_bounded(with_a_crowd(work, sites=chosen.sites, noc=chosen.noc), within_s=60 * chosen.minutes + CONNECT_WITHIN_S)


if __name__ == "__main__":
    main()
