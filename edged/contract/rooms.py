"""A procedure room as it looks now: tier and sentence, session, streams, deadlines, readiness."""

from typing import Annotated, Literal

from edged.contract.course import AnswerClass, ProtectionCode, SourceCode, TimerName
from edged.contract.judged import CauseCode, RowId
from edged.contract.words import By, Contents, Name, PhaseCode, Room, Say, Seconds, Session, Tier, Who, many, one_of
from edged.core import containment, readiness, timers
from edged.core.liveness import STREAMS
from probes.reading import FarEnd, Medium, PhoneCause, Way

MOST_ROOMS = 8
MOST_STEPS = 12
"""Of a script, as edged.protocol_file reads it."""
Need = Literal["av_restored", "acknowledged", "continuity_confirmed", "path_stable", "recovered"]


class Step(Contents):
    """One thing to do, who does it, and within how many seconds."""

    say: Say
    who: Who
    by_s: By | None


class Row(Step):
    """A row of the containment table that is up, and what it still waits for."""

    row: RowId
    tier: Tier
    needs: Annotated[tuple[Need, ...], many(5)]


class TierNow(Contents):
    """The tier of a room, the one cause to name, and the sentence to follow. `also_say`: what to mind on the phone,
    or what another row still demands while this one waits out its time. `script`: what to do, step by step, while
    tier 4 stands.
    """

    tier: Tier
    room: Room
    av_compliant: bool | None
    cause: CauseCode
    cause_at: Name | None
    say: Say | None
    who: Who | None
    by_s: By | None
    also_say: Say | None
    script: Annotated[tuple[Step, ...], many(MOST_STEPS)]
    rows: Annotated[tuple[Row, ...], many(len(containment.ROWS))]


class SessionNow(Contents):
    """The supervised session, by its opaque id. All is null while there is none."""

    id: Session | None
    open: bool
    phase: PhaseCode | None
    joined: bool | None
    response_s: Seconds | None
    response_class: AnswerClass | None
    escalated: bool | None


class StreamNow(Contents):
    """One medium in one direction, seen from the room. `live` null is not known, never live; `source` says whose word
    it is, where there are several.
    """

    medium: Annotated[str, one_of(Medium)]
    way: Annotated[str, one_of(Way)]
    live: bool | None
    source: SourceCode | None = None


class MediaNow(Contents):
    """What the box itself sees of the media on the wire."""

    observing: bool
    far_end: Annotated[str, one_of(FarEnd)]
    protection: ProtectionCode
    streams: Annotated[tuple[StreamNow, ...], many(len(STREAMS))]


class PhoneNow(Contents):
    """The direct phone line. `reachable` and `registered` null: not known. What `shared_fate` names fails together with
    the lines the phone is to stand in for, so the phone does not count as a way out.
    """

    reachable: bool | None
    registered: bool | None
    shared_fate: Annotated[tuple[Name, ...], many(32)]
    cause: Annotated[str, one_of(PhoneCause)]


class TimerNow(Contents):
    """A deadline somebody has to meet."""

    timer: TimerName
    met: bool
    expired: bool


class Reason(Contents):
    """Why the next injection has to wait, or what would not catch it: a code, and the sentence of the protocol."""

    code: Annotated[str, one_of(row.code for row in readiness.ROWS)]
    say: Say


class ReadyNow(Contents):
    """May the next injection begin? Green, amber or red, with every reason."""

    level: Annotated[str, one_of(readiness.Level)]
    reasons: Annotated[tuple[Reason, ...], many(len(readiness.ROWS))]


class RoomNow(Contents):
    room: Room
    tier: TierNow
    session: SessionNow
    streams: Annotated[tuple[StreamNow, ...], many(len(STREAMS))]
    media: MediaNow | None
    phone: PhoneNow | None
    timers: Annotated[tuple[TimerNow, ...], many(len(timers.ROWS))]
    ready: ReadyNow


class RoomsNow(Contents):
    """Every procedure room behind this box."""

    rooms: Annotated[tuple[RoomNow, ...], many(MOST_ROOMS)]
