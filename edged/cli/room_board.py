"""A procedure room on the board: what to do now, its session, what is due, sound and picture, phone, mobile
workstation, and whether the next injection may begin. Several rooms are a line each, below the banner of the leading
one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edged.cli.act_words import deadline
from edged.cli.link_board import admission, aligned
from edged.cli.words import (
    BAD,
    DIM,
    GOOD,
    NOTHING_KNOWN,
    TIER_STYLES,
    TIER_WORDS,
    WARN,
    live,
    number,
    span,
    table,
    word,
)

Doc = dict[str, Any]
_LAMPS = {"green": GOOD, "amber": WARN, "red": BAD}
_BORDERS = ("green", "yellow", "dark_orange3", "red", "red")
_DRILL = (" DRILL ", "bold white on magenta")
_BETWEEN = "  ·  "


def leading(doc: Doc) -> Doc:
    """The room whose tier is in force."""
    return next(room for room in doc["rooms"] if room["room"] == doc["tier"]["room"])


def _several(doc: Doc) -> bool:
    return len(doc["rooms"]) > 1


# ── the banner ─────────────────────────────────────────────────────────────────────────────────────────
def tier(doc: Doc, *, tight: bool = False) -> RenderableType:
    """What to do now, who, and how long is left; at tier 4 the facility's script, step by step."""
    now = doc["tier"]
    text = _headline(doc)
    if now["say"]:
        text.append("\n" if tight else "\n\n").append(now["say"], style="bold")
        text.append(" " if tight else "\n").append(f"{now['who']}{deadline(now['due_in_s'])}")
    if now["also_say"]:
        text.append(f"\n{now['also_say']}")
    for number_, step in enumerate(now["script"], start=1):
        left = deadline(None if step["by_s"] is None else step["by_s"] - now["for_s"])
        text.append(f"\n{number_}. {step['say']} ").append(f"{step['who']}{left}", style="bold" if left else "")
    text.append(_why_still(now["rows"]), style=DIM)
    return Panel(text, border_style=_BORDERS[now["tier"]], padding=(0, 2))


def _headline(doc: Doc) -> Text:
    now = doc["tier"]
    said, style = TIER_WORDS[now["tier"]], TIER_STYLES[now["tier"]]
    if now["tier"] == 0 and all(link["verdict"] == "unknown" for link in doc["links"]):
        said, style = NOTHING_KNOWN
    text = Text.assemble(
        (f" TIER {now['tier']} {said} ", style),
    )
    if doc["drill"]:
        text.append(" ").append(*_DRILL)
    text.append(f"  for {span(now['for_s'])}")
    if _several(doc):
        text.append(_BETWEEN).append(now["room"], style="bold")
    if now["cause"] not in ("none", "unknown"):
        where = f" ({now['cause_at']})" if now["cause_at"] else ""
        text.append(f"{_BETWEEN}cause: {now['cause'].replace('_', ' ')}{where}")
    return text


def _why_still(rows: list[Doc]) -> str:
    """What the rows that are up still wait for: one line of acts and facts, one of those that are clearing."""
    waiting = {need for row in rows if row["tier"] >= 2 for need in row["needs"] if need != "recovered"}
    clearing = [f"{row['row']} in {span(row['clears_in_s'])}" for row in rows if row["clears_in_s"] is not None]
    lines = [f"\nwaits for: {', '.join(sorted(waiting)).replace('_', ' ')}"] if waiting else []
    lines += [f"\nclears: {', '.join(clearing)}"] if clearing else []
    return "".join(lines)


# ── all rooms, a line each ─────────────────────────────────────────────────────────────────────────────
def rooms(doc: Doc) -> RenderableType:
    """Nothing where there is only one: the rest of the board is about it."""
    if not _several(doc):
        return Group()
    return Group(*aligned([_room_line(room, leads=room is leading(doc)) for room in doc["rooms"]]))


def _room_line(room: Doc, *, leads: bool) -> Sequence[Text]:
    now, held = room["tier"], room["session"]
    whose = f"{held['id']} {held['phase'] if held['joined'] else 'requested'}" if held["open"] else "no session"
    compliant = {
        True: Text("A/V live", style=GOOD),
        False: Text("NOT COMPLIANT", style=BAD),
        None: Text("–", style=DIM),
    }
    return (
        Text("▶" if leads else " "),
        Text(room["room"], style="bold"),
        Text(f" {now['tier']} {TIER_WORDS[now['tier']]} ", style=TIER_STYLES[now["tier"]]),
        Text(span(now["for_s"])),
        Text(whose, style="" if held["open"] else DIM),
        compliant[now["av_compliant"]],
        _lamp(room),
    )


# ── the session ────────────────────────────────────────────────────────────────────────────────────────
def session(doc: Doc, *, tight: bool = False) -> RenderableType:
    held = doc["session"]
    if not held["open"]:
        return Text(" no session open", style=DIM) + admission(doc)
    if not held["joined"]:
        asked = f"requested {span(held['for_s'])} ago: nobody has joined yet"
        return Group(Text.assemble(" session ", (held["id"], "bold"), _BETWEEN, (asked, WARN)), _below(admission(doc)))
    line = Text.assemble(" session ", (held["id"], "bold"), f", {held['phase']}, open {span(held['for_s'])}", _BETWEEN)
    if doc["tier"]["av_compliant"]:
        line.append("two-way A/V live", style=GOOD)
    else:
        line.append("NOT COMPLIANT: no two-way A/V", style=BAD)
    if tight:
        return Group(line, _answered(held)) if _wants_record(held) else line
    if _wants_record(held):  # a line of its own: both would not fit 80 columns
        return Group(line, _answered(held), _below(admission(doc)))
    return Group(line, _answered(held) + admission(doc))


def _below(text: Text) -> Text:
    """Under the session's id, without the dot that would join it to what stands before it."""
    return Text(" " * 9) + text[len(_BETWEEN) :]


def _wants_record(held: Doc) -> bool:
    return held["response_class"] != "best" and not held["escalated"]


def _answered(held: Doc) -> Text:
    """How fast the radiologist joined (E2), and whether that wants its record (rule 13)."""
    took_s, found = held["response_s"], held["response_class"].replace("_", " ")
    said = (
        f"         joining not measured: {found}" if took_s is None else f"         joined in {span(took_s)}: {found}"
    )
    if _wants_record(held):
        return Text(f"{said}; document it: edgectl escalate", style=WARN)
    return Text(f"{said}, escalated" if held["escalated"] else said, style=DIM)


def due(doc: Doc) -> RenderableType:
    """The deadlines that run, of the leading room."""
    timers = leading(doc)["timers"]
    if not timers:
        return Group()
    return Text(" DUE    ", style=DIM) + Text(_BETWEEN).join(map(_timer, timers))


def _timer(timer: Doc) -> Text:
    if timer["met"]:
        return Text.assemble(f"{timer['timer']} ", ("met", GOOD))
    if timer["due_in_s"] <= 0:
        return Text(f"{timer['timer']} MISSED {span(-timer['due_in_s'])} ago", style=BAD)
    return Text(f"{timer['timer']} {span(timer['due_in_s'])} left", style=WARN)


def ready(doc: Doc) -> RenderableType:
    """The lamp for the next injection, and the first reason why not."""
    held = leading(doc)["ready"]
    line = Text()
    if held["reasons"]:
        line.append(held["reasons"][0]["say"])
    more = len(held["reasons"]) - 1
    if more > 0:
        line.append(f" (+{more})", style=DIM)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(Text(" READY", DIM), _lamp(leading(doc)), line)
    return row


def _lamp(room: Doc) -> Text:
    level = room["ready"]["level"]
    return Text(f"● {level.upper()}", style=_LAMPS[level])


# ── sound and picture ──────────────────────────────────────────────────────────────────────────────────
_WAYS = (("to_room", "in"), ("from_room", "out"))
_SURE = 0.95


def av(doc: Doc) -> RenderableType:
    """Each medium and way: whether it lives, and on whose word where that is not the observer's."""
    absent = _no_word(doc)
    if absent is not None:
        return absent
    streams, figures = _streams(doc), _figures(doc)
    shown = table("A/V", "TO ROOM", "", "FROM ROOM", "", "LOSS")
    for medium in ("audio", "video"):
        cells: list[RenderableType] = []
        for way, _ in _WAYS:
            cells += [live(streams[medium, way]["live"]), _grounds(streams[medium, way], figures.get((medium, way)))]
        losses = [figures[medium, way]["loss_pct"] for way, _ in _WAYS if (medium, way) in figures]
        worst = max((loss for loss in losses if loss is not None), default=None)
        shown.add_row(Text(medium, style="bold"), *cells, number(worst, "%", digits=1))
    return _warned(shown, doc)


def av_in_short(doc: Doc) -> RenderableType:
    absent = _no_word(doc)
    if absent is not None:
        return absent if "media" not in doc["unwatched"] else Group()
    streams = _streams(doc)
    line = Text(" A/V    ", style=DIM)
    if all(stream["live"] for stream in streams.values()):
        line.append_text(live(True)).append(" both ways, audio and video", style="")
    else:
        line.append_text(Text(_BETWEEN).join(_both_ways(medium, streams) for medium in ("audio", "video")))
    sources = sorted({_source(stream) for stream in streams.values() if _source(stream)})
    return _warned(line.append(f"  {', '.join(sources)}", style=DIM) if sources else line, doc)


def _both_ways(medium: str, streams: dict[tuple[str, str], Doc]) -> Text:
    text = Text(f"{medium} ")
    for way, short in _WAYS:
        text.append_text(live(streams[medium, way]["live"])).append(f" {short} ")
    text.rstrip()
    return text


def _no_word(doc: Doc) -> Text | None:
    """Where nobody says anything of any stream: why."""
    if any(stream["source"] != "none" for stream in leading(doc)["streams"]):
        return None
    held = doc["media"]
    if held is None:
        return absent("media", doc)
    return Text(" A/V      the observer cannot see: unknown", style=WARN) if not held["observing"] else None


def _warned(shown: RenderableType, doc: Doc) -> RenderableType:
    held = doc["media"]
    if held is None or held["protection"] != "clear":
        return shown
    return Group(shown, Text("        NOT ENCRYPTED: anybody on the way can listen", style=BAD))


def _streams(doc: Doc) -> dict[tuple[str, str], Doc]:
    return {(stream["medium"], stream["way"]): stream for stream in leading(doc)["streams"]}


def _figures(doc: Doc) -> dict[tuple[str, str], Doc]:
    held = doc["media"]
    return {(stream["medium"], stream["way"]): stream for stream in held["streams"]} if held else {}


def _grounds(stream: Doc, figures: Doc | None) -> Text:
    if (said := _source(stream)) or figures is None:
        return Text(said, style=DIM)
    if figures["frozen_for_s"]:
        return Text(f"frozen {span(figures['frozen_for_s'])}", style=BAD)
    if figures["frame_rate_hz"] is not None:
        return Text(number(figures["frame_rate_hz"], "fps"))
    return Text(number(figures["packet_rate_hz"], "/s"))


def _source(stream: Doc) -> str:
    """Whose word it is, unless it is the observer's, and how sure, unless it is; nothing for what nobody knows."""
    if stream["source"] == "none":
        return ""
    by = "" if stream["source"] == "observer" else f"by {stream['source']}"
    sure = "" if stream["confidence"] >= _SURE else f"{100 * stream['confidence']:.0f} % sure"
    return ", ".join(filter(None, (by, sure)))


# ── what is left when the lines are gone ───────────────────────────────────────────────────────────────
def phone(doc: Doc) -> RenderableType:
    return phone_of(leading(doc), doc)


def phone_of(room: Doc, doc: Doc, *, named: bool = False) -> RenderableType:
    held = room["phone"]
    line = Text.assemble((" PHONE  ", DIM), (f"{room['room']}  " if named else "", "bold"))
    if held is None:
        return line.append("not watched" if "phone" in doc["unwatched"] else "unknown yet", style=DIM)
    line.append_text(_phone_state(held))
    line.append(f" for {span(held['for_s'])}").append(f"  asked {span(held['age_s'])} ago", style=DIM)
    if held["shared_fate"]:
        line.append(f"\n        SHARED FATE: it dies with {', '.join(held['shared_fate'])}; no fallback", style=BAD)
    return line


def _phone_state(held: Doc) -> Text:
    state = {True: "reachable", False: "unreachable", None: None}[held["reachable"]]
    cause = "" if held["cause"] == "none" else f" ({held['cause'].replace('_', ' ')})"
    registered = {True: (", registered", ""), False: (", NOT REGISTERED", BAD), None: ("", "")}[held["registered"]]
    return Text.assemble(word(state), registered, cause)


def mobile(doc: Doc) -> RenderableType:
    """C3: the workstation that brings the session back by itself, on another carrier than the backup's."""
    held = doc["mobile"]
    if held is None:
        return absent("mobile", doc)
    network = held["mcc_mnc"] or (f"AS{held['asn']}" if held["asn"] else None)
    line = Text.assemble((" MOBILE ", DIM), _mobile_state(held), f" for {span(held['for_s'])}")
    if network:
        line.append(f"  on {network}", style=DIM)
    return line.append_text(_carrier(held))


def _mobile_state(held: Doc) -> Text:
    return word({True: "heard", False: "silent", None: None}[held["heard"]])


def _carrier(held: Doc) -> Text:
    if not held["heard"]:
        return Text()
    said = {
        True: (", another carrier than the backup's", DIM),
        False: (", SAME CARRIER as the backup: one outage takes both", WARN),
        None: (", whether by another carrier than the backup's is not known", DIM),
    }
    text, style = said[held["other_carrier"]]
    return Text(text, style=style)


def fallbacks_in_short(doc: Doc) -> RenderableType:
    """Phone and mobile workstation in one line; what is not watched is said at the board's end."""
    parts = list(_fallbacks(doc))
    return Text(" PHONE  ", style=DIM) + Text(_BETWEEN).join(parts) if parts else Group()


def _fallbacks(doc: Doc) -> Iterable[Text]:
    line, workstation = leading(doc)["phone"], doc["mobile"]
    if line is not None:
        fate = f", SHARED FATE with {', '.join(line['shared_fate'])}" if line["shared_fate"] else ""
        yield Text.assemble(_phone_state(line), (fate, BAD))
    elif "phone" not in doc["unwatched"]:
        yield Text("unknown yet", style=DIM)
    if workstation is not None:
        same = (", SAME CARRIER as the backup", WARN) if workstation["other_carrier"] is False else ("", "")
        yield Text.assemble("mobile workstation ", _mobile_state(workstation), same)


def absent(what: str, doc: Doc) -> Text:
    said = "not watched" if what in doc["unwatched"] else "unknown yet"
    return Text(f" {what.upper():<6} {said}", style=DIM)
