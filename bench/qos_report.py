"""The QoS bench's table and figures, from what each round measured. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from bench.figures import middle_and_spread
from bench.media_log import Added
from bench.table import table

TARGET_MS = 10.0
"""p99 with QoS on, on fiber."""
IDLE = "idle"
SUFFIX = {"fiber": "", "cellular": "_cellular"}
RELAY_FULL_PCT = 80.0
"""From here on the lab's own relay may be what sets the delay."""
MACHINE_FULL_PCT = 95.0
"""From here on everything waits for a core now and then, for some milliseconds."""

HEAD = ("link", "QoS", "load", "up p50", "up p99", "down p99", "lost %", "P4 Mbit/s", "relay CPU %", "relay late")


@dataclass(frozen=True, slots=True)
class Wires:
    """What carried the packets: the relay of the link (CPU of one core), and the whole machine (of all cores)."""

    relay_pct: float
    machine_pct: float
    late_max_ms: float
    overrun: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement of one round."""

    link: str
    shaped: bool
    load: str
    added: dict[str, Added]
    """By way: up, down."""
    lost_pct: float
    p4_bps: float | None
    """None while nothing is uploaded."""
    wires: Wires


def report(cells: list[Cell]) -> str:
    """The table, and the sentences a person would say about it."""
    rows = [_row(cells, key) for key in dict.fromkeys((cell.link, cell.shaped, cell.load) for cell in cells)]
    units = "added one-way delay of P1 in ms: median of the rounds (least–most); relay late: most, in ms"
    return "\n".join([table(HEAD, rows), units, "", _verdict(cells), _limits(cells)])


def figures(cells: list[Cell]) -> dict[str, float]:
    """The bench's own names → figures. Medians of the rounds; of loads and ways the worst."""
    found: dict[str, float] = {}
    for link, suffix in SUFFIX.items():
        throughput: dict[bool, dict[str, float]] = {}
        for shaped, name in ((False, "off"), (True, "on")):
            loads = _loaded(cells, link, shaped)
            found[f"p1_added_ms_p50_{name}{suffix}"] = round(_worst(loads, lambda added: added.p50_ms), 2)
            found[f"p1_added_ms_p99_{name}{suffix}"] = round(_worst(loads, lambda added: added.p99_ms), 2)
            found[f"p1_lost_pct_{name}{suffix}"] = round(
                max(median(cell.lost_pct for cell in rounds) for rounds in loads.values()), 2
            )
            throughput[shaped] = {load: median(_p4_bps(rounds)) for load, rounds in loads.items()}
        ratio = min(throughput[True][load] / throughput[False][load] for load in throughput[False])
        found[f"p4_throughput_ratio{suffix}"] = round(ratio, 3)
    return found


def _loaded(cells: list[Cell], link: str, shaped: bool) -> dict[str, list[Cell]]:
    """Load → its measurement in each round."""
    loads: dict[str, list[Cell]] = {}
    for cell in cells:
        if (cell.link, cell.shaped) == (link, shaped) and cell.load != IDLE:
            loads.setdefault(cell.load, []).append(cell)
    return loads


def _worst(loads: dict[str, list[Cell]], figure: Callable[[Added], float]) -> float:
    return max(
        median(figure(cell.added[way]) for cell in rounds) for rounds in loads.values() for way in rounds[0].added
    )


def _p4_bps(rounds: Iterable[Cell]) -> list[float]:
    return [cell.p4_bps for cell in rounds if cell.p4_bps is not None]


def _row(cells: list[Cell], key: tuple[str, bool, str]) -> tuple[str, ...]:
    rounds = [cell for cell in cells if (cell.link, cell.shaped, cell.load) == key]
    link, shaped, load = key
    p4_mbps = [bps / 1e6 for bps in _p4_bps(rounds)]
    return (
        link,
        "on" if shaped else "off",
        load,
        middle_and_spread(cell.added["up"].p50_ms for cell in rounds),
        middle_and_spread(cell.added["up"].p99_ms for cell in rounds),
        middle_and_spread(cell.added["down"].p99_ms for cell in rounds),
        f"{median(cell.lost_pct for cell in rounds):.1f}",
        middle_and_spread(p4_mbps) if p4_mbps else "–",
        middle_and_spread((cell.wires.relay_pct for cell in rounds), digits=0),
        f"{max(cell.wires.late_max_ms for cell in rounds):.1f}",
    )


def _verdict(cells: list[Cell]) -> str:
    p99_ms = figures(cells)["p1_added_ms_p99_on"]
    kept = "met" if p99_ms < TARGET_MS else "NOT MET"
    return f"fiber full, QoS on: p99 +{p99_ms:.1f} ms, target < {TARGET_MS:g} ms: {kept}"


def _limits(cells: list[Cell]) -> str:
    """Is it the link that was measured, or this machine?"""
    loaded = [cell.wires for cell in cells if cell.load != IDLE]
    relay_pct, overrun = max(each.relay_pct for each in loaded), sum(each.overrun for each in loaded)
    machine_pct, late_ms = max(each.machine_pct for each in loaded), max(each.late_max_ms for each in loaded)
    if relay_pct > RELAY_FULL_PCT or overrun:
        limit = "the machine, not the link: take these figures with care"
    elif machine_pct > MACHINE_FULL_PCT:
        limit = "the link's rate; the machine was full at times, which adds to every delay"
    else:
        limit = "the link's rate, not the machine"
    return (
        f"the limit was {limit}\n(busiest relay {relay_pct:.0f} % of a core, at most {late_ms:.1f} ms late, "
        f"{overrun} frames lost before it saw them; machine up to {machine_pct:.0f} % busy)"
    )
