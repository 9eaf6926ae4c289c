"""The packet for people: one page that needs nothing else, made from the packet alone, the same each time.

First what a radiologist asks (was I there?), then what an auditor asks (what was done, and who says so?), then how to
check it.
"""

from edged.evidence import page_parts as parts
from edged.evidence.packet import Packet
from edged.evidence.page_band import picture
from edged.evidence.page_style import STYLE
from edged.evidence.page_words import (
    ESCALATION,
    NOT_RECORDED,
    PATH_END,
    RESPONSE_CLASS,
    clock,
    since,
    span,
    text,
    times,
    words,
)
from edged.evidence.proof import signed_places
from edged.evidence.reading import Doc


def page(packet: Packet) -> str:
    found = packet.derived
    sections = [
        ("Every second of supervision", picture(found)),
        ("Interruptions", parts.gaps(found)),
        ("Timeline", parts.timeline(found)),
        ("Fallbacks", parts.fallbacks(found)),
        ("Held, halted, rescheduled", parts.outcomes(found)),
        ("Reaction markers", parts.reactions(found)),
        ("Completeness", parts.completeness(found)),
    ]
    body = "".join(f"<section><h2>{name}</h2>{content}</section>" for name, content in sections if content)
    title = f"Evidence of supervision, session {text(packet.session)}"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>{_head(packet)}{_headline(found)}{_figures(found)}{body}"
        f'<section class="appendix"><h2>Technical appendix</h2>{_appendix(packet)}</section>{_FOOT}</body></html>\n'
    )


def _head(packet: Packet) -> str:
    session = packet.derived["session"]
    room = f", room {text(session['room'])}" if session["room"] else ""
    day = _day(packet)
    return (
        "<header><h1>Evidence of remote contrast supervision</h1>"
        f"<p>{text(packet.site)}{room}<br>session <b>{text(packet.session)}</b>, {day}, all times UTC</p></header>"
    )


def _day(packet: Packet) -> str:
    own = next((row.said for row in packet.rows if row.said.data.get("session") == packet.session), None)
    return text(own.time[:10]) if own else NOT_RECORDED


# ── the first glance ───────────────────────────────────────────────────────────────────────────────────
def _headline(found: Doc) -> str:
    kind, said = _verdict(found)
    return f'<p class="headline {kind}">{said}</p>{_again(found)}<p class="under">{_under(found)}</p>'


def _again(found: Doc) -> str:
    again = found["session"]["again"]
    if again is None:
        return ""
    when = f"{text(again['time'][:10])} at {clock(again['time'])}"
    return f'<p class="under"><b>The id was used for another procedure on {when}: that one is not told here.</b></p>'


def _verdict(found: Doc) -> tuple[str, str]:
    held = found["supervision"]
    if not held["seconds"]:
        return "unsure", _nothing(found["session"])
    if held["continuous"]:
        return "good", f"Supervision was continuous for {span(held['seconds'])}."
    if held["continuous"] is None:
        unseen = f"{span(held['unobserved_s'])} were not observed" if held["unobserved_s"] else _UNBEGUN
        return "unsure", f"Whether supervision was continuous cannot be said: {unseen}."
    count = held["interruptions"]
    often = "once" if count == 1 else "twice" if count == 2 else f"{count} times"
    longest = f"; the longest gap was {span(held['longest_s'])}" if count > 1 else ""
    return "bad", f"Supervision was interrupted {often}, for {span(held['dead_s'])} in all{longest}."


_UNBEGUN = "its beginning is not in the record"


def _nothing(session: Doc) -> str:
    if session["joined"] or session["opened"]:
        return "No second of supervision is recorded."
    return f"No supervision is recorded: {'nobody joined' if session['requested'] else _UNBEGUN}."


def _under(found: Doc) -> str:
    held, session = found["supervision"], found["session"]
    start, end = session["joined"] or session["opened"], session["closed"]
    until = f"to {clock(end['time'])}" if end else "and was not closed in these rows"
    began = f"A radiologist supervised from {clock(start['time'])} {until}." if start else _NO_JOINING
    unseen = f" {span(held['unobserved_s'])} were not observed and count as neither." if held["unobserved_s"] else ""
    live = f" {span(held['live_s'])} of {span(held['seconds'])} with live two-way audio and video."
    return began + (live + unseen if held["seconds"] else "")


_NO_JOINING = "The record has no moment at which a radiologist joined."


def _figures(found: Doc) -> str:
    response = found["session"]["response"]
    more = ESCALATION.get(response["escalation"] or "", "")
    figures = (
        (
            "Radiologist joined after",
            span(response["took_s"]),
            words(RESPONSE_CLASS, response["class"]) + (f"; {more}" if more else ""),
        ),
        *_seconds(found["supervision"]),
        ("Highest tier", _highest(found), _highest_said(found)),
    )
    return (
        '<dl class="figures">'
        + "".join(f"<div><dt>{a}</dt><dd>{b}<small>{c}</small></dd></div>" for a, b, c in figures)
        + "</dl>"
    )


def _seconds(held: Doc) -> tuple[tuple[str, str, str], ...]:
    live, dead, unseen = "Live two-way audio and video", "Interrupted", "Not observed"
    if not held["seconds"]:
        return tuple((name, NOT_RECORDED, "") for name in (live, dead, unseen))
    share = f"{1000 * held['live_s'] // held['seconds'] / 10:.1f} %"  # never rounded up
    return (
        (live, share, f"{span(held['live_s'])} of {span(held['seconds'])}"),
        (dead, span(held["dead_s"]), times(held["interruptions"], "gap")),
        (unseen, span(held["unobserved_s"]), "neither good nor bad"),
    )


def _highest(found: Doc) -> str:
    seen = [int(digit) for digit in found["band"]["tier"] if digit.isdigit()]
    seen += [each["tier"] for each in _entered(found)]
    return parts.tier(max(seen)) if seen else NOT_RECORDED


def _highest_said(found: Doc) -> str:
    worst = max(_entered(found), key=lambda each: each["tier"], default=None)
    return parts.cause(worst) if worst and worst["tier"] else ""


def _entered(found: Doc) -> list[Doc]:
    """From the session's first event to its closing."""
    closed = found["session"]["closed"]
    end_s = closed["at_s"] if closed else float("inf")
    return [each for each in found["tiers"] if 0 <= each["at_s"] <= end_s]


# ── for the auditor ────────────────────────────────────────────────────────────────────────────────────
def _appendix(packet: Packet) -> str:
    found = packet.derived
    pieces = [
        ("Network figures at each change of tier", parts.network(found) if found["network"] else ""),
        ("Incidents", parts.incidents(found) if found["incidents"] else ""),
        ("Paths walked", _paths(found)),
        ("Sources of the seconds", _sources(found)),
        ("Clock", _clock(found)),
        ("Software, configuration, protocol", _software(packet)),
        ("Proof", _proof(packet)),
    ]
    return "".join(f"<h3>{name}</h3>{content}" for name, content in pieces if content)


def _paths(found: Doc) -> str:
    rows = [
        parts.cells(
            parts.when(each["at_s"], each["time"]),
            text(each["at"]),
            words(PATH_END, each.get("dies_at") or each.get("trouble")),
        )
        for each in found["paths"]
    ]
    return parts.table(("Time", "Line", "Where it ended"), rows) if rows else ""


def _sources(found: Doc) -> str:
    sources = ", ".join(text(each) for each in found["band"]["sources"]) or NOT_RECORDED
    protection = ", ".join(text(each) for each in found["protection"]) or NOT_RECORDED
    return f"<p>Told by: {sources}. Protection of the media as seen on the wire: {protection}.</p>"


def _clock(found: Doc) -> str:
    held = found["clock"]
    rows = ", ".join(f"{count} {text(name)}" for name, count in held["rows"].items() if count)
    steps = "; ".join(f"{since(each['at_s'])} by {each['by_s']} s" for each in held["steps"]) or "none"
    return (
        f"<p>Rows by the state of the wall clock: {rows}. The clock was set: {steps}. Durations within a boot are from"
        f" the monotonic clock; {times(held['boots'], 'boot')} in these rows.</p>"
    )


def _software(packet: Packet) -> str:
    said = "".join(
        f"<li>version {text(each.get('version'))}, configuration <code>{text(each['config_hash'])}</code>, protocol"
        f" {text(each['protocol'])} <code>{text(each['protocol_hash'] or '')}</code></li>"
        for each in packet.derived["software"]
    )
    text_of = "The text of the protocol is in the packet." if packet.protocol is not None else ""
    return f"<ul>{said}</ul><p>{text_of}</p>" if said else f"<p>{NOT_RECORDED}.</p>"


def _proof(packet: Packet) -> str:
    places = signed_places(packet.rows)
    covers = [each.covers for each in places if each.covers is not None]
    last = f"up to {text(packet.rows[max(covers)].said.time)}" if covers else "none of them"
    keys = "".join(f"<li><code>{_spaced(key)}</code></li>" for key, _ in packet.keys) or f"<li>{NOT_RECORDED}</li>"
    return (
        f"<p>{len(packet.rows)} rows of the record in one hash chain (SHA-256), {len(places)} signed checkpoints"
        f" (Ed25519), rows signed {last}. SHA-256 of the packet:<br><code>{packet.hash}</code></p>"
        f"<p>Fingerprint of the signing key, to be compared with the one the NOC holds of this site:</p><ul>{keys}</ul>"
        f"<p>To check: <code>edgectl verify evidence-{text(packet.session)}.json --witness FILE</code>, with the"
        " checkpoints the NOC holds. Without them nobody vouches for the key.</p>"
    )


def _spaced(fingerprint: str) -> str:
    return text(" ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)))


_FOOT = (
    '<footer><p class="note">What this page can say: whether audio and video arrived, each way, in each second, and'
    " what people attested. Liveness of transport is not attention, image quality or a covered lens. Times nobody"
    " observed are shown as not observed, never as good. There is no patient data in it: sessions and markers are"
    " opaque, reasons are coded.</p></footer>"
)
