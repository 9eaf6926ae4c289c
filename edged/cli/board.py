"""The status document as a picture: one function a section, from JSON to something rich can print.

On a small screen what is merely good to know makes way, so that nothing urgent is pushed off its end.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment, SegmentLines
from rich.table import Table
from rich.text import Text

from edged.cli import alarm_list, event_list, link_board, room_board
from edged.cli.link_board import FACTS, ONLY_DATA, grounds
from edged.cli.room_board import absent
from edged.cli.words import age, number, rate, span, table, word

Doc = dict[str, Any]
Section: TypeAlias = Callable[[Doc], RenderableType]

links, events = link_board.links, event_list.events
alarms, alarms_in_short = alarm_list.alarms, alarm_list.alarms_in_short
tier, session, rooms, ready = room_board.tier, room_board.session, room_board.rooms, room_board.ready
av, av_in_short, due = room_board.av, room_board.av_in_short, room_board.due
phone, phone_of, mobile = room_board.phone, room_board.phone_of, room_board.mobile


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


def targets(doc: Doc) -> RenderableType:
    """`edgectl links`: what each link is judged by, and what is known of its ways."""
    shown = table("LINK", "TARGET", "STATE", "RTT", "LOSS", "MISSES")
    for link in doc["links"]:
        for target in link["targets"]:
            rtt, loss = number(target["rtt_ms"], "ms", digits=1), number(target["loss_pct"], "%", digits=1)
            shown.add_row(link["link"], target["target"], word(target["verdict"]), rtt, loss, str(target["misses"]))
    return Group(shown, grounds(doc))


def wan(doc: Doc) -> RenderableType:
    router = doc["router"]
    if router is None:
        return absent("router", doc)
    shown = table("ROUTER", "LINK", "STATE", "SIGNAL", "RX", "TX", "AGE")
    for each in router["wans"]:
        active = each["link"] is not None and each["link"] == router["active"]
        name = Text(each["name"], style="bold") + Text(" ◀ active" if active else "", style="bold cyan")
        signal = number(each["signal_dbm"], "dBm")
        rates = rate(each["rx_bps"]), rate(each["tx_bps"])
        shown.add_row(name, each["link"] or "?", _wan_state(each), signal, *rates, age(router["age_s"]))
    if not router["answering"]:
        shown.add_row(word("silent"), router["cause"].replace("_", " "), f"for {span(router['for_s'])}", "", "", "", "")
    return shown


def _wan_state(wan: Doc) -> Text:
    """The router's own health check where its state does not say so already."""
    fails = wan["healthy"] is False and wan["state"] != "health_check_failed"
    return word(wan["state"]) + Text(", fails" if fails else "", style="bold red")


def _wan_in_short(doc: Doc) -> RenderableType:
    router = doc["router"]
    if router is None:
        return absent("router", doc) if "router" not in doc["unwatched"] else Group()
    if not router["answering"] or any(each["healthy"] is False for each in router["wans"]):
        return wan(doc)
    return Text.assemble((" ROUTER ", "dim"), word("answering"), f" active {router['active'] or '?'}")


def _links_in_short(doc: Doc) -> RenderableType:
    line = Text(" LINKS  ", style="dim")
    for index, link in enumerate(doc["links"]):
        carries = " ◀ carries" if link["carrying"] else ""
        line.append("  ·  " if index else "").append(f"{link['link']} ").append_text(word(link["verdict"]))
        line.append(carries, style="bold cyan")
    return line


def ups(doc: Doc) -> RenderableType:
    if not doc["ups"]:
        return absent("ups", doc)
    shown = table("UPS", "POWER", "FOR", "CHARGE", "RUNTIME", "LOAD", "CONTACT", "AGE")
    for each in doc["ups"]:
        shown.add_row(
            Text(each["ups"], style="bold"),
            word(each["power"]),
            span(each["for_s"]),
            number(each["charge_pct"], "%"),
            span(each["runtime_s"]),
            number(each["load_pct"], "%"),
            word(each["contact"]),
            age(each["age_s"], stale_s=30.0),
        )
    return shown


def ups_in_short(doc: Doc) -> RenderableType:
    if not doc["ups"] or any((each["power"], each["contact"]) != ("mains", "ok") for each in doc["ups"]):
        return ups(doc)
    charges = ", ".join(f"{each['ups']} {number(each['charge_pct'], '%')}" for each in doc["ups"])
    return Text.assemble((" UPS    ", "dim"), word("mains"), f" {charges}")


def covers(doc: Doc) -> RenderableType:
    """`edgectl ups`: which devices hang on which UPS (U1)."""
    shown = table("UPS", "FEEDS", "COVERS")
    for each in doc["ups"]:
        shown.add_row(each["ups"], each["priority"], ", ".join(each["covers"]) or "no device named")
    return shown


def qos(doc: Doc) -> RenderableType:
    if not doc["qos"]:
        return absent("qos", doc)
    shown = table("QOS", "", "STATE", "bit/s", "P1", "P2", "P3", "P4", "DROPS", "AGE")
    for shaper in doc["qos"]:
        classes = {each["name"]: each for each in shaper["classes"]}
        rates = [rate(classes[name]["rate_bps"]) if name in classes else "–" for name in ("p1", "p2", "p3", "p4")]
        drops = sum(each["drops"] for each in shaper["classes"])
        state = word(shaper["state"])
        if shaper["cause"] != "none":
            state.append(f" {shaper['cause'].replace('_', ' ')}", style="dim")
        leaf = f"{shaper['direction']}, {shaper['leaf'] or '–'}"
        shown.add_row(
            Text(shaper["interface"], style="bold"),
            leaf,
            state,
            rate(shaper["rate_bps"]),
            *rates,
            str(drops),
            age(shaper["age_s"]),
        )
    return shown


def _qos_in_short(doc: Doc) -> RenderableType:
    if not doc["qos"] or any(shaper["state"] != "active" for shaper in doc["qos"]):
        return qos(doc)
    names = ", ".join(f"{shaper['interface']} {rate(shaper['rate_bps'])}" for shaper in doc["qos"])
    return Text.assemble((" QOS    ", "dim"), word("active"), f" as planned: {names}")


def classes(doc: Doc) -> RenderableType:
    """`edgectl qos`: counters of each class."""
    shown = table("QOS", "CLASS", "bit/s", "PACKETS", "BYTES", "DROPS", "WAITING")
    for shaper in doc["qos"]:
        for each in shaper["classes"]:
            counts = (f"{each[key]:,}" for key in ("packets", "bytes", "drops"))
            shown.add_row(
                shaper["interface"], each["name"], rate(each["rate_bps"]), *counts, f"{each['backlog_bytes']:,} B"
            )
    return shown


def noc(doc: Doc) -> RenderableType:
    held, record = doc["broker"], doc["record"]
    kept = record["tier_pending"]
    waiting = f"{kept} tier {'event waits' if kept == 1 else 'events wait'}, {record['head']} recorded"
    disk = Text("") if record["durable"] else Text("  NOT ON DISK: kept in memory", style="bold red")
    if held is None:
        return Text.assemble((" NOC    ", "dim"), ("no broker configured", "dim"), f"  {waiting}", disk)
    state = word("connected" if held["connected"] else "not connected")
    why = f" ({held['cause'].replace('_', ' ')})" if held["cause"] != "none" else ""
    by = f" by {held['link']}" if held["link"] else ""
    return Text.assemble((" NOC    ", "dim"), state, f"{by}{why} for {span(held['for_s'])}  {waiting}", disk)


def watch_list(doc: Doc) -> RenderableType:
    """What is merely worth knowing, what is blind, and what nobody watches."""
    lines = []
    facts = [f"{each['name']} {each['at']}" for each in doc["conditions"] if each["severity"] == "info"]
    if facts:
        lines.append(Text(f" NOTE   {' · '.join(facts)}", style="dim"))
    if doc["blind"]:
        lines.append(Text(" BLIND  ", style="dim") + Text(", ".join(doc["blind"]), style="bold red"))
    if doc["unwatched"]:
        lines.append(Text(f" NOT WATCHED  {', '.join(doc['unwatched'])}", style="dim"))
    return Group(*lines)


_with_facts, _with_data = partial(links, facts=FACTS), partial(links, facts=ONLY_DATA)
_tight, _tight_session = partial(tier, tight=True), partial(session, tight=True)
_fallbacks = room_board.fallbacks_in_short
_ROOM = (tier, rooms, session, due, ready)
_TIGHT_ROOM = (_tight, rooms, session, due, ready)
_SMALL_ROOM = (_tight, rooms, _tight_session, due)
_END = (noc, alarms, watch_list)
_SHORT_END = (noc, alarms_in_short, watch_list)
_PICTURES: Sequence[Sequence[Section]] = (
    # from all there is to what must be seen: in short is only what is as it should be
    (head, *_ROOM, av, _with_facts, wan, ups, phone, mobile, qos, *_END),
    (head, *_ROOM, av, _with_facts, wan, ups, phone, mobile, _qos_in_short, *_END),
    (head, *_ROOM, av, _with_data, wan, ups, phone, mobile, _qos_in_short, *_END),
    (head, *_TIGHT_ROOM, av, _with_data, wan, ups, _fallbacks, _qos_in_short, *_END),
    (head, *_TIGHT_ROOM, av_in_short, _with_data, wan, ups_in_short, _fallbacks, _qos_in_short, *_SHORT_END),
    (head, *_TIGHT_ROOM, av_in_short, links, _wan_in_short, ups_in_short, _fallbacks, _qos_in_short, *_SHORT_END),
    (head, *_SMALL_ROOM, av_in_short, links, _wan_in_short, ups_in_short, _fallbacks, _qos_in_short, *_SHORT_END),
    (head, *_SMALL_ROOM, av_in_short, _fallbacks, _links_in_short, ups_in_short, _wan_in_short, *_SHORT_END),
    (head, *_SMALL_ROOM, av_in_short, _fallbacks, _links_in_short, alarms_in_short, watch_list),
    (head, *_SMALL_ROOM, av_in_short, _fallbacks, _links_in_short),
)
