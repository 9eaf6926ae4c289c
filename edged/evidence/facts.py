"""What is known of the session as a whole: its times, its response class (E2), its phases, and what is missing (E3)."""

from edged.core.events import Json
from edged.evidence import forms
from edged.evidence.seconds import Band
from edged.evidence.story import CLOSES, Moment, Story

BEST_S, ACCEPTABLE_S, LATE_S = 30.0, 60.0, 90.0
"""E2 and rule 13, where the row that says the class is not in the packet."""
PHASE_AFTER = {
    "act.session_joined": "pre",
    "act.session_opened": "pre",
    "act.contrast_started": "injecting",
    "act.contrast_ended": "monitoring",
    "act.monitoring_ended": "pre",
    "act.session_closed": "closed",
}
TIMES = (
    *(("requested", "act.session_requested"), ("joined", "act.session_joined"), ("opened", "act.session_opened")),
    ("escalated", "act.escalated"),
)


def facts(story: Story) -> dict[str, Json]:
    found: dict[str, Json] = {"id": story.session, "room": story.room, "site": story.site.removeprefix("edge/")}
    for name, kind in TIMES:
        first = next(iter(story.own(kind)), None)
        found[name] = None if first is None else _when(first)
    closed = next((m for m in story.own(CLOSES) if m.at_s == story.closed_s), None)
    found["closed"] = None if closed is None else _when(closed)
    found["again"] = None if story.again is None else _when(story.again)
    return found | {"response": _response(story), "phases": _phases(story)}


def _response(story: Story) -> dict[str, Json]:
    """The judge's own word where it is there, else from the times."""
    told = next(iter(story.own("session.answered")), None)
    escalated = bool(story.own("act.escalated"))
    if told is not None:
        took_s, found = forms.seconds(told.said.data, "response_s"), forms.code(told.said.data, "response_class")
        needed = forms.truth(told.said.data, "needs_escalation")
    else:
        took_s = _took_s(story)
        found = _class(took_s) if story.joined_s is not None else _not_joined(story)
        needed = None if found is None else found != "best"
    escalation = "recorded" if escalated else _NEEDED[needed]
    return {"took_s": took_s, "class": found, "escalation": escalation}


def _not_joined(story: Story) -> str | None:
    return "unanswered" if story.own("act.session_requested") and not story.supervised else None


_NEEDED = {True: "missing", False: "not_needed", None: None}
"""None: whoever joined did so before the rows begin."""


def _took_s(story: Story) -> float | None:
    asked = next(iter(story.own("act.session_requested")), None)
    joined = next(iter(story.own("act.session_joined")), None)
    return None if asked is None or joined is None else round(joined.at_s - asked.at_s, 3)


def _class(took_s: float | None) -> str:
    if took_s is None or took_s > LATE_S:
        return "at_risk"
    if took_s < BEST_S:
        return "best"
    return "acceptable" if took_s <= ACCEPTABLE_S else "late"


def _phases(story: Story) -> list[Json]:
    steps = [
        (m, PHASE_AFTER[m.said.kind]) for m in story.moments if m.said.kind in PHASE_AFTER and story.is_own(m.said)
    ]
    ends = [m.at_s for m, _ in steps[1:]] + [story.end_s]
    return [
        {"phase": phase, "from_s": m.at_s, "to_s": end_s}
        for (m, phase), end_s in zip(steps, ends, strict=False)  # one end more than steps where there are none
        if phase != "closed"
    ]


def _when(moment: Moment) -> dict[str, Json]:
    return {
        "at_s": moment.at_s,
        "time": moment.said.time,
        "actor": forms.named(moment.said.data, "actor"),
        "role": forms.code(moment.said.data, "role"),
    }


def completeness(story: Story, band: Band, session: dict[str, Json]) -> dict[str, Json]:
    """E3: what a complete record has, and which of it is not here."""
    response = session["response"]
    assert isinstance(response, dict)
    contrast = bool(story.own("act.contrast_started"))
    wanted = {
        "request_time": session["requested"] is not None,
        "joining_time": story.joined_s is not None,
        "response_time": response["took_s"] is not None,
        "escalation_record": response["escalation"] in ("recorded", "not_needed"),
        "every_second_observed": bool(band.av) and "U" not in band.av,
        "contrast_start": contrast,
        "contrast_end": contrast and bool(story.own("act.contrast_ended")),
        "monitoring_end": contrast and bool(story.own("act.monitoring_ended")),
        "confirmation_by_technologist": _confirmed(story),
        "closing_time": story.closed_s is not None,
        "trusted_clock": all(m.said.clockq == "synced" for m in story.moments) and not story.of("clock.stepped"),
        "software_and_configuration": any(_tells_software(m) for m in story.moments),
    }
    missing: list[Json] = [name for name, there in wanted.items() if not there]
    return {"asked": len(wanted), "there": len(wanted) - len(missing), "missing": missing}


def _confirmed(story: Story) -> bool:
    """Where a confirmation by voice was demanded (tier 2 or more), somebody gave one."""
    demanded = [m for m in story.of("tier.entered") if m.tier >= 2 and 0.0 <= m.at_s <= story.end_s]
    given = [m for m in story.moments if m.said.kind in _CONFIRMING and story.is_own(m.said)]
    return not demanded or any(each.at_s >= demanded[0].at_s for each in given)


_CONFIRMING = ("act.continuity_confirmed", "act.phone_confirmed", "act.onsite_present", "act.mobile_up")


def _tells_software(moment: Moment) -> bool:
    return "version" in moment.said.data and "config_hash" in moment.said.data


def software(story: Story) -> list[Json]:
    """Version, configuration and protocol, each time they are named; [] is not recorded."""
    found: list[Json] = []
    for moment in story.moments:
        data = moment.said.data
        if "config_hash" not in data:
            continue
        each: dict[str, Json] = {name: forms.token(data, name) for name in _SOFTWARE}
        if not found or found[-1] != each:
            found.append(each)
    return found


_SOFTWARE = ("version", "config_hash", "protocol", "protocol_hash")
"""Of the protocol: its version, and which text that is."""


def clock(story: Story) -> dict[str, Json]:
    """How far the times can be trusted: the quality of the wall clock at each row, its steps, and the boots."""
    qualities = [m.said.clockq for m in story.moments]
    steps: list[Json] = [
        {"at_s": m.at_s, "by_s": forms.seconds(m.said.data, "by_s"), "clockq": forms.code(m.said.data, "clockq")}
        for m in story.of("clock.stepped")
    ]
    counts: dict[str, Json] = {name: qualities.count(name) for name in ("synced", "holdover", "unset")}
    return {"rows": counts, "steps": steps, "boots": len({m.said.boot for m in story.moments})}
