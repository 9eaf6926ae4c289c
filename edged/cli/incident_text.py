"""Incidents and alarms as plain text, 80 columns wide. Pure: from the documents of the daemon or its record."""

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

from edged.cli.words import span

Doc = dict[str, Any]
WIDTH = 80


# ── all of them ────────────────────────────────────────────────────────────────────────────────────────
def list_lines(found: list[Doc]) -> list[str]:
    """A line an incident, and one for where it was felt."""
    if not found:
        return ["No incident is on record."]
    lines = [f"{'NO':>5}  {'SINCE (UTC)':19}  {'STATE':8}  TIER  {'LASTED':7}  CAUSE"]
    for each in found:
        state = f"in {each['into']}" if each["state"] == "merged" else each["state"]
        head = f"{each['number']:>5}  {_when(each['since']):19}  {state:8}  {each['worst_tier']:>4}  "
        lines.append(_cut(f"{head}{span(each['lasted_s']):7}  {cause(each)}"))
        if each["rooms"] or each["sessions"]:
            lines += _folded(_felt(each), indent=7)
    return lines


def cause(each: Doc) -> str:
    """link down (fiber)"""
    if each["cause"] is None:
        return "not on record"
    where = f" ({each['at']})" if each["at"] else ""
    return f"{each['cause'].replace('_', ' ')}{where}"


def _felt(each: Doc) -> str:
    rooms = f"room {', '.join(each['rooms'])}" if each["rooms"] else ""
    sessions = f"session {', '.join(each['sessions'])}" if each["sessions"] else ""
    return "; ".join(filter(None, (rooms, sessions)))


# ── one of them ────────────────────────────────────────────────────────────────────────────────────────
def incident_lines(found: Doc) -> list[str]:
    """From onset to closure. Times count from the onset."""
    return [
        *_head(found),
        *_part("CAUSE", (f"{_at(each)}  {cause(each)}" for each in found["causes"])),
        *_part("TIERS", map(_tier, found["tiers"])),
        *_part("DEMANDED AND DONE", (line for each in found["responses"] for line in _response(each))),
        *_part("DEADLINES", map(_timer, found["timers"])),
        *_part("SYMPTOMS", map(_symptom, found["symptoms"])),
        *_part("LINES", (f"{_at(each)}  from {each['previous']} to {each['active']}" for each in found["moves"])),
        *_part("TWO-WAY SOUND AND PICTURE", map(_media, found["media"])),
        *_part("WHERE THE PATH ENDS", map(_path, found["paths"])),
    ]


def _head(found: Doc) -> Iterator[str]:
    yield f"INCIDENT {found['number']}: {cause(found)}"
    yield f"  began   {_when(found['since'])} UTC"
    if found["state"] == "open":
        yield "  OPEN"
    elif found["state"] == "merged":
        yield f"  part of incident {found['into']}"
    else:
        yield f"  lasted  {span(found['lasted_s'])}, closed {_when(found['closed'])} UTC"
    yield f"  worst tier {found['worst_tier']}"
    if felt := _felt(found):
        yield from _folded(felt, indent=2)


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    held = [folded for line in lines for folded in _hanging(line)]
    if held:
        yield from ("", title, *held)


def _at(each: Doc) -> str:
    """+1.5 s, +20 s, +12m 05s; before the onset with a minus."""
    after_s = each["after_s"]
    if abs(after_s) < 10:
        return f"{after_s:+6.1f} s"
    return f"{'-' if after_s < 0 else '+'}{span(abs(after_s))}".rjust(8)


def _tier(each: Doc) -> str:
    row = f"  {each['row']}" if each["row"] else ""
    why = f", {cause({'cause': each['cause'], 'at': each['cause_at']})}" if each["tier"] else ""
    drill = ", a drill" if each.get("drill") else ""
    return f"{_at(each)}  tier {each['tier']}{row}  room {each['room']}{why}{drill}"


def _response(each: Doc) -> Iterator[str]:
    by = "" if each["by_s"] is None else ", at once" if each["by_s"] == 0 else f", within {span(each['by_s'])}"
    yield f"{_at(each)}  {each['say']} ({each['who']}{by})"
    for act in each["given"]:
        late = ", LATE" if act["late"] else ""
        done = act["act"].replace("_", " ")
        yield f"{'':10}after {span(act['within_s'])}{late}: {done}, by {act['actor']} ({act['role']}), {act['reason']}"
    if not each["given"] and each["rose"]:
        yield f"{'':10}no answer is on record"


def _timer(each: Doc) -> str:
    said = [f"{each['timer']} in {span(each['due_s'])}"]
    said += ["MISSED"] if each["expired"] else []
    said += [f"met after {span(each['met_s'])}"] if each["met_s"] is not None else []
    if each["met_s"] is None and each["over_s"] is not None:
        said.append(f"no longer needed after {span(each['over_s'])}")
    return f"{_at(each)}  {', '.join(said)}; room {each['room']}"


def _symptom(each: Doc) -> str:
    lasted = "still up" if each["cleared"] is None else f"lasted {span(each['lasted_s'])}"
    often = f", {each['times']} times" if each["times"] > 1 else ""
    return f"{_at(each)}  {each['symptom']}, {lasted}{often}"


def _media(each: Doc) -> str:
    lives = {True: "live", False: "lost", None: "not known"}
    compliant = {True: "live", False: "NOT LIVE", None: "nobody supervises"}[each["av_compliant"]]
    return (
        f"{_at(each)}  {compliant}: sound {lives[each['audio']]}, picture {lives[each['video']]}; room {each['room']}"
    )


def _path(each: Doc) -> str:
    if each["trouble"] is not None:
        return f"{_at(each)}  {each['at']}: not found out ({each['trouble'].replace('_', ' ')})"
    why = f" ({each['why'].replace('_', ' ')})" if each["why"] else ""
    return f"{_at(each)}  {each['at']}: {(each['dies_at'] or 'unknown').replace('_', ' ')}{why}"


# ── alarms ─────────────────────────────────────────────────────────────────────────────────────────────
def alarm_lines(alarms: list[Doc], kpi: Doc) -> list[str]:
    """Two lines an alarm: what it is, and what to do. What is out of sight comes last."""
    lines = [line for each in alarms for line in _alarm(each)] or ["No alarm."]
    often = f", most often {kpi['most_frequent']}" if kpi["most_frequent"] else ""
    counts = f"{kpi['a_day']} in 24 hours{often}; {kpi['standing']} stand for more than a day; {kpi['flapping']} flap"
    return [*lines, "", *_folded(counts, indent=0)]


def _alarm(each: Doc) -> Iterator[str]:
    notes = [
        "SHELVED, back in " + span(each["shelved_for_s"]) if each["shelved_for_s"] is not None else "",
        "made by the drill" if each["suppressed"] else "",
        "acknowledged" if each["acknowledged"] else "",
        "FLAPPING" if each["flapping"] else "",
        f"incident {each['incident']}" if each["incident"] is not None else "",
        f"{each['symptoms']} more under it" if each["symptoms"] else "",
    ]
    yield from _hanging(", ".join(filter(None, (f"{each['severity'].upper():7} {each['alarm']}", *notes))), indent=8)
    by = "" if each["by_s"] is None else ", at once" if each["by_s"] == 0 else f", within {span(each['by_s'])}"
    yield from _folded(f"{each['say']} ({each['who']}{by}; up for {span(each['for_s'])})", indent=8)


# ── 80 columns ─────────────────────────────────────────────────────────────────────────────────────────
def _when(time: str | None) -> str:
    """2026-01-01 00:15:05"""
    return time[:19].replace("T", " ") if time else "–"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _folded(text: str, *, indent: int) -> list[str]:
    return wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)


def _hanging(line: str, *, indent: int = 10) -> list[str]:
    """What does not fit goes on below its own text."""
    return wrap(line, WIDTH, subsequent_indent=" " * indent, drop_whitespace=True, replace_whitespace=False) or [line]
