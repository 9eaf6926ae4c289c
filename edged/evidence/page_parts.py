"""The sections of the page an auditor looks for: gaps, timeline, fallbacks, markers, what is missing."""

from collections.abc import Iterable
from typing import Any

from edged.evidence.page_band import close_up
from edged.evidence.page_words import (
    ACT,
    CAUSE,
    MISSING,
    NOT_RECORDED,
    PATH_END,
    PHASE,
    REASON,
    STREAM,
    TIMER,
    TIMER_WORD,
    clock,
    happened,
    since,
    span,
    text,
    times,
    words,
)
from edged.evidence.reading import Doc


def table(head: Iterable[str], rows: Iterable[str]) -> str:
    cells = "".join(f"<th>{each}</th>" for each in head)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def cells(*values: str, minor: bool = False) -> str:
    """The first is a time."""
    first, *rest = values
    minored = ' class="minor"' if minor else ""
    return f'<tr{minored}><td class="time">{first}</td>{"".join(f"<td>{each}</td>" for each in rest)}</tr>'


def when(at_s: object, time: object) -> str:
    return f'{clock(time)} <span class="soft">{since(at_s)}</span>'


def tier(number: object) -> str:
    return f'<span class="tier t{number}">{number}</span>' if isinstance(number, int) else NOT_RECORDED


def person(each: Doc) -> str:
    return f"{text(each['actor'])} ({text(each['role'])})" if each.get("actor") else ""


def reason(code: object) -> str:
    said = words(REASON, code) if code is not None else ""
    return f' <span class="soft">({said})</span>' if said else ""


def cause(each: Doc) -> str:
    where = f" ({text(each['cause_at'])})" if each.get("cause_at") else ""
    drill = "<b>drill</b>: " if each.get("drill") else ""
    return drill + words(CAUSE, each.get("cause")) + where


# ── gaps ───────────────────────────────────────────────────────────────────────────────────────────────
def gaps(found: Doc) -> str:
    parts = []
    head: tuple[str, ...]
    if found["gaps"]:
        head = ("Began", "Not live", "Lost", "Tier", "Cause", "Response demanded", "Response given")
        parts.append(table(head, (_gap(found, each) for each in found["gaps"])))
        parts.append(
            '<p class="note">Times of responses count from the beginning of the gap; before it they have a minus.</p>'
        )
    elif found["supervision"]["seconds"]:
        parts.append("<p>No second was seen without live two-way audio and video.</p>")
    else:
        parts.append("<p>There is no second of supervision in which there could be one.</p>")
    if found["unobserved"]:
        rows = (
            f"<li>{when(each['from_s'], each['time'])}: {span(each['seconds'])}</li>" for each in found["unobserved"]
        )
        parts.append(f"<h3>Time nobody observed</h3><ul>{''.join(rows)}</ul>")
    return "".join(parts)


def _gap(found: Doc, gap: Doc) -> str:
    unseen = (
        f'<br><span class="soft">{span(gap["unobserved_s"])} of it not observed</span>' if gap["unobserved_s"] else ""
    )
    phase = f'<br><span class="soft">{words(PHASE, gap["phase"])}</span>' if gap["phase"] else ""
    lost = ", ".join(words(STREAM, name) for name in gap["streams"]) or NOT_RECORDED
    lost = "audio and video, both ways" if len(gap["streams"]) == len(STREAM) else lost
    incident = f'<br><span class="soft">incident {gap["incident"]}</span>' if gap["incident"] is not None else ""
    return cells(
        when(gap["from_s"], gap["time"]) + phase,
        f'<b class="whole">{span(gap["seconds"])}</b>{unseen}',
        lost + close_up(found, gap),
        tier(gap["tier"]),
        cause(gap) + incident,
        _lines(_demand(each) for each in gap["demanded"]),
        _lines(_given(each) for each in gap["given"]),
    )


def _lines(items: Iterable[str]) -> str:
    found = list(items)
    return "<br>".join(found) if found else '<span class="soft">none recorded</span>'


def _demand(each: Doc) -> str:
    by = "" if each["by_s"] is None else f", within {span(each['by_s'])}" if each["by_s"] else ", at once"
    return f'{_after(each)} {text(each["say"])} <span class="soft">({text(each["who"])}{by})</span>'


def _given(each: Doc) -> str:
    return f"{_after(each)} {person(each)} {words(ACT, each['act'])}{reason(each['reason'])}"


def _after(each: Doc) -> str:
    """Since the gap began."""
    return f'<span class="soft">{since(each["after_s"])}</span>'


# ── timeline ───────────────────────────────────────────────────────────────────────────────────────────
_MINOR = ("timer.", "incident.", "path.", "link.", "router.", "power.", "media.", "record.", "phone.", "mobile.")
_CODED: dict[str, dict[str, str]] = {"cause": CAUSE, "dies_at": PATH_END, "trouble": {}}
"""Fields whose codes have words of their own: "unknown" is another thing for a cause than for a path."""


def timeline(found: Doc) -> str:
    rows = (
        cells(
            when(each["at_s"], each["time"]),
            tier(each["tier"]),
            _what(each),
            person(each["said"]),
            minor=each["what"].startswith(_MINOR),
        )
        for each in found["timeline"]
    )
    return table(("Time", "Tier", "What", "Who"), rows)


def _what(each: Doc) -> str:
    kind, said = each["what"], each["said"]
    if kind == "tier.entered":
        return f"Tier {each['tier']} in force: {cause(said)}" if each["tier"] else "Tier 0: nothing is wrong any more"
    if kind.startswith("timer."):
        left = f", due in {span(said['due_in_s'])}" if kind == "timer.started" and "due_in_s" in said else ""
        word = words(TIMER_WORD, kind.removeprefix("timer."))
        return f"Timer, {words(TIMER, said.get('timer'))}: {word}{left}"
    more = [text(said[name]) for name in ("subject", "at") if name in said]
    if "from" in said and "to" in said:
        more.append(f"{text(said['from'])} to {text(said['to'])}")
    more += [words(table, said[name]) for name, table in _CODED.items() if name in said]
    detail = f": {', '.join(more)}" if more else ""
    return happened(kind) + detail + (reason(said["reason"]) if "reason" in said else "")


# ── one question each ──────────────────────────────────────────────────────────────────────────────────
def fallbacks(found: Doc) -> str:
    """Phone (C2), mobile workstation (C3), timers."""
    phone, mobile = found["phone"], found["mobile"]
    said = [
        "The direct phone line was used as the fallback." if phone["used"] else "Nobody attested use of the phone.",
        "The mobile workstation took over." if mobile["used"] else "Nobody attested use of the mobile workstation.",
    ]
    rows = [
        cells(when(each["at_s"], each["time"]), happened(each["what"]) + reason(each["reason"]), person(each))
        for each in (*phone["calls"], *mobile["acts"])
    ]
    listed = table(("Time", "What", "Who"), rows) if rows else ""
    return f"<p>{' '.join(said)}</p>{listed}"


def outcomes(found: Doc) -> str:
    rows = [
        cells(
            when(each["at_s"], each["time"]),
            happened(each["what"]) + reason(each["reason"]),
            {True: "the connection", False: "not the connection", None: NOT_RECORDED}[each["by_connectivity"]],
            person(each),
        )
        for each in found["outcomes"]
    ]
    return table(("Time", "What", "Blamed on", "Who"), rows) if rows else ""


def reactions(found: Doc) -> str:
    rows = [
        cells(
            when(each["at_s"], each["time"]),
            text(each["marker"]),
            tier(each["tier"]),
            _around(each["before"]),
            _around(each["after"]),
            "; ".join(_link(link) for link in each["network"]) or NOT_RECORDED,
        )
        for each in found["reactions"]
    ]
    head = ("Time", "Marker", "Tier", "Minute before", "Minute after", "Lines, as last told")
    return table(head, rows) if rows else ""


def _around(counts: Doc) -> str:
    found = (("live_s", "live"), ("dead_s", "not live"), ("unobserved_s", "not observed"))
    return ", ".join(f"{counts[name]} s {word}" for name, word in found if counts[name]) or NOT_RECORDED


def _link(link: Doc) -> str:
    figures = [f"{link['rtt_ms']:g} ms" if link["rtt_ms"] is not None else ""]
    figures.append(f"{link['loss_pct']:g} % lost" if link["loss_pct"] is not None else "")
    told = ", ".join(figure for figure in figures if figure)
    return f"{text(link['link'])} {text(link['verdict'])}" + (f" ({told})" if told else "")


def network(found: Doc) -> str:
    rows = (
        cells(when(each["at_s"], each["time"]), tier(each["tier"]), "<br>".join(_link(link) for link in each["links"]))
        for each in found["network"]
    )
    return table(("Time", "Tier entered", "Lines, as they were then"), rows)


_OPEN = "not closed in these rows"


def incidents(found: Doc) -> str:
    rows = (
        cells(
            f"{clock(each['time'])} <span class='soft'>{since(each['from_s'])} to {since(each['to_s'])}</span>",
            str(each["incident"]),
            tier(each["tier"]),
            ", ".join(words(CAUSE, cause) for cause in each["causes"]) or NOT_RECORDED,
            (f"part of incident {each['into']}" if each["into"] else "closed") if each["closed"] else _OPEN,
        )
        for each in found["incidents"]
    )
    return table(("Time", "Incident", "Worst tier", "Causes", "State"), rows)


def completeness(found: Doc) -> str:
    held: Any = found["completeness"]
    share = f"{held['there']} of {times(held['asked'], 'item')} that edged can know are recorded."
    if not held["missing"]:
        return f"<p>{share} Nothing is missing.</p>"
    listed = "".join(f"<li>{words(MISSING, each)}</li>" for each in held["missing"])
    return f"<p>{share} Not recorded:</p><ul>{listed}</ul>"
