"""A supervised procedure in a room: answers, deadlines, the seconds of proof; and the drill."""

from typing import Annotated

from pydantic import Field

from edged.contract.words import (
    Contents,
    Form,
    OfIncident,
    PhaseCode,
    Room,
    Seconds,
    Session,
    SignedSeconds,
    Tier,
    many,
    one_of,
)
from edged.core import drill, timers
from edged.core.liveness import Source
from edged.core.sessions import Answer
from probes.reading import Protection

AnswerClass = Annotated[str, one_of(Answer)]
TimerName = Annotated[str, one_of(row.name for row in timers.ROWS)]
SourceCode = Annotated[str, one_of(Source)]
ProtectionCode = Annotated[str, one_of(Protection)]
DRILL_ENDS = ("out_of_time", *(row.code for row in drill.INTERLOCKS))
MOST_SECONDS = 128
"""Of one event. Ten are told at a time; a daemon that was held up tells up to a hundred at once."""
Lane = Annotated[str, Form(r"^[LDU]+$", MOST_SECONDS)]
"""A letter a second: L live, D dead, U unobserved."""


class SessionAnswered(Contents):
    """A radiologist joined. `response_s` null: nobody told when one was asked for, which counts as at risk."""

    room: Room
    session: Session
    response_s: Seconds | None
    response_class: AnswerClass
    needs_escalation: bool


class SessionUnanswered(Contents):
    """Nobody joined within what any class allows, or before the session was given up."""

    room: Room
    session: Session | None
    waited_s: Seconds


class TimerTold(OfIncident):
    """A deadline somebody has to meet began, was met, was missed (`expired`), or what it was about is over. `due_in_s`
    is negative once it is missed.
    """

    timer: TimerName
    room: Room
    session: Session | None
    ran_s: Seconds
    due_in_s: SignedSeconds


class AvSeconds(OfIncident):
    """What was seen of a session, second by second. The last letter's second ended `ended_s_ago` before the envelope's
    `time`, the one before it a second earlier. `av`: Y live two-way audio and video, N not, U unobserved. A second that
    no such event covers is unobserved.
    """

    room: Room
    session: Session
    phase: PhaseCode
    seconds: Annotated[int, Field(ge=1, le=MOST_SECONDS)]
    ended_s_ago: Seconds
    tier: Tier | Annotated[tuple[Tier, ...], many(MOST_SECONDS)]
    audio_to: Lane
    audio_from: Lane
    video_to: Lane
    video_from: Lane
    av: Annotated[str, Form(r"^[YNU]+$", MOST_SECONDS)]
    source: SourceCode
    protection: ProtectionCode


class DrillAborted(OfIncident):
    """A drill was ended by the box itself; the primary line must come back."""

    why: Annotated[str, one_of(DRILL_ENDS)]


class DrillOver(OfIncident):
    """The primary line carries again after a drill."""

    lasted_s: Seconds
