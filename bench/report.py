"""Is anything lost on its way to the NOC? The real record and reporter, a real mosquitto and the kit's consumer, all of
them killed again and again; what reporting costs the disk, the line and memory; how soon an event is there over the
other line; what a killed node of a cluster costs.

`lost`: tier events that `append` called durable and the NOC does not hold, and whose tombstone did not come either.
`duplicates`: what it holds twice after de-duplication by (stream, sequence). `gaps`: holes still open after `resend`.
`nats_back_s`: from the kill of the connected node to the next event acknowledged by another, median.
"""

import argparse
import json
import logging
import os
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from bench.bounded import run_bounded
from bench.report_costs import costs
from bench.report_kills import Battle, Kills, Outcome
from bench.report_link import link
from bench.report_nats import nats
from bench.report_offline import offline
from bench.table import table

Figures = dict[str, float | int | None]
BATTLES = {"kills": Kills(200, 50, 20), "disk": Kills(30, 8, 4), "torn": Kills(30, 8, 4)}
KEYS = (
    *("daemon_kills", "broker_kills", "lost", "duplicates", "gaps", "other_link_p99_ms", "nats_gaps", "nats_back_s"),
    *("bytes_per_event_single", "bytes_per_event_batch", "events_per_s"),
)
PARTS: Mapping[str, Callable[[Path], Awaitable[Figures]]] = {
    "offline": offline,
    "nats": nats,
    "bytes": costs,
    "link": link,
}
HEAD = ("", "site", "broker", "NOC", "told", "lost", "named gone", "log lost", "doubles", "gaps", "tel. gaps", "again")
WITHIN_S = 1800.0


async def report(parts: list[str], kills: int, seed: int, place: Path) -> None:
    found: Figures = dict.fromkeys(KEYS)
    outcomes: dict[str, Outcome] = {}
    for name in parts:
        say(f"{name} …")
        with tempfile.TemporaryDirectory(prefix=f"report-{name}-", dir=place) as directory:
            if name in BATTLES:
                battle = Battle(Path(directory), scaled(BATTLES[name], kills), name, random.Random(seed))
                outcomes[name] = await battle.run()
                say(told_of(name, outcomes[name]))
            else:
                found |= await PARTS[name](Path(directory))
    if outcomes:
        print("\n" + table(HEAD, [row(name, each) for name, each in outcomes.items()]))
        found |= summed(list(outcomes.values()))
    print(f"\nseed {seed}; load of the machine {os.getloadavg()[0]:.1f}")
    print(json.dumps({key: found[key] for key in KEYS}), flush=True)


def scaled(kills: Kills, site: int) -> Kills:
    """With `site` in place of 200 kills of the site, and the others in proportion."""
    share = site / BATTLES["kills"].site
    return Kills(*(max(1, round(each * share)) for each in (kills.site, kills.broker, kills.consumer)))


def summed(outcomes: list[Outcome]) -> Figures:
    return {
        "daemon_kills": sum(each.kills.site for each in outcomes),
        "broker_kills": sum(each.kills.broker for each in outcomes),
        "lost": sum(len(each.verdict.lost) for each in outcomes),
        "duplicates": sum(each.verdict.duplicates for each in outcomes),
        "gaps": sum(each.verdict.gaps for each in outcomes),
    }


def row(name: str, its: Outcome) -> list[str]:
    kills, verdict = its.kills, its.verdict
    counts = (
        *(kills.site, kills.broker, kills.consumer, verdict.told, len(verdict.lost), len(verdict.named)),
        *(len(verdict.lost_logs), verdict.duplicates, verdict.gaps, verdict.telemetry_gaps, verdict.again),
    )
    return [name, *map(str, counts)]


def told_of(name: str, its: Outcome) -> str:
    first = "".join(f"; {each.number}" for each in its.verdict.lost[:3])
    return f"{name}: {its.took_s:.0f} s, {its.quiet_after_s:.0f} s until nothing moved any more{first}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    every = [*BATTLES, *PARTS]
    parser.add_argument("--parts", default=",".join(every), help="some of them, by comma (%(default)s)")
    parser.add_argument("--kills", type=int, default=200, help="of the site, 4–1000; the others in proportion")
    parser.add_argument("--seed", type=int, default=None, help="of all that is random; any")
    parser.add_argument("--place", type=Path, default=Path("/var/tmp"), help="a real disk (%(default)s)")
    chosen = parser.parse_args()
    parts = chosen.parts.split(",")
    if unknown := set(parts) - set(every):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if not 4 <= chosen.kills <= 1000:
        parser.error("--kills lies within 4–1000")
    if os.geteuid() and "disk" in parts:  # a tiny disk is mounted: as uid 0 of a namespace of our own
        argv = [sys.executable, "-m", "bench", "report", *sys.argv[1:]]
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--mount", "--", *argv])
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seed = random.SystemRandom().randrange(1 << 32) if chosen.seed is None else chosen.seed
    within_s = WITHIN_S + 5 * chosen.kills
    run_bounded(report(parts, chosen.kills, seed, chosen.place), within_s=within_s)


if __name__ == "__main__":
    main()
