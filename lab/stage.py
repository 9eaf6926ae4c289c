"""What the audience of the demo sees: the site as a picture, what edged says, what arrived at the NOC. Drawing only."""

from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edged.cli import board
from edged.cli.words import STYLES, TIER_STYLES, TIER_WORDS, rate

Doc = dict[str, Any]


def stage(
    title: str, said: list[str], doc: Doc | None, arrived: list[Doc], *, height: int, width: int
) -> RenderableType:
    """One frame. `said`: what was done to the site, newest last. `arrived`: the NOC's tier events, newest last."""
    parts: list[RenderableType] = [_title(title, said)]
    if doc is not None:
        scripted = bool(doc["tier"]["script"])  # then it is what the audience should read
        parts += [site_map(doc, width), board.tier(doc, tight=scripted), board.session(doc, tight=True), board.due(doc)]
        parts += [board.links(doc), board.av_in_short(doc) if scripted else board.av(doc)]
        parts += [board.ups_in_short(doc) if scripted else board.ups(doc), board.phone(doc)]
        parts += [board.qos(doc)] if height >= 42 and not scripted else []
        parts += [board.alarms_in_short(doc), board.watch_list(doc)] if height >= 36 else []
    rows = 3 if height < 32 else 7
    waiting = doc["record"]["tier_pending"] if doc else 0
    parts.append(noc(arrived[-rows:], waiting=waiting))
    return Group(*parts)


def site_map(doc: Doc, width: int) -> RenderableType:
    """The room, the box, the router and the two lines, each in the colour of its state; 80 columns wide or 100."""
    way, far = (_WIDE, " radiologist, NOC") if width >= 100 else (_NARROW, " radiologist")
    links = {link["link"]: link for link in doc["links"]}
    fiber, cellular = (_line(links.get(name), way.line) for name in ("fiber", "cellular"))
    battery = any(each["power"] in ("battery", "low_battery") for each in doc["ups"])
    room = STYLES["battery"] if battery else STYLES["mains"]
    router = STYLES["answering"] if doc["router"] and doc["router"]["answering"] else "dim"
    phone = doc["phone"]["reachable"] if doc["phone"] else None
    phone_style = {True: STYLES["reachable"], False: STYLES["unreachable"], None: "dim"}[phone]
    box = Text.assemble("─ ", ("edged", "bold"), f" {way.wire} ", ("router", router), " ")
    box.pad_right(way.box - box.cell_len, "─")
    mains = Text.assemble(" " * 8, ("on battery" if battery else "on mains", room))
    rows = (
        ("workstation ─┐", Text(), "┌", fiber, "┐"),
        ("staff PC ────┼", box, "┤", Text(" " * way.line), f"├{far}"),
        ("PACS ────────┘", mains, "└", cellular, "┘"),
    )
    picture = Text()
    for left, middle, fork, line, right in rows:
        middle.pad_right(way.box - middle.cell_len)
        picture.append(f"  {left:<15}", style="dim").append_text(middle).append(fork, style="dim").append_text(line)
        picture.append(f"{right}\n", style="dim")
    phone_line = f"{' ☎ ':─^{way.box + way.line + 2}} radiologist"
    picture.append("  direct phone ", style="dim").append(phone_line, style=phone_style)
    return picture


@dataclass(frozen=True, slots=True)
class _Way:
    """Columns of the map from the room to the lines, and of a line."""

    wire: str
    box: int
    line: int


_WIDE, _NARROW = _Way("────", 26, 38), _Way("──", 21, 28)


def _line(link: Doc | None, width: int) -> Text:
    if link is None:
        return Text(" not configured ".center(width, "─"), style="dim")
    down = link["verdict"] == "down"
    rtt = "✂ cut" if down else f"{link['rtt_ms']:.0f} ms" if link["rtt_ms"] is not None else "?"
    fill = "═" if link["carrying"] else "─"
    label = f" {link['link']} {link['verdict']} · {rtt} ".center(width, "╌" if down else fill)
    return Text(label, style=STYLES.get(link["verdict"], "dim"))


def noc(arrived: list[Doc], *, waiting: int = 0) -> RenderableType:
    """What the NOC holds, and how many tier events the box keeps until it has its word."""
    table = Table(box=None, padding=(0, 1), header_style="dim", expand=True)
    for column, width in (("SEQ", 4), ("RAISED", 8), ("TIER", 17), ("CAUSE", 24)):
        table.add_column(column, no_wrap=True, min_width=width)
    table.add_column("DEMANDED RESPONSE", no_wrap=True, ratio=1)
    for event in arrived:
        data, tier = event["data"], event["tier"]
        where = f" ({data['cause_at']})" if data["cause_at"] else ""
        table.add_row(
            str(event["sequence"]),
            event["time"][11:19],
            Text(f" {tier} {TIER_WORDS[tier]} ", style=TIER_STYLES[tier]),
            data["cause"].replace("_", " ") + where,
            data["response"]["say"] if data["response"] else "–",
        )
    title = "tier events at the NOC, each once" + (f" · {waiting} not acknowledged yet" if waiting else "")
    return Panel(table, title=title, title_align="left", border_style="cyan", padding=0)


def plain(doc: Doc) -> str:
    """One line of the same for a log."""
    tier = doc["tier"]
    links = " ".join(f"{link['link']}={link['verdict']}{'*' if link['carrying'] else ''}" for link in doc["links"])
    up = next((rate(each["rate_bps"]) for each in doc["qos"] if each["direction"] == "up"), "–")
    return f"tier {tier['tier']} ({tier['cause']}) {links} uplink shaped to {up}bit/s"


def _title(title: str, said: list[str]) -> RenderableType:
    text = Text(f" {title} ", style="bold reverse")
    for line in said[-2:]:
        text.append(f"\n  $ {line}", style="not reverse not bold dim")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
