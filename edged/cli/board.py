"""The status document as a picture: one function a section, from JSON to something rich can print.

On a small screen what is merely good to know makes way, so that nothing urgent is pushed off its end.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import Segment, SegmentLines
from rich.table import Table
from rich.text import Text

from edged.cli import link_board
from edged.cli.link_board import FACTS, ONLY_DATA, admission, grounds
from edged.cli.words import NOTHING_KNOWN, TIER_STYLES, TIER_WORDS, WARN, live, number, rate, span, word

Doc = dict[str, Any]
Section: TypeAlias = Callable[[Doc], RenderableType]

links = link_board.links

_STALE_S = 5.0
"""An age worth a second look; sources tell something every second or so."""


def board(doc: Doc) -> RenderableType:
    """Everything, the most urgent first; as much of it as the screen holds."""
    return _Fitting(doc)


class _Fitting:
    """The first of `_PICTURES` that is no higher than the screen; the last if none is. Draws each section once."""

    def __init__(self, doc: Doc) -> None:
        self._doc = doc

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = console.height if console.is_alt_screen else options.height
        free = options.update(height=None)
        drawn: dict[Section, list[list[Segment]]] = {}
        lines: list[list[Segment]] = []
        for picture in _PICTURES:
            for each in picture:
                if each not in drawn:
                    drawn[each] = console.render_lines(each(self._doc), free, pad=False)
            lines = [line for each in picture for line in drawn[each] if line]
            if height is None or len(lines) <= height:
                break
        yield SegmentLines(lines, new_lines=True)


def head(doc: Doc) -> RenderableType:
    site, daemon, clock = doc["site"], doc["daemon"], doc["clock"]
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    left = Text.assemble((f" {site['site']}", "bold"), f" · {site['tenant']}")
    by = f" ({clock['source']})" if clock.get("source") else ""
    now = f"{clock['wall'][11:19]}Z clock {clock['quality']}{by} "
    right = f"edged {daemon['version']} · up {span(daemon['uptime_s'])} · {now}"
    line.add_row(left, Text(right, style="dim"))
    return line


def tier(doc: Doc, *, tight: bool = False) -> RenderableType:
    """The banner: what to do now, who, and how long is left."""
    now = doc["tier"]
    number_ = now["tier"]
    said, style = TIER_WORDS[number_], TIER_STYLES[number_]
    if number_ == 0 and all(link["verdict"] == "unknown" for link in doc["links"]):
        said, style = NOTHING_KNOWN
    text = Text.assemble((f" TIER {number_} {said} ", style), f"  for {span(now['for_s'])}")
    if now["cause"] not in ("none", "unknown"):
        where = f" ({now['cause_at']})" if now["cause_at"] else ""
        text.append(f"  ·  cause: {now['cause'].replace('_', ' ')}{where}")
    if now["say"]:
        text.append("\n" if tight else "\n\n").append(f" {now['say']}", style="bold")
        text.append(f"\n {now['who']}{_deadline(now['due_in_s'])}")
    text.append(_why_still(now["rows"]), style="dim")
    border = ("green", "yellow", "dark_orange3", "red", "red")[number_]
    return Panel(text, border_style=border, padding=(0, 1))


def _why_still(rows: list[Doc]) -> str:
    """What the rows that are up still wait for: one line of acts and facts, one of those that are clearing."""
    waiting = {need for row in rows if row["tier"] >= 2 for need in row["needs"] if need != "recovered"}
    clearing = [f"{row['row']} in {span(row['clears_in_s'])}" for row in rows if row["clears_in_s"] is not None]
    lines = [f"\n waits for: {', '.join(sorted(waiting)).replace('_', ' ')}"] if waiting else []
    lines += [f"\n clears: {', '.join(clearing)}"] if clearing else []
    return "".join(lines)


def _deadline(due_in_s: float | None) -> str:
    if due_in_s is None:
        return ""
    return f", {span(due_in_s)} left" if due_in_s > 0 else ", NOW"


def session(doc: Doc) -> RenderableType:
    held, compliant = doc["session"], doc["tier"]["av_compliant"]
    if not held["open"]:
        return Text(" no session open", style="dim") + admission(doc)
    line = Text.assemble(" session ", (held["id"], "bold"), f", open {span(held['for_s'])}  ·  ")
    if not compliant:
        return line.append("NOT COMPLIANT: two-way A/V not live", style="bold red")
    return line.append("two-way A/V live", style="bold green") + admission(doc)


def targets(doc: Doc) -> RenderableType:
    """`edgectl links`: what each link is judged by, and what is known of its ways."""
    table = _table("LINK", "TARGET", "STATE", "RTT", "LOSS", "MISSES")
    for link in doc["links"]:
        for target in link["targets"]:
            rtt, loss = number(target["rtt_ms"], "ms", digits=1), number(target["loss_pct"], "%", digits=1)
            table.add_row(link["link"], target["target"], word(target["verdict"]), rtt, loss, str(target["misses"]))
    return Group(table, grounds(doc))


def wan(doc: Doc) -> RenderableType:
    router = doc["router"]
    if router is None:
        return _absent("router", doc)
    table = _table("ROUTER", "LINK", "STATE", "HEALTH", "SIGNAL", "RX bit/s", "TX bit/s", "AGE")
    for each in router["wans"]:
        active = each["link"] is not None and each["link"] == router["active"]
        name = Text(each["name"], style="bold") + Text(" ◀ active" if active else "", style="bold cyan")
        health = {True: Text("ok"), False: Text("fail", style="bold red"), None: Text("–")}[each["healthy"]]
        signal = number(each["signal_dbm"], "dBm")
        rates = rate(each["rx_bps"]), rate(each["tx_bps"])
        table.add_row(name, each["link"] or "?", word(each["state"]), health, signal, *rates, _age(router["age_s"]))
    if not router["answering"]:
        table.add_row(
            word("silent"), router["cause"].replace("_", " "), f"for {span(router['for_s'])}", "", "", "", "", ""
        )
    return table


def ups(doc: Doc) -> RenderableType:
    if not doc["ups"]:
        return _absent("ups", doc)
    table = _table("UPS", "POWER", "FOR", "CHARGE", "RUNTIME", "LOAD", "CONTACT", "AGE")
    for each in doc["ups"]:
        table.add_row(
            Text(each["ups"], style="bold"),
            word(each["power"]),
            span(each["for_s"]),
            number(each["charge_pct"], "%"),
            span(each["runtime_s"]),
            number(each["load_pct"], "%"),
            word(each["contact"]),
            _age(each["age_s"], stale_s=30.0),
        )
    return table


def _ups_in_short(doc: Doc) -> RenderableType:
    if not doc["ups"] or any((each["power"], each["contact"]) != ("mains", "ok") for each in doc["ups"]):
        return ups(doc)
    charges = ", ".join(f"{each['ups']} {number(each['charge_pct'], '%')}" for each in doc["ups"])
    return Text.assemble((" UPS    ", "dim"), word("mains"), f" {charges}")


def covers(doc: Doc) -> RenderableType:
    """`edgectl ups`: which devices hang on which UPS (U1)."""
    table = _table("UPS", "FEEDS", "COVERS")
    for each in doc["ups"]:
        table.add_row(each["ups"], each["priority"], ", ".join(each["covers"]) or "no device named")
    return table


def media(doc: Doc) -> RenderableType:
    held = doc["media"]
    if held is None:
        return _absent("media", doc)
    if not held["observing"]:
        return Text(" A/V      the observer cannot see: unknown", style=WARN)
    table = _table("A/V", "TO ROOM", "", "FROM ROOM", "", "LOSS")
    for medium in ("audio", "video"):
        streams = {stream["way"]: stream for stream in held["streams"] if stream["medium"] == medium}
        cells: list[RenderableType] = []
        for way in ("to_room", "from_room"):
            stream = streams.get(way)
            cells += [
                live(stream["live"] if stream else None),
                number(stream["packet_rate_hz"] if stream else None, "/s"),
            ]
        losses = [stream["loss_pct"] for stream in streams.values() if stream["loss_pct"] is not None]
        table.add_row(Text(medium, style="bold"), *cells, number(max(losses, default=None), "%", digits=1))
    return table


def phone(doc: Doc) -> RenderableType:
    held = doc["phone"]
    if held is None:
        return _absent("phone", doc)
    state = {True: "reachable", False: "unreachable", None: None}[held["reachable"]]
    cause = "" if held["cause"] == "none" else f" ({held['cause'].replace('_', ' ')})"
    age = f"  asked {span(held['age_s'])} ago"
    return Text.assemble((" PHONE  ", "dim"), word(state), f"{cause} for {span(held['for_s'])}", (age, "dim"))


def qos(doc: Doc) -> RenderableType:
    if not doc["qos"]:
        return _absent("qos", doc)
    table = _table("QOS", "", "STATE", "bit/s", "P1", "P2", "P3", "P4", "DROPS", "AGE")
    for shaper in doc["qos"]:
        classes = {each["name"]: each for each in shaper["classes"]}
        rates = [rate(classes[name]["rate_bps"]) if name in classes else "–" for name in ("p1", "p2", "p3", "p4")]
        drops = sum(each["drops"] for each in shaper["classes"])
        state = word(shaper["state"])
        if shaper["cause"] != "none":
            state.append(f" {shaper['cause'].replace('_', ' ')}", style="dim")
        leaf = f"{shaper['direction']}, {shaper['leaf'] or '–'}"
        table.add_row(
            Text(shaper["interface"], style="bold"),
            leaf,
            state,
            rate(shaper["rate_bps"]),
            *rates,
            str(drops),
            _age(shaper["age_s"]),
        )
    return table


def _qos_in_short(doc: Doc) -> RenderableType:
    if not doc["qos"] or any(shaper["state"] != "active" for shaper in doc["qos"]):
        return qos(doc)
    names = ", ".join(f"{shaper['interface']} {rate(shaper['rate_bps'])}" for shaper in doc["qos"])
    return Text.assemble((" QOS    ", "dim"), word("active"), f" as planned: {names}")


def classes(doc: Doc) -> RenderableType:
    """`edgectl qos`: counters of each class."""
    table = _table("QOS", "CLASS", "bit/s", "PACKETS", "BYTES", "DROPS", "WAITING")
    for shaper in doc["qos"]:
        for each in shaper["classes"]:
            counts = (f"{each[key]:,}" for key in ("packets", "bytes", "drops"))
            table.add_row(
                shaper["interface"], each["name"], rate(each["rate_bps"]), *counts, f"{each['backlog_bytes']:,} B"
            )
    return table


def noc(doc: Doc) -> RenderableType:
    held, record = doc["broker"], doc["record"]
    waiting = f"{record['tier_pending']} tier events not acknowledged, {record['head']} recorded"
    disk = Text("") if record["durable"] else Text("  NOT ON DISK: kept in memory", style="bold red")
    if held is None:
        return Text.assemble((" NOC    ", "dim"), ("no broker configured", "dim"), f"  {waiting}", disk)
    state = word("connected" if held["connected"] else "not connected")
    why = f" ({held['cause'].replace('_', ' ')})" if held["cause"] != "none" else ""
    by = f" by {held['link']}" if held["link"] else ""
    return Text.assemble((" NOC    ", "dim"), state, f"{by}{why} for {span(held['for_s'])}  {waiting}", disk)


def watch_list(doc: Doc) -> RenderableType:
    """What is wrong in single facts, what is blind, and what nobody watches."""
    lines = []
    shown = [each for each in doc["conditions"] if each["name"] != "source.blind"]
    if shown:
        facts = (f"{each['name']} {each['at']} {span(each['for_s'])}" for each in shown)
        lines.append(Text(" NOW    ", style="dim") + Text(" · ".join(facts), style=WARN))
    if doc["blind"]:
        lines.append(Text(" BLIND  ", style="dim") + Text(", ".join(doc["blind"]), style="bold red"))
    if doc["unwatched"]:
        lines.append(Text(f" NOT WATCHED  {', '.join(doc['unwatched'])}", style="dim"))
    return Group(*lines)


def events(listed: list[Doc]) -> RenderableType:
    """`edgectl events`: newest last, with what the NOC has of them."""
    table = _table("SEQ", "TIME", "TIER", "EVENT", "ABOUT")
    for each in listed:
        body = each["event"]
        colour = TIER_STYLES[body["tier"]] if body["type"].startswith("edge.tier.") else ""
        table.add_row(
            str(body["sequence"]),
            body["time"][:23].replace("T", " "),
            Text(f" {body['tier']} ", style=colour),
            body["type"].removeprefix("edge.").removesuffix(".v1"),
            _about(body["data"]),
        )
    return table


_TOLD = (
    # Of an event's data, what tells it from the next one of its kind.
    *("row", "at", "cause", "cause_at", "previous", "active", "act", "errand", "refused", "actor", "reason"),
    *("dies_at", "direction", "method", "rate_mbit", "why", "mapped", "fit", "lacks"),
    *("error", "lasted_s"),
)


def _about(data: Doc) -> str:
    told = {key: data[key] for key in _TOLD if data.get(key) not in (None, [])}
    if "at" not in told and data.get("source") is not None:
        told["source"] = data["source"]
    return "  ".join(f"{key}={_plain(value)}" for key, value in told.items())


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _absent(what: str, doc: Doc) -> RenderableType:
    said = "not watched" if what in doc["unwatched"] else "unknown yet"
    return Text(f" {what.upper():<6} {said}", style="dim")


def _age(age_s: float | None, *, stale_s: float = _STALE_S) -> Text:
    if age_s is None:
        return Text("never", style="dim")
    return Text(span(age_s), style=WARN if age_s > stale_s else "dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=True, padding=(0, 1), header_style="dim")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


_with_facts, _with_data = partial(links, facts=FACTS), partial(links, facts=ONLY_DATA)
_tight = partial(tier, tight=True)
_PICTURES: Sequence[Sequence[Section]] = (
    # from all there is to what must be seen: in short is only what is as it should be
    (head, tier, session, _with_facts, wan, ups, media, phone, qos, noc, watch_list),
    (head, tier, session, _with_facts, wan, ups, media, phone, _qos_in_short, noc, watch_list),
    (head, tier, session, _with_data, wan, ups, media, phone, _qos_in_short, noc, watch_list),
    (head, _tight, session, _with_data, wan, ups, media, phone, _qos_in_short, noc, watch_list),
    (head, _tight, session, _with_data, wan, _ups_in_short, media, phone, _qos_in_short, noc, watch_list),
    (head, _tight, session, links, wan, _ups_in_short, media, phone, _qos_in_short, noc, watch_list),
)
