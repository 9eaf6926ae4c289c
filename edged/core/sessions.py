"""The course of a supervised procedure: which act is possible when, and what it changes. A table (rules 13 and 15).

An act states a fact, so it is refused only where it cannot be one. Said twice it changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from edged.core.observations import Act
from edged.core.phase import Phase
from edged.core.plan import Thresholds
from edged.core.rooms import Session

Given = Session | None


@dataclass(frozen=True, slots=True)
class Step:
    """What an act does to the room's session: to the one there is, or to none."""

    done: Callable[[Session], bool]
    """It has this effect already."""
    impossible: Callable[[Session], str | None]
    """Why it cannot be, as a code."""
    then: Callable[[Session, float], Session]
    begins: bool = False
    """It makes a session where there is none."""


def _in(*phases: Phase, otherwise: str) -> Callable[[Session], str | None]:
    return lambda session: None if session.phase in phases else otherwise


def _phase(phase: Phase) -> Step:
    otherwise = {Phase.MONITORING: "no_contrast_running", Phase.PRE: "not_monitoring"}
    before = {Phase.INJECTING: (Phase.PRE, Phase.MONITORING), Phase.MONITORING: (Phase.INJECTING,)}
    return Step(
        done=lambda session: session.phase is phase,
        impossible=_in(*before.get(phase, (Phase.MONITORING,)), otherwise=otherwise.get(phase, "not_now")),
        then=lambda session, now: replace(session, phase=phase),
    )


def _joined(session: Session, now: float) -> Session:
    return replace(session, joined_s=now)


def _possible(_: Session) -> None:
    return None


STEPS: Mapping[Act, Step] = {
    Act.SESSION_REQUESTED: Step(
        lambda session: session.requested_s is not None or session.joined_s is not None,
        _possible,
        lambda session, now: replace(session, requested_s=now),
        begins=True,
    ),
    Act.SESSION_JOINED: Step(lambda session: session.joined_s is not None, _possible, _joined),
    Act.SESSION_OPENED: Step(lambda session: session.joined_s is not None, _possible, _joined, begins=True),
    Act.CONTRAST_STARTED: _phase(Phase.INJECTING),
    Act.CONTRAST_ENDED: _phase(Phase.MONITORING),
    Act.MONITORING_ENDED: _phase(Phase.PRE),
    Act.ESCALATED: Step(
        lambda session: session.escalated, _possible, lambda session, now: replace(session, escalated=True)
    ),
    Act.SESSION_CLOSED: Step(
        lambda session: session.phase is Phase.CLOSED,
        _possible,
        lambda session, now: replace(session, phase=Phase.CLOSED),
    ),
}


_LATE = (Act.SESSION_CLOSED, Act.ESCALATED)
"""Possible of the session closed last: closing it again is no mistake, and rule 13's record may be made after it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an act. `session` with phase CLOSED is over."""

    session: Given
    repeated: bool = False
    refused: str | None = None


def take(
    act: Act, session: Given, identity: str | None, last: str | None, now: float, *, last_phase: Phase = Phase.PRE
) -> Taken:
    """`identity` is the session the act names (None: the one there is), `last` the room's session closed last.

    That one begun anew goes on in the phase it was closed in: who closed it by mistake has not ended what was given.
    """
    step = STEPS[act]
    if session is None:
        if act in _LATE and identity is not None and identity == last:
            return Taken(None, repeated=act is Act.SESSION_CLOSED)
        if not step.begins:
            return Taken(None, refused="no_session_is_open")
        if identity is None:
            return Taken(None, refused="no_session_id")
        return Taken(step.then(Session(identity, now, phase=last_phase if identity == last else Phase.PRE), now))
    if identity not in (None, session.id):
        return Taken(session, refused="another_session_is_open" if step.begins else "not_the_open_session")
    if step.begins and identity is None:
        return Taken(session, refused="no_session_id")
    if step.done(session):
        return Taken(session, repeated=True)
    refused = step.impossible(session)
    return Taken(session, refused=refused) if refused else Taken(step.then(session, now))


class Answer(StrEnum):
    """Classes of the time from the request to the radiologist's joining (E2, rule 13)."""

    BEST = "best"  # < 30 s
    ACCEPTABLE = "acceptable"  # ≤ 60 s, with documented escalation
    LATE = "late"  # ≤ 90 s, and needs its escalation record
    AT_RISK = "at_risk"  # longer, or nobody measured it

    @property
    def needs_escalation(self) -> bool:
        return self is not Answer.BEST


def response_s(session: Session) -> float | None:
    """Seconds from the request to the joining; None where one of them is not known."""
    if session.requested_s is None or session.joined_s is None:
        return None
    return session.joined_s - session.requested_s


def answer(session: Session, limits: Thresholds) -> Answer:
    """The class of a session that was joined."""
    took_s = response_s(session)
    if took_s is None or took_s > limits.answer_late_s:
        return Answer.AT_RISK
    if took_s < limits.answer_best_s:
        return Answer.BEST
    return Answer.ACCEPTABLE if took_s <= limits.answer_acceptable_s else Answer.LATE
