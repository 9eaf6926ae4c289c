"""Every message a site can send, by its kind (the envelope's `type` without "edge." and ".v1"), and what is in it.

A line here is all a new event, snapshot or measurement needs to be said at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edged.contract import course, house, incidents, judged, lines, people, rooms, snapshots, telemetry, told
from edged.contract.words import Contents
from edged.core.conditions import BY_NAME
from edged.core.observations import Act, Phase


class Told(StrEnum):
    """How, which decides what the envelope carries."""

    EVENT = "event"  # once, numbered in the ledger's stream
    MEASUREMENT = "measurement"  # numbered in its kind's stream
    MOMENT = "moment"  # for one connection


@dataclass(frozen=True, slots=True)
class Message:
    """Kinds that say the same things. `contents`: one of these is the data."""

    name: str
    told: Told
    kinds: tuple[str, ...]
    contents: tuple[type[Contents], ...]

    @property
    def summary(self) -> str:
        return " ".join((self.contents[0].__doc__ or "").split())


def _event(name: str, contents: type[Contents], *kinds: str) -> Message:
    return Message(name, Told.EVENT, kinds or (name,), (contents,))


def _measured(name: str, contents: type[Contents]) -> Message:
    return Message(name, Told.MEASUREMENT, (name,), (contents,))


def _moment(name: str, *contents: type[Contents]) -> Message:
    return Message(name, Told.MOMENT, (name,), contents)


def _conditions(word: str, *, of_links: bool) -> tuple[str, ...]:
    return tuple(f"{name}.{word}" for name in BY_NAME if name.startswith("link.") is of_links)


MESSAGES: tuple[Message, ...] = (
    _event("tier.entered", judged.TierEntered),
    _event("response.demanded", judged.ResponseDemanded),
    _event("containment", judged.ContainmentRow, "containment.raised", "containment.cleared"),
    _event("av.changed", judged.AvChanged),
    _event("wan", judged.WanMoved, "wan.failover", "wan.failback"),
    _event("condition.raised", judged.ConditionRaised, *_conditions("raised", of_links=False)),
    _event("link.raised", judged.LinkConditionRaised, *_conditions("raised", of_links=True)),
    _event(
        "condition.cleared",
        judged.ConditionCleared,
        *(*_conditions("cleared", of_links=False), *_conditions("cleared", of_links=True)),
    ),
    _event("session.answered", course.SessionAnswered),
    _event("session.unanswered", course.SessionUnanswered),
    _event("timer", course.TimerTold, *(f"timer.{word}" for word in ("started", "met", "expired", "over"))),
    _event("av.seconds", course.AvSeconds),
    _event("drill.aborted", course.DrillAborted),
    _event("drill.over", course.DrillOver),
    _event("incident.opened", incidents.IncidentOpened),
    _event("incident.recaused", incidents.IncidentRecaused),
    _event("incident.closed", incidents.IncidentClosed),
    _event("alarm.raised", incidents.AlarmRaised),
    _event("alarm.cleared", incidents.AlarmCleared),
    _event("alarm.unshelved", incidents.AlarmUnshelved),
    _event("alarm.flapping", incidents.AlarmFlapping),
    _event("act", people.ActDone, *(f"act.{act.value}" for act in Act), "act.repeated"),
    _event("act.refused", people.ActRefused),
    _event("errand.accepted", people.ErrandAccepted),
    _event("errand.refused", people.ErrandRefused),
    _event("access.refused", people.AccessRefused),
    _event("command.done", people.CommandDone),
    _event("command.refused", people.CommandRefused),
    _event("daemon", house.DaemonPhase, *(f"daemon.{phase.value}" for phase in Phase)),
    _event("source.failed", house.SourceFailed),
    _event("clock.stepped", house.ClockStepped),
    _event("clock.leap_announced", house.LeapAnnounced),
    _event("record.coalesced", house.RecordCoalesced),
    _event("ledger.checkpoint", house.LedgerCheckpoint),
    _event("capacity.measured", lines.CapacityMeasured),
    _event("capacity.not_measured", lines.CapacityNotMeasured),
    _event("exit.seen", lines.ExitSeen),
    _event("standby.judged", lines.StandbyJudged),
    Message("path.diagnosed", Told.EVENT, ("path.diagnosed",), (lines.PathDiagnosed, lines.PathNotDiagnosed)),
    _moment("snap.tier", rooms.TierNow),
    _moment("snap.rooms", rooms.RoomsNow),
    _moment("snap.session", rooms.SessionNow),
    _moment("snap.links", snapshots.LinksNow),
    _moment("snap.router", snapshots.RouterNow),
    _moment("snap.ups", snapshots.UpsesNow),
    _moment("snap.qos", snapshots.ShapersNow),
    _moment("snap.phone", rooms.PhoneNow),
    _moment("snap.mobile", snapshots.MobileNow),
    _moment("snap.drill", snapshots.DrillNow),
    _moment("snap.incidents", incidents.IncidentsNow),
    _moment("snap.alarms", incidents.AlarmsNow),
    _moment("snap.conditions", snapshots.ConditionsNow),
    _measured("tel.links", telemetry.LinksMeasured),
    _measured("tel.ups", telemetry.UpsesMeasured),
    _measured("tel.qos", telemetry.ShapersMeasured),
    _moment("state", told.State, told.Lost),
    _moment("answer", told.ResendDone, told.RebirthDone, told.CommandAnswered, told.Refused),
    _moment("tombstone", told.Tombstone),
)

KINDS: Mapping[str, Message] = {kind: message for message in MESSAGES for kind in message.kinds}
