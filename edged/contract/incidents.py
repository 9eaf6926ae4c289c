"""Incidents, one for each root cause, and alarms, one for each response somebody owes."""

from typing import Annotated, Literal

from edged.contract.judged import CauseCode, SeverityCode
from edged.contract.words import Alarm, Contents, Few, Name, OfIncident, Seconds, Sequence, Tier, many

MOST_SYMPTOMS = 64


class _Incident(Contents):
    number: Sequence
    cause: CauseCode
    at: Name | None


class IncidentOpened(_Incident):
    """Something has gone wrong, for one root cause. `onset_s_ago`: its first symptom, before any dwell. Every event
    that belongs to it carries its number.
    """

    onset_s_ago: Seconds


class IncidentRecaused(_Incident):
    """A deeper cause was found for an open incident."""

    previous: CauseCode


class IncidentClosed(_Incident):
    """All symptoms of it are gone. `symptoms`: every condition it ever had, in the order they came."""

    lasted_s: Seconds
    worst_tier: Tier
    symptoms: Annotated[tuple[Alarm, ...], many(MOST_SYMPTOMS)]


class AlarmTold(OfIncident):
    """A condition that somebody has to deal with began, or is over."""

    alarm: Alarm
    severity: SeverityCode


class AlarmUnshelved(Contents):
    """It was put aside for a time, and is back."""

    alarm: Alarm
    why: Literal["time", "asked"]


class AlarmFlapping(Contents):
    """It comes and goes; its end is told late from now on, its beginning at once."""

    alarm: Alarm
    raises: Few
