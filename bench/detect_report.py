"""What `bench detect` found, as tables for a person and figures for a program. Pure."""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import fmean, median

from bench.detect_alarms import Alarms
from bench.detect_compare import Compared, Result
from bench.detect_live import Live, LiveCut
from bench.figures import percentile
from bench.run_lengths import YEAR_DAYS
from bench.table import table
from probes.reading import Verdict

LIMITS = {
    "cut_p50_ms": 200.0,
    "cut_p99_ms": 400.0,
    "probe_kbps": 60.0,
    "gray_1_10_mean_s": 3.0,
    "delay_step_s": 1.0,
    "false_alarms_24h": 0.0,
    "cpu_pct": 3.0,
    "faster_rivals": 0.0,
}
FIRST = ("cuts", *LIMITS)[:8]
"""The order in which they are promised; more may follow."""
_BIN_S = 0.02


# ── live ───────────────────────────────────────────────────────────────────────────────────────────────
def live_text(live: Live) -> str:
    kinds = (("in a session", live.cuts), ("calm", live.calm_cuts))
    rows = [_cut_row(name, cuts) for name, cuts in kinds if cuts]
    head = ("fiber cut", "cuts", "p50 ms", "p90", "p99", "max", "misses", "told in ms", "at the socket, p50 ms")
    parts = [table(head, rows)] if rows else []
    parts += [f"{name}: {histogram([cut.took_s for cut in cuts])}" for name, cuts in kinds if cuts]
    if live.wire:
        wire_rows = [
            (pace, f"{its.up_bps / 1000:.1f}", f"{its.down_bps / 1000:.1f}", f"{its.packets_per_s:.1f}")
            for pace, its in live.wire.items()
        ]
        parts.append(table(("probes of fiber on the wire", "kbit/s up", "down", "packets/s"), wire_rows))
    for name, took_s in (("delay + 100 ms", live.delay_steps_s), ("loss 1 → 10 %", live.grays_s)):
        if took_s:
            parts.append(f"{name}, live: median {median(took_s):.2f} s, max {max(took_s):.2f} s of {len(took_s)}")
    return "\n\n".join(parts)


def _cut_row(name: str, cuts: Sequence[LiveCut]) -> tuple[str, ...]:
    took_ms = [1000 * cut.took_s for cut in cuts]
    told_ms = [1000 * cut.told_s for cut in cuts]
    seen_ms = [1000 * cut.seen_s for cut in cuts if cut.seen_s is not None]
    shares = [f"{percentile(took_ms, pct):.0f}" for pct in (50, 90, 99, 100)]
    misses = f"{median(cut.misses for cut in cuts):.0f}"
    told = f"{median(told_ms):.1f}, at most {max(told_ms):.1f}"
    return name, str(len(cuts)), *shares, misses, told, f"{median(seen_ms):.0f}" if seen_ms else "–"


def histogram(took_s: Sequence[float]) -> str:
    """`140 ms ▂█▅▁ 220 ms`: one sign for 20 ms, from the first that holds any to the last."""
    first, last = int(min(took_s) / _BIN_S), int(max(took_s) / _BIN_S)
    counts = [sum(int(each / _BIN_S) == number for each in took_s) for number in range(first, last + 1)]
    signs = " ▁▂▃▄▅▆▇█"
    bars = "".join(signs[ceil(8 * count / max(counts))] for count in counts)
    return f"{1000 * _BIN_S * first:.0f} ms {bars} {1000 * _BIN_S * (last + 1):.0f} ms"


# ── beside others ──────────────────────────────────────────────────────────────────────────────────────
def shipped_text(compared: Sequence[Compared]) -> str:
    """Rules as they are: one row a rule, one column a regime."""
    head = ("as shipped: mean (p99), false alarms a day", *(each.regime.name for each in compared))
    columns = [[each.ours, *each.shipped] for each in compared]
    rows = [
        (of_rule[0].rule, *(f"{_seconds(its)}  {_rate(its.per_day)}{_MARKS[its.how]}" for its in of_rule))
        for of_rule in zip(*columns, strict=True)
    ]
    return table(head, rows)


_MARKS = {"simulated": " ", "formula": "ᶠ", "sampled": "ˢ"}
MARKS_TEXT = (
    "ᶠ by formula · ˢ sampled: how often a line that lives falls silent for just the probes each verdict waited for"
)


def tuned_text(compared: Sequence[Compared]) -> str:
    """Rules that know the line, each with as few false alarms: at our rate, and at the rate we declare."""
    head = ("told which line it is", "rule", "mean (p99)", "false a year", "ours is slower")
    rows: list[tuple[str, ...]] = []
    for each in compared:
        rows.append((each.regime.name, _with_misses(each.ours), _seconds(each.ours), _yearly(each.ours), ""))
        rows += [("  at our rate", *_tuned_cells(rule, each)) for rule in each.at_ours]
        rows += [("  at one a year", *_tuned_cells(rule, each)) for rule in each.at_declared]
        rows.append(("  one setting for all", *_tuned_cells(each.everywhere, each)))
    return table(head, rows)


def faster(rule: Result, ours: Result) -> bool:
    """By more than chance: two standard errors of the difference of the means."""
    return ours.mean_s - rule.mean_s > 2 * sqrt(rule.error_s**2 + ours.error_s**2)


def _tuned_cells(rule: Result, each: Compared) -> tuple[str, ...]:
    behind_ms = 1000 * (each.ours.mean_s - rule.mean_s)
    said = f"by {behind_ms:.0f} ms" if faster(rule, each.ours) else "no"
    return rule.rule, _seconds(rule), _yearly(rule), said


def _with_misses(ours: Result) -> str:
    return f"{ours.rule}, {ours.misses:.0f} misses" if ours.misses is not None else ours.rule


def _seconds(its: Result) -> str:
    if its.mean_s < 1:
        return f"{1000 * its.mean_s:.0f} ({1000 * its.p99_s:.0f}) ms"
    return f"{its.mean_s:.1f} ({its.p99_s:.1f}) s"


def _rate(value: float) -> str:
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.2g}" if value >= 1e-9 else "0"


def _yearly(its: Result) -> str:
    return _rate(its.per_day * YEAR_DAYS)


# ── false alarms ───────────────────────────────────────────────────────────────────────────────────────
_LOOSER_HEAD = ("looser α: false alarms", "α per probe", "hours", "declared", "measured", "ratio (95 %)", "kept")
_DAY_HEAD = ("as shipped, in a session", "bursts last", "hours", "probes", "down", "degraded")


def alarms_text(looser: Sequence[Alarms], days: Sequence[Alarms]) -> str:
    parts = []
    if looser:
        parts.append(table(_LOOSER_HEAD, [_looser_row(each) for each in looser]))
    if days:
        parts.append(table(_DAY_HEAD, [_day_row(each) for each in days]))
    return "\n\n".join(parts)


def _looser_row(its: Alarms) -> tuple[str, ...]:
    low, ratio, high = its.ratio
    name = f"{its.regime.name}, bursts by {its.bursts}"
    counts = (f"{its.hours:g}", f"{its.expected:.0f}", str(its.down))
    return name, f"{its.alpha:.0e}", *counts, f"{ratio:.2f} ({low:.2f}–{high:.2f})", "yes" if low <= 1 else "NO"


def _day_row(its: Alarms) -> tuple[str, ...]:
    down, degraded = its.down, its.verdicts[Verdict.DEGRADED]
    return its.regime.name, f"by {its.bursts}", f"{its.hours:g}", f"{its.probes:,}", str(down), str(degraded)


# ── the slow failures ──────────────────────────────────────────────────────────────────────────────────
def gray_text(grays: dict[str, list[float]], steps: dict[str, list[float]]) -> str:
    rows = [
        (name, str(len(took_s)), f"{fmean(took_s):.2f}", f"{percentile(took_s, 95):.2f}", f"{max(took_s):.2f}")
        for name, took_s in (grays | steps).items()
    ]
    return table(("until degraded, simulated", "rounds", "mean s", "p95", "max"), rows) if rows else ""


# ── figures ────────────────────────────────────────────────────────────────────────────────────────────
Figures = dict[str, float | int | None]


def live_figures(live: Live) -> Figures:
    figures: Figures = {"cuts": len(live.cuts)}
    for prefix, cuts in (("", live.cuts), ("calm_", live.calm_cuts)):
        if cuts:
            took_ms = [1000 * cut.took_s for cut in cuts]
            figures |= {f"{prefix}cut_p{pct}_ms": round(percentile(took_ms, pct), 1) for pct in (50, 99)}
            figures[f"{prefix}cut_misses"] = round(median(cut.misses for cut in cuts))
    if live.wire:
        figures |= {"probe_kbps": round(live.wire["session"].worse_kbps, 1)}
        figures |= {"calm_probe_kbps": round(live.wire["calm"].worse_kbps, 1)}
    if live.delay_steps_s:
        figures |= {"delay_step_s": round(max(live.delay_steps_s), 2)}
    return figures


def compared_figures(compared: Sequence[Compared]) -> Figures:
    return {
        "faster_rivals": sum(faster(rule, each.ours) for each in compared for rule in each.at_ours),
        "faster_at_one_a_year": sum(faster(rule, each.ours) for each in compared for rule in each.at_declared),
        "false_alarms_per_year": float(f"{max(each.ours.per_day for each in compared) * YEAR_DAYS:.2g}"),
    }


def alarm_figures(looser: Sequence[Alarms], days: Sequence[Alarms]) -> Figures:
    figures: Figures = {}
    if days:
        figures |= {"false_alarms_24h": sum(each.down for each in days), "simulated_hours": days[0].hours}
    if looser:
        figures["declared_rate_broken"] = sum(each.ratio[0] > 1 for each in looser)
    return figures


def ordered(figures: Figures) -> Figures:
    """The promised ones first and all there; None where not measured."""
    return {name: figures.get(name) for name in FIRST} | figures


def limits_text(figures: Figures) -> str:
    lines = []
    for name, limit in LIMITS.items():
        if (value := figures.get(name)) is not None:
            lines.append(f"{name} {value:g}, limit {limit:g}: {'kept' if value <= limit else 'NOT KEPT'}")
    return "\n".join(lines)
