"""Incidents, one for each root cause, and alarms, one for each response somebody owes."""

from typing import Annotated, Literal

from edged.contract.judged import SeverityCode
from edged.contract.words import (
    Alarm,
    By,
    Contents,
    Few,
    Name,
    OfIncident,
    Say,
    Seconds,
    Sequence,
    Source,
    Tier,
    Who,
    many,
    one_of,
)
from edged.core.conditions import BY_NAME
from edged.core.rootcause import Cause

MOST_SYMPTOMS = 64
IncidentCause = Annotated[str, one_of((*Cause, "drill", *(name.partition(".")[0] for name in BY_NAME)))]
"""A root cause; or, of what stands for itself, the first word of its condition: certificate, clock, record, phone."""


class _Incident(Contents):
    number: Sequence
    cause: IncidentCause
    at: Name | Source | None


class IncidentOpened(_Incident):
    """Something has gone wrong, for one root cause. `onset_s_ago`: its first symptom, before any dwell. Every event
    that belongs to it carries its number.
    """

    onset_s_ago: Seconds


class IncidentRecaused(_Incident):
    """A deeper cause was found for an open incident."""

    previous: IncidentCause


class IncidentClosed(_Incident):
    """All symptoms of it have been gone for long enough, the last one since `over_s_ago`; or it turned out to be one
    with the incident `into`. `symptoms`: the conditions and rows it had, in the order they came.
    """

    lasted_s: Seconds
    over_s_ago: Seconds
    worst_tier: Tier
    symptoms: Annotated[tuple[Alarm, ...], many(MOST_SYMPTOMS)]
    into: Sequence | None


class AlarmRaised(OfIncident):
    """Somebody has to answer this now. Of what comes of one incident one alarm is told, not nine."""

    alarm: Alarm
    severity: SeverityCode


class AlarmCleared(OfIncident):
    """It is over. `lasted_s` until what it was about was gone, without the hold."""

    alarm: Alarm
    lasted_s: Seconds


class AlarmUnshelved(OfIncident):
    """It was put aside for a time, and is in sight again."""

    alarm: Alarm
    why: Literal["time", "asked"]


class AlarmFlapping(OfIncident):
    """It comes and goes: its end is told late from now on, its beginning at once."""

    alarm: Alarm
    raises: Few


# ── as they are now ────────────────────────────────────────────────────────────────────────────────────
class IncidentNow(Contents):
    """One that is open."""

    number: Sequence
    cause: IncidentCause
    at: Name | Source | None
    worst_tier: Tier
    symptoms: Annotated[tuple[Alarm, ...], many(MOST_SYMPTOMS)]


class IncidentsNow(Contents):
    """All that are open, the worst first."""

    incidents: Annotated[tuple[IncidentNow, ...], many(256)]


class AlarmNow(Contents):
    """What somebody owes an answer: the sentence of the protocol, who, and by when. `symptoms`: how many more there are
    under it. `suppressed`: a drill makes it.
    """

    alarm: Alarm
    condition: Annotated[str, one_of(BY_NAME)]
    at: Name | Source
    severity: SeverityCode
    say: Say
    who: Who
    by_s: By | None
    acknowledged: bool
    shelved: bool
    suppressed: bool
    flapping: bool
    incident: Sequence | None
    symptoms: Few


class AlarmsNow(Contents):
    """All of them, in the order to read them; what is out of sight comes last."""

    alarms: Annotated[tuple[AlarmNow, ...], many(256)]
