"""How soon edged knows, and how often it is wrong.

Live: the real daemon on the lab's site while fiber is cut, slowed and made lossy. Simulated, with the real detector:
the same beside what others do, false alarms, gray failures. See docs/decisions/0009-detection.md for the arithmetic.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.pool import Pool
from typing import Any, TypeVar

from bench.bounded import BenchFailed, run_bounded
from bench.detect_alarms import Alarms, watch
from bench.detect_compare import Compared, compare
from bench.detect_gray import delay_step, gray
from bench.detect_live import Wanted, live
from bench.detect_report import (
    MARKS_TEXT,
    Figures,
    alarm_figures,
    alarms_text,
    compared_figures,
    gray_text,
    limits_text,
    live_figures,
    live_text,
    ordered,
    shipped_text,
    tuned_text,
)
from bench.outcomes import REGIMES, Bursts, Regime

T = TypeVar("T")

PARTS = ("live", "cpu", "compare", "alarms", "gray")
LOOSER = {1e-3: 0.5, 1e-4: 2.0, 1e-5: 4.0}
"""α per probe → simulated hours."""
GRAY_ROUNDS, MORE_ROUNDS = 200, 60
_CPU_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Chosen:
    parts: tuple[str, ...]
    live: Wanted
    rounds: int
    hours: float
    bursts: tuple[Bursts, ...]
    seed: int

    @property
    def within_s(self) -> float:
        """Several times what it takes on two quiet cores."""
        simulated = 600 + 40 * self.hours * len(self.bursts) + 3 * self.rounds
        return 60 + (self.live.within_s if "live" in self.parts else 0) + _CPU_WITHIN_S + simulated

    @property
    def lines(self) -> list[tuple[Regime, Bursts]]:
        """Independent loss is the same whatever a burst is."""
        return [(regime, kind) for kind in self.bursts for regime in REGIMES if regime.q or kind is self.bursts[0]]


class Jobs:
    """Simulations, on all cores, each a function of plain arguments."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def each(self, function: Callable[..., T], arguments: list[tuple[Any, ...]], **options: Any) -> list[T]:
        return list(await asyncio.gather(*(self._one(function, its, options) for its in arguments)))

    async def _one(self, function: Callable[..., T], arguments: tuple[Any, ...], options: dict[str, Any]) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def succeeded(result: T) -> None:
            loop.call_soon_threadsafe(done.set_result, result)

        def failed(error: BaseException) -> None:
            loop.call_soon_threadsafe(done.set_exception, error)

        self._pool.apply_async(function, arguments, options, callback=succeeded, error_callback=failed)
        return await done


async def detect(chosen: Chosen) -> None:
    figures: Figures = {}
    if "live" in chosen.parts:
        found = await live(chosen.live)
        _print(live_text(found))
        figures |= live_figures(found)
    if "cpu" in chosen.parts:
        figures["cpu_pct"] = await _cpu_pct()
    # The pool's end takes its processes down, also in the middle of their work.
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), initializer=_deaf) as pool:
        jobs = Jobs(pool)
        for part, work in {"compare": _compare, "alarms": _alarms, "gray": _gray}.items():
            if part in chosen.parts:
                _say(f"simulating: {part}")
                figures = await work(jobs, chosen) | figures  # what was measured live counts
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(limits_text(figures))
    print(json.dumps(ordered(figures)), flush=True)


async def _compare(jobs: Jobs, chosen: Chosen) -> Figures:
    asked = [(regime, kind, REGIMES, chosen.rounds, chosen.seed) for regime, kind in chosen.lines]
    compared: list[Compared] = await jobs.each(compare, asked)
    for kind in chosen.bursts:
        of_kind = [each for each in compared if each.bursts is kind]
        _print(f"Bursts by {kind}, 1 % of all probes lost\n\n{shipped_text(of_kind)}\n{MARKS_TEXT}")
        _print(tuned_text(of_kind))
    return compared_figures(compared)


async def _alarms(jobs: Jobs, chosen: Chosen) -> Figures:
    looser: list[Alarms] = []
    for alpha, hours in LOOSER.items():
        asked = [(*line, hours, chosen.seed) for line in chosen.lines]
        looser += await jobs.each(watch, asked, alpha=alpha)
    days: list[Alarms] = []
    if chosen.hours:
        days = await jobs.each(watch, [(*line, chosen.hours, chosen.seed) for line in chosen.lines])
    _print(alarms_text(looser, days))
    return alarm_figures(looser, days)


async def _gray(jobs: Jobs, chosen: Chosen) -> Figures:
    usual = REGIMES[0]
    asked: dict[str, tuple[Any, ...]] = {"loss 1 → 10 %": (usual, 0.10, GRAY_ROUNDS, chosen.seed)}
    asked |= {f"loss 1 → {worse:.0%}": (usual, worse, MORE_ROUNDS, chosen.seed) for worse in (0.05, 0.20)}
    asked |= {f"loss 1 → 10 %, {each.name}": (each, 0.10, MORE_ROUNDS, chosen.seed) for each in REGIMES[1:]}
    grays = dict(zip(asked, await jobs.each(gray, list(asked.values())), strict=True))
    jitters = {f"delay + 100 ms, jitter {1000 * jitter_s:.0f} ms": jitter_s for jitter_s in (0.0, 0.010)}
    stepped = await jobs.each(delay_step, [(0.1, jitter_s, 20, chosen.seed) for jitter_s in jitters.values()])
    steps = dict(zip(jitters, stepped, strict=True))
    _print(gray_text(grays, steps))
    took_s = grays["loss 1 → 10 %"]
    return {
        "gray_1_10_mean_s": round(sum(took_s) / len(took_s), 2),
        "gray_p95_s": round(sorted(took_s)[int(0.95 * len(took_s))], 2),
        "delay_step_s": round(max(map(max, stepped)), 2),
    }


async def _cpu_pct() -> float:
    """Of one core, of probing two links × three targets at session pace on loopback: what `bench probing` says."""
    _say("what probing costs")
    probing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.probing"), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(_CPU_WITHIN_S):
            said, _ = await probing.communicate()
    finally:
        if probing.returncode is None:
            probing.terminate()
            await probing.wait()
    *shown, last = said.decode().splitlines() or [""]
    if probing.returncode or not last:
        raise BenchFailed("bench probing did not end well")
    _print("\n".join(shown))
    return float(json.loads(last)["session_cpu_pct"])


def _deaf() -> None:
    """Ctrl-C is for the bench, which ends its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _print(text: str) -> None:
    print(f"{text}\n", flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def chosen_by(arguments: list[str]) -> Chosen:
    """Exits with what is wrong about them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help="some of %(default)s")
    parser.add_argument("--cuts", type=int, default=60, help="live, in a session, 1–500 (%(default)s)")
    parser.add_argument("--calm-cuts", type=int, default=15, help="live, without one, 0–500 (%(default)s)")
    parser.add_argument("--steps", type=int, default=5, help="of delay, live, 0–100 (%(default)s)")
    parser.add_argument("--grays", type=int, default=2, help="gray failures, live, 0–20 (%(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=300, help="simulated cuts per line and rule, 20–5000 (%(default)s)"
    )
    parser.add_argument("--hours", type=float, default=24.0, help="simulated per line as shipped, 0–1000 (%(default)g)")
    parser.add_argument("--bursts", choices=("both", *Bursts), default="both", help="what lasts (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (%(default)s)")
    given = parser.parse_args(arguments)
    parts = tuple(given.parts.split(","))
    if not set(parts) <= set(PARTS):
        parser.error(f"--parts are some of {', '.join(PARTS)}")
    bounds = {"cuts": (1, 500), "calm_cuts": (0, 500), "steps": (0, 100), "grays": (0, 20), "rounds": (20, 5000)}
    for name, (least, most) in (bounds | {"hours": (0, 1000)}).items():
        if not least <= getattr(given, name) <= most:
            parser.error(f"--{name.replace('_', '-')} lies within {least}–{most}")
    kinds = tuple(Bursts) if given.bursts == "both" else (Bursts(given.bursts),)
    wanted = Wanted(given.cuts, given.calm_cuts, given.steps, given.grays, given.seed)
    return Chosen(parts, wanted, given.rounds, given.hours, kinds, given.seed)


def main() -> None:
    chosen = chosen_by(sys.argv[1:])
    run_bounded(detect(chosen), within_s=chosen.within_s)


if __name__ == "__main__":
    main()
