"""What happened in the session, in order, and what of it answers a question of its own: tiers, timers, fallbacks (C2,
C3), outcomes (E6), markers (E5), figures of the network (E4), paths, incidents.
"""

from collections.abc import Callable, Mapping
from typing import Any

from edged.core.events import Json
from edged.evidence import forms
from edged.evidence.gaps import demanded
from edged.evidence.seconds import Band
from edged.evidence.story import Moment, Story

AROUND_S = 60
"""Of a reaction marker: how the link was so long before and after it."""
PHONE = ("act.phone_confirmed", "act.phone_failed")
OUTCOMES = ("act.held", "act.halted", "act.rescheduled")

Part = dict[str, Json]
Detail = Callable[[Mapping[str, Any]], Part]


def _codes(*names: str) -> Detail:
    return lambda data: {name: forms.code(data, name) for name in names if data.get(name) is not None}


def _act(data: Mapping[str, Any]) -> Part:
    person: Part = {"actor": forms.named(data, "actor"), "role": forms.code(data, "role")}
    return person | {"reason": forms.code(data, "reason"), "subject": forms.named(data, "subject")}


def _tier(data: Mapping[str, Any]) -> Part:
    drill: Part = {"drill": True} if forms.truth(data, "drill") else {}
    return _codes("row", "cause")(data) | {"cause_at": forms.named(data, "cause_at")} | drill


def _moved(data: Mapping[str, Any]) -> Part:
    return {"from": forms.named(data, "previous"), "to": forms.named(data, "active")}


def _timer(data: Mapping[str, Any]) -> Part:
    return _codes("timer")(data) | {"due_in_s": forms.seconds(data, "due_in_s")}


def _of(data: Mapping[str, Any]) -> Part:
    return {"at": forms.named(data, "at")} | _codes("severity", "cause")(data)


_TOLD: tuple[tuple[str, Detail], ...] = (
    ("tier.entered", _tier),
    ("response.demanded", _codes("row")),
    ("act.refused", lambda data: _act(data) | _codes("act", "refused")(data)),
    ("act.repeated", lambda data: _act(data) | _codes("act")(data)),
    ("act.", _act),
    ("session.unanswered", lambda data: {"waited_s": forms.seconds(data, "waited_s")}),
    ("timer.", _timer),
    ("wan.", _moved),
    ("incident.", lambda data: _codes("cause")(data) | {"at": forms.named(data, "at")}),
    ("path.diagnosed", lambda data: {"at": forms.named(data, "at")} | _codes("dies_at", "trouble")(data)),
    ("clock.stepped", lambda data: {"by_s": forms.seconds(data, "by_s")}),
    ("daemon.", lambda data: {"version": forms.token(data, "version")}),
    ("link.", _of),
    ("phone.", _of),
    ("mobile.", _of),
    ("router.", _of),
    ("power.", _of),
    ("media.", _of),
    ("record.", _of),
)
"""What the timeline tells of, and which of it. The first row that fits."""


def timeline(story: Story) -> list[Json]:
    found: list[Json] = []
    for moment in story.moments:
        detail = next((row[1] for row in _TOLD if moment.said.kind.startswith(row[0])), None)
        if detail is not None:
            said = {name: value for name, value in detail(moment.said.data).items() if value is not None}
            found.append({**_when(moment), "tier": moment.tier, **_incident(moment), "said": said})
    return found


def tiers(story: Story) -> list[Json]:
    """Each tier with how long it stood, and what it demanded."""
    entered = story.of("tier.entered")
    ends_s = [m.at_s for m in entered[1:]] + [story.moments[-1].at_s]
    return [
        {
            **_when(m),
            "tier": m.tier,
            "lasted_s": round(end_s - m.at_s, 3),
            "rows": [*forms.codes(m.said.data, "rows")],
            "demanded": demanded(m, m.at_s),
            **_tier(m.said.data),
            **_incident(m),
        }
        for m, end_s in zip(entered, ends_s, strict=False)  # one end more than tiers where there are none
    ]


def timers(story: Story) -> list[Json]:
    return [{**_when(m), **_timer(m.said.data)} for m in story.of("timer.")]


def phone(story: Story) -> Part:
    """C2: whether the phone was the fallback, and the coded reason."""
    calls = [m for m in story.moments if m.said.kind in PHONE]
    used = any(m.said.kind == "act.phone_confirmed" for m in calls)
    return {"used": used, "calls": [_did(m) for m in calls]}


def mobile(story: Story) -> Part:
    ups = story.of("act.mobile_up")
    return {"used": bool(ups), "acts": [_did(m) for m in ups]}


def outcomes(story: Story) -> list[Json]:
    """Holds, halts and reschedules, and whether the line was to blame (E6)."""
    found = [m for m in story.moments if m.said.kind in OUTCOMES]
    return [{**_did(m), "by_connectivity": forms.truth(m.said.data, "by_connectivity")} for m in found]


def reactions(story: Story, band: Band) -> list[Json]:
    """Opaque markers of another system, and how the link was around each (E5)."""
    return [_reaction(story, band, m) for m in story.of("act.reaction_marked")]


def _reaction(story: Story, band: Band, marked: Moment) -> Part:
    at = int(marked.at_s - story.grid_s)
    before, after = band.av[max(0, at - AROUND_S) : max(0, at)], band.av[max(0, at) : max(0, at) + AROUND_S]
    figures = [m for m in story.of("tier.entered") if m.at_s <= marked.at_s]
    return {
        **_when(marked),
        "marker": forms.named(marked.said.data, "subject"),
        "tier": marked.tier,
        "before": _counts(before),
        "after": _counts(after),
        "network": _links(figures[-1]) if figures else [],
    }


def _counts(letters: str) -> Part:
    return {"live_s": letters.count("Y"), "dead_s": letters.count("N"), "unobserved_s": letters.count("U")}


def network(story: Story) -> list[Json]:
    """The figures each tier event rests on (E4)."""
    return [{**_when(m), "tier": m.tier, "links": _links(m)} for m in story.of("tier.entered")]


def _links(moment: Moment) -> list[Json]:
    links = forms.inner(forms.inner(moment.said.data, "evidence"), "links")
    return [
        {
            "link": forms.named({"link": name}, "link"),
            "verdict": forms.code(held, "verdict"),
            "cause": forms.code(held, "cause"),
            "rtt_ms": forms.seconds(held, "rtt_ms"),
            "loss_pct": forms.seconds(held, "loss_pct"),
        }
        for name, held in sorted(links.items())
        if isinstance(held, Mapping)
    ]


def paths(story: Story) -> list[Json]:
    return [
        {**_when(m), "at": forms.named(m.said.data, "at"), **_codes("dies_at", "why", "trouble")(m.said.data)}
        for m in story.of("path.diagnosed")
    ]


def incidents(story: Story) -> list[Json]:
    """By number: what belongs to each, from the first row that names it to the last."""
    rows: dict[int, list[Moment]] = {}
    for moment in story.moments:
        number = _number(moment)
        if number is not None:
            rows.setdefault(number, []).append(moment)
    return [_one_incident(number, found) for number, found in sorted(rows.items())]


def _one_incident(number: int, rows: list[Moment]) -> Part:
    named = [cause for m in rows if (cause := forms.code(m.said.data, "cause")) and m.said.kind.startswith("incident.")]
    causes = named or [cause for m in rows if (cause := forms.code(m.said.data, "cause"))]
    causes = [cause for cause in causes if cause not in ("none", "recovering")]
    return {
        "incident": number,
        "from_s": rows[0].at_s,
        "time": rows[0].said.time,
        "to_s": rows[-1].at_s,
        "closed": any(m.said.kind == "incident.closed" for m in rows),
        "into": next((into for m in rows if (into := forms.whole(m.said.data, "into")) is not None), None),
        "tier": max(*(m.tier for m in rows), *(forms.whole(m.said.data, "worst_tier") or 0 for m in rows)),
        "causes": list(dict.fromkeys(causes)),
        "rows": len(rows),
    }


def _did(moment: Moment) -> Part:
    return {**_when(moment), **_act(moment.said.data), "tier": moment.tier}


def _when(moment: Moment) -> Part:
    return {"at_s": moment.at_s, "time": moment.said.time, "what": moment.said.kind}


def _number(moment: Moment) -> int | None:
    """Of the incident it belongs to, or is about."""
    own = "number" if moment.said.kind.startswith("incident.") else "incident"
    return forms.whole(moment.said.data, own)


def _incident(moment: Moment) -> Part:
    number = _number(moment)
    return {} if number is None else {"incident": number}
