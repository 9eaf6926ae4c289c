"""A storm as one line: of all that stands under one incident, the one alarm whose response comes first.

What stands for the cause leads before what is only its symptom; of those, the worst, the most urgent, the eldest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edged.core.alarm_state import Alarm, Key
from edged.core.conditions import BY_NAME, Severity
from edged.core.incident_causes import DRILL
from edged.core.incident_state import Incident
from edged.core.plan import Plan
from edged.core.rootcause import Cause
from edged.core.state import State, is_drilled

_LEADERS: Mapping[str, tuple[str, ...]] = {
    Cause.POWER.value: ("power.",),
    Cause.LAN_OR_ROUTER.value: ("router.", "link."),
    Cause.ALL_LINKS_DOWN.value: ("link.",),
    Cause.LINK_DOWN.value: ("link.",),
    Cause.LINK_DEGRADED.value: ("link.",),
    Cause.LATENCY.value: ("link.",),
    Cause.FAILOVER.value: ("link.",),
}
"""By the incident's cause: conditions whose response is the cause's. Else those of its own name."""
_DRILL_IS_OVER = "drill.primary_offline"


@dataclass(frozen=True, slots=True)
class Line:
    key: Key
    """Of the alarm that leads."""
    alarm: Alarm
    incident: int | None
    symptoms: int
    """Further alarms under it."""
    for_cause: bool
    """It stands for the cause; or there is no incident."""
    suppressed: bool
    """A drill makes it, and the drill is on."""


def lines(plan: Plan, state: State, standing: Mapping[Key, Alarm]) -> list[Line]:
    """One for each incident and each alarm without one, in no order."""
    found: list[Line] = []
    under: dict[int, tuple[Incident, list[Key]]] = {}
    for key, alarm in standing.items():
        incident = state.incidents.of(*key)
        if incident is None:
            found.append(Line(key, alarm, None, 0, for_cause=True, suppressed=False))
        else:
            under.setdefault(incident.number, (incident, []))[1].append(key)
    for number, (incident, keys) in under.items():
        leader = min(keys, key=lambda key: _rank(plan, incident, key, standing[key]))
        drilled = is_drilled(state) and incident.cause == DRILL and leader[0] != _DRILL_IS_OVER
        found.append(
            Line(leader, standing[leader], number, len(keys) - 1, _is_for_cause(incident, leader), suppressed=drilled)
        )
    return found


def severity(key: Key) -> Severity:
    return BY_NAME[key[0]].severity


def urgency(plan: Plan, key: Key) -> tuple[bool, float]:
    """The worst first, then the shortest deadline."""
    by_s = plan.protocol.alarm(key[0]).by_s
    return severity(key) is not Severity.ALARM, float("inf") if by_s is None else by_s


def _rank(plan: Plan, incident: Incident, key: Key, alarm: Alarm) -> tuple[object, ...]:
    return not _is_for_cause(incident, key), *urgency(plan, key), alarm.raised_s, key


def _is_for_cause(incident: Incident, key: Key) -> bool:
    return key[0].startswith(_LEADERS.get(incident.cause, (f"{incident.cause}.",)))
