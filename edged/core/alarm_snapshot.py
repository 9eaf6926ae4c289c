"""Alarms and incidents in the status document: what a person should deal with, in the order to read it.

Ages instead of times; null means none. What is shelved or suppressed comes last.
"""

from edged.core.alarm_lines import Line, lines, severity, urgency
from edged.core.alarm_state import is_flapping
from edged.core.events import Json
from edged.core.incident_state import Incident
from edged.core.incidents import MOST_TOLD
from edged.core.plan import Plan
from edged.core.rounding import rounded
from edged.core.state import State


def alarms_doc(plan: Plan, state: State, now: float) -> list[Json]:
    """A line an alarm, or an incident's."""
    found = lines(plan, state, state.alarms.standing)
    return [_line(plan, state, line, now) for line in sorted(found, key=lambda line: _order(plan, state, line))]


def kpi_doc(state: State, now: float) -> dict[str, Json]:
    """How well the alarms themselves are kept: `a_day` announced in the last 24 hours, `standing` for longer than
    that, `flapping` now, and the condition announced most often.
    """
    counts = state.alarms.a_day(now)
    return {
        "a_day": sum(counts.values()),
        "standing": len(state.alarms.standing_long(now)),
        "flapping": len(state.alarms.flapping(now)),
        "most_frequent": min(counts, key=lambda name: (-counts[name], name)) if counts else None,
    }


def incidents_doc(state: State, now: float) -> list[Json]:
    """The open ones, the worst first."""
    ordered = sorted(state.incidents.open, key=lambda each: (each.quiet_s is not None, -each.worst_tier, each.number))
    return [_incident(each, now) for each in ordered]


def _incident(incident: Incident, now: float) -> Json:
    return {
        "number": incident.number,
        "cause": incident.cause,
        "at": incident.at,
        "for_s": rounded(now - incident.onset_s),
        "worst_tier": incident.worst_tier,
        "symptoms": list(incident.symptoms[:MOST_TOLD]),
    }


def _order(plan: Plan, state: State, line: Line) -> tuple[object, ...]:
    """In sight before out of sight, unanswered before answered, the worst, the most urgent, the eldest."""
    hidden = line.suppressed or line.key in state.alarms.shelves_s
    return hidden, line.alarm.acknowledged, *urgency(plan, line.key), line.alarm.raised_s, line.key


def _line(plan: Plan, state: State, line: Line, now: float) -> Json:
    condition, at = line.key
    demanded = plan.protocol.alarm(condition)
    until_s, flaps = state.alarms.shelves_s.get(line.key), state.alarms.flaps.get(line.key)
    return {
        "alarm": f"{condition} {at}",
        "condition": condition,
        "at": at,
        "severity": severity(line.key).value,
        "say": demanded.say,
        "who": demanded.who,
        "by_s": demanded.by_s,
        "for_s": rounded(now - line.alarm.raised_s),
        "acknowledged": line.alarm.acknowledged,
        "shelved_for_s": None if until_s is None else rounded(max(until_s - now, 0.0)),
        "suppressed": line.suppressed,
        "flapping": flaps is not None and is_flapping(flaps, now),
        "incident": line.incident,
        "symptoms": line.symptoms,
    }
