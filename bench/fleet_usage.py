"""Whose CPU a stretch of time was: the sites' process, the broker's, the consumer's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from bench.proc_stat import Machine, Usage, machine, usage_of


@dataclass(frozen=True, slots=True)
class Shares:
    """Per cent of one core; the machine's of all of them."""

    sites_pct: float
    records_pct: float
    """Of `sites_pct`: the threads the records live in."""
    broker_pct: float
    consumer_pct: float
    machine_pct: float

    def row(self) -> tuple[str, ...]:
        figures = (self.sites_pct, self.records_pct, self.broker_pct, self.consumer_pct, self.machine_pct)
        return tuple(f"{figure:.0f}" for figure in figures)


@dataclass(frozen=True, slots=True)
class Watch:
    """Begun now, read later."""

    record_cpu_s: Callable[[], Awaitable[float]]
    began_s: float
    machine: Machine
    used: tuple[Usage, ...]
    record_s: float
    pids: tuple[int, ...]

    @classmethod
    async def begin(
        cls, sites: int, broker: int, consumer: int, record_cpu_s: Callable[[], Awaitable[float]]
    ) -> "Watch":
        pids = sites, broker, consumer
        used = tuple(usage_of(pid) for pid in pids)
        return cls(record_cpu_s, monotonic(), machine(), used, await record_cpu_s(), pids)

    async def shares(self) -> Shares:
        used = [usage_of(pid).cpu_pct(before) for pid, before in zip(self.pids, self.used, strict=True)]
        busy = machine().busy_pct(self.machine)
        record_s = await self.record_cpu_s() - self.record_s
        sites, broker, consumer = used
        return Shares(sites, 100 * record_s / (monotonic() - self.began_s), broker, consumer, busy)
