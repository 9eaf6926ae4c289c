"""The links on the board: one line of figures each, and below it what there is to say: trouble in words, then facts.

A line says nothing twice and nothing that is as it should be. Every part is a function of one link that gives None
where it has nothing to say; the order of the tables is the order of the words.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from edged.cli.words import ADMISSION_LIMITS, BAD, DIM, LINK_CAUSES, STANDBY_LACKS, WARN, ago, mbit, short, span, word

Doc = dict[str, Any]
Part: TypeAlias = Callable[[Doc], str | None]

_STALE_S = 5.0  # sources tell something every second or so
_LONG_BURST = 5  # concealment bridges one lost packet, not five
_MOS_STYLES = ((3.1, BAD), (3.6, WARN))  # G.107 annex B: many, some are dissatisfied
_INDENT = 3
_HEADER = ("LINK", "", "STATE", "FOR", "RTT/p95", "JITTER", "LOSS", "MOS", "PACE")


def links(doc: Doc, *, facts: Sequence[Part] = ()) -> RenderableType:
    """`facts`: what is merely good to know, where there is room for it."""
    header, *figures = aligned([[Text(name, style="dim") for name in _HEADER], *map(_figures, doc["links"])])
    shown: list[RenderableType] = [header]
    for link, line in zip(doc["links"], figures, strict=True):
        shown.append(line)
        parts = [*_said(link, TROUBLE, WARN), *_said(link, facts, DIM)]
        if parts:
            shown.append(Padding(Text(" · ", style=DIM).join(parts), (0, 1, 0, _INDENT), expand=False))
    return Group(*shown)


def admission(doc: Doc) -> Text:
    """How many sessions the line can take: the tail of the session's line."""
    held = doc["admission"]
    fits = held["sessions"]
    if fits == 0:
        why = ADMISSION_LIMITS.get(held["limited_by"], held["limited_by"])
        return Text(f"  ·  no session fits: {why}", style=WARN)
    return Text(f"  ·  {fits} {'session fits' if fits == 1 else 'sessions fit'}, {fits + 1} do not", style=DIM)


# ── the line of figures ────────────────────────────────────────────────────────────────────────────────
_ROLES = {
    True: Text("◀ carries", style="bold cyan"),
    False: Text("standby", style=DIM),
    None: Text("?", style=DIM),
}


def _figures(link: Doc) -> list[Text]:
    return [
        Text(link["link"], style="bold"),
        _ROLES[link["carrying"]],
        word(link["verdict"]),
        Text(span(link["for_s"])),
        _round_trips(link),
        Text(short(link["jitter_ms"], "ms")),
        Text(short(link["loss_pct"], "%")),
        _mos(link["mos"]),
        Text(link["pace"] or "–", style="" if link["pace"] == "session" else DIM),
    ]


def _round_trips(link: Doc) -> Text:
    if link["rtt_ms"] is None:
        return Text("–")
    return Text(f"{short(link['rtt_ms'])}/{short(link['rtt_p95_ms'], 'ms')}")


def _mos(mos: float | None) -> Text:
    if mos is None:
        return Text("–")
    return Text(f"{mos:.1f}", style=next((style for below, style in _MOS_STYLES if mos < below), ""))


def aligned(rows: Sequence[Sequence[Text]]) -> list[Text]:
    """One text a row, its cells below each other, two spaces apart."""
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text(" ", no_wrap=True, overflow="ellipsis")
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell).append(" " * (width - cell.cell_len + 2))
    line.rstrip()
    return line


def _said(link: Doc, parts: Sequence[Part], style: str) -> Iterable[Text]:
    return (Text(said, style=style) for part in parts if (said := part(link)))


# ── trouble ────────────────────────────────────────────────────────────────────────────────────────────
def _silent_source(link: Doc) -> str | None:
    age_s = link["age_s"]
    return f"not heard of for {span(age_s)}" if age_s is not None and age_s > _STALE_S else None


def _cause(link: Doc) -> str | None:
    """A silence is told by what the verdict rests on."""
    held = link["evidence"]
    if link["cause"] == "loss" and held is not None and held["test"] == "joint":
        return f"silent: {held['misses']} misses in a row, {held['nats']:.1f} of {held['trip_nats']:.1f} nats"
    if link["cause"] == "loss" and held is not None and held["test"] == "votes":
        return f"silent: {held['votes']} of {held['voters']} targets"
    if any(way["lossy"] or way["slow"] for way in link["ways"]) and link["cause"] in ("gray_loss", "delay"):
        return None  # the directions say it better
    return LINK_CAUSES.get(link["cause"], link["cause"].replace("_", " ")) or None


def _directions(link: Doc) -> str | None:
    """Which way the trouble goes, where STAMP can tell."""
    lossy = [f"loss going {way['direction']} {short(way['loss_pct'], '%')}" for way in link["ways"] if way["lossy"]]
    slow = [
        f"{short(way['delay_above_ms'], 'ms')} slower going {way['direction']}" for way in link["ways"] if way["slow"]
    ]
    return ", ".join(lossy + slow) or None


def _bursts(link: Doc) -> str | None:
    longest = link["burst_longest"]
    if link["verdict"] == "down" or longest is None or longest < _LONG_BURST:
        return None
    return f"up to {longest} lost in a row"


def _budget_trouble(link: Doc) -> str | None:
    budget = link["budget"]
    if budget is None or not (budget["over"] or budget["stretched"]):
        return None
    return "data budget used up, asked at the slowest" if budget["over"] else "asked less often to save data"


def _unfit(link: Doc) -> str | None:
    held = link.get("standby")
    if held is None or held["fit"] is not False:
        return None
    lacks = ", ".join(STANDBY_LACKS.get(each, each.replace("_", " ")) for each in held["lacks"])
    return f"not fit to stand by: {lacks}" if lacks else "not fit to stand by"


TROUBLE: Sequence[Part] = (_silent_source, _cause, _directions, _bursts, _budget_trouble, _unfit)


# ── facts ──────────────────────────────────────────────────────────────────────────────────────────────
def _data(link: Doc) -> str | None:
    budget = link["budget"]
    return None if budget is None else f"data {short(budget['used_mb'])} of {budget['limit_mb']:g} MB"


def _capacity(link: Doc) -> str | None:
    held = link.get("capacity") or {}
    found = [each for each in (held.get("up"), held.get("down")) if each is not None]
    if not found:
        return None
    rates = "/".join(f"{way} {mbit(held[way]['rate_bps'] if held.get(way) else None)}" for way in ("up", "down"))
    methods = "/".join(dict.fromkeys(each["method"] for each in found))
    return f"capacity {rates} Mbit/s ({methods}, {ago(max(each['age_s'] for each in found))})"


def _fit(link: Doc) -> str | None:
    held = link.get("standby")
    if held is None or held["fit"] is False:
        return None
    if held["fit"] is None:
        return "not proven as a standby yet"
    return f"fit to stand by, proven {ago(held['proven_age_s'])}"


ONLY_DATA: Sequence[Part] = (_data,)
FACTS: Sequence[Part] = (*ONLY_DATA, _capacity, _fit)


# ── `edgectl links`: all of it ─────────────────────────────────────────────────────────────────────────
def grounds(doc: Doc) -> RenderableType:
    """The facts of each link, what its verdict rests on, each direction, and the door it leaves by."""
    parts = (*FACTS, _rests_on, *WAYS, _exit)
    lines = []
    for link in doc["links"]:
        lines += [Text.assemble(" ", (link["link"], "bold"), f"  {said}") for part in parts if (said := part(link))]
    return Group(*lines)


def _rests_on(link: Doc) -> str | None:
    held = link["evidence"]
    if held is None:
        return None
    learnt = f"a first loss {100 * held['pi']:.2g} %, a further one {100 * held['q']:.2g} %"
    judged = "no test alarms" if held["test"] == "none" else f"judged by {held['test'].replace('_', ' ')}"
    return f"{judged}: {held['nats']:.1f} of {held['trip_nats']:.1f} nats ({learnt})"


def _way(direction: str) -> Part:
    def said(link: Doc) -> str | None:
        way = next((way for way in link["ways"] if way["direction"] == direction), None)
        if way is None or way["loss_pct"] is way["delay_above_ms"] is way["jitter_ms"] is None:
            return None
        loss, jitter = short(way["loss_pct"], "%"), short(way["jitter_ms"], "ms")
        return f"{direction}: loss {loss}, {short(way['delay_above_ms'], 'ms')} above usual, jitter {jitter}"

    return said


WAYS: Sequence[Part] = (_way("up"), _way("down"))


def _exit(link: Doc) -> str | None:
    held = link.get("exit")
    if held is None:
        return None
    hops = " → ".join(hop or "*" for hop in held["hops"])
    return f"leaves by {held['mapped'] or '?'}{f' over {hops}' if hops else ''}, seen {ago(held['age_s'])}"
