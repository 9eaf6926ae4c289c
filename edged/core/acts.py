"""What people attest and do, taken in: which room it is about, whether it can be, and what it leaves behind.

Every act becomes an event with who, role and coded reason, the refused and the repeated ones too (H3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edged.core import drill, sessions
from edged.core.events import Channel, Event, Json
from edged.core.observations import Act, PersonActed, Reason
from edged.core.phase import Phase
from edged.core.plan import Plan
from edged.core.rooms import RoomState, Session
from edged.core.state import State

Absorbed = tuple[State, tuple[Event, ...]]

_OF_A_DRILL = (Act.DRILL_STARTED, Act.DRILL_ENDED, Act.DRILL_ABORTED)
OF_THE_SITE = (*_OF_A_DRILL, Act.SHELVED, Act.UNSHELVED)
"""About no room."""
BY_CONNECTIVITY = (Reason.LINE_FAILED, Reason.DEGRADED)
"""Reasons that blame the line, of what was held, halted or rescheduled (E6)."""
_OUTCOMES = (Act.HELD, Act.HALTED, Act.RESCHEDULED)
_NEED_SUBJECT = {Act.SHELVED: "no_such_alarm", Act.UNSHELVED: "no_such_alarm", Act.REACTION_MARKED: "no_marker"}
_LONGEST_SHELF_S = 8 * 3600.0
"""One shift: whoever comes next looks anew."""


def act(plan: Plan, state: State, done: PersonActed, now: float) -> Absorbed:
    room = None if _is_of_the_site(done) else _room(plan, state, done)
    if isinstance(room, _Unclear):
        return state, (_told(state, "act.refused", done, None, now, {"refused": room.code}),)
    if refused := _refusal(plan, state, done):
        return state, (_told(state, "act.refused", done, room, now, {"refused": refused}),)
    if room is None:
        return _on_site(state, done, now)
    if done.act in sessions.STEPS:
        return _session(plan, state, done, room, now)
    return _attested(state, done, room, now)


def _is_of_the_site(done: PersonActed) -> bool:
    """Who acknowledges one alarm has not acknowledged tier 4."""
    return done.act in OF_THE_SITE or (done.act is Act.ACKNOWLEDGED and done.subject is not None)


# ── which room ─────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Unclear:
    code: str


def _room(plan: Plan, state: State, done: PersonActed) -> str | _Unclear:
    """The one named, the one of the session named, the one with a session, the only one; in that order."""
    if done.room is not None:
        return done.room if done.room in plan.rooms else _Unclear("no_such_room")
    mine = [name for name, held in state.rooms.items() if done.session and _knows(held, done.session)]
    begins = done.act in sessions.STEPS and sessions.STEPS[done.act].begins
    busy = [] if begins else [name for name, held in state.rooms.items() if held.session]
    for candidates in (mine, plan.rooms, busy):
        if len(candidates) == 1:
            return candidates[0]
    return _Unclear("which_room")


def _knows(room: RoomState, session: str) -> bool:
    return session == room.last_session or (room.session is not None and room.session.id == session)


# ── whether it can be ──────────────────────────────────────────────────────────────────────────────────
def _refusal(plan: Plan, state: State, done: PersonActed) -> str | None:
    if done.act in _NEED_SUBJECT and not done.subject:
        return _NEED_SUBJECT[done.act]
    if _is_about_an_alarm(done) and not _is_known(state, done):
        return "no_such_alarm"
    if done.act is Act.SHELVED and not 0 < (done.for_s or 0.0) <= _LONGEST_SHELF_S:
        return "shelf_too_long"
    if done.act is Act.DRILL_STARTED:
        return drill.refusal(plan, state)
    if done.act in (Act.DRILL_ENDED, Act.DRILL_ABORTED) and state.drill is None:
        return "no_drill"
    return None


def _is_about_an_alarm(done: PersonActed) -> bool:
    return done.act in (Act.SHELVED, Act.UNSHELVED) or (done.act is Act.ACKNOWLEDGED and done.subject is not None)


def _is_known(state: State, done: PersonActed) -> bool:
    """It stands; or it is to come back from its shelf, where it may have been gone for a moment."""
    name, _, at = (done.subject or "").partition(" ")
    stands = (name, at) in state.conditions and state.conditions[name, at].raised
    return stands or (done.act is Act.UNSHELVED and (name, at) in state.alarms.shelves_s)


# ── what it leaves behind ──────────────────────────────────────────────────────────────────────────────
def _on_site(state: State, done: PersonActed, now: float) -> Absorbed:
    running = state.drill is not None and not state.drill.over
    if done.act in _OF_A_DRILL and running is (done.act is Act.DRILL_STARTED):
        return state, (_told(state, "act.repeated", done, None, now),)
    if done.act is Act.DRILL_STARTED:
        state = replace(state, drill=drill.begin(now))
    elif done.act in _OF_A_DRILL and state.drill is not None:
        state = replace(state, drill=replace(state.drill, over=True))
    return state, (_told(state, f"act.{done.act.value}", done, None, now),)


def _session(plan: Plan, state: State, done: PersonActed, name: str, now: float) -> Absorbed:
    room = state.room(name)
    taken = sessions.take(done.act, room.session, done.session, room.last_session, now, last_phase=room.last_phase)
    if taken.refused:
        return state, (_told(state, "act.refused", done, name, now, {"refused": taken.refused}),)
    if taken.repeated:
        return state, (_told(state, "act.repeated", done, name, now),)
    after = taken.session
    over = after is not None and after.phase is Phase.CLOSED
    another = room.session is None and after is not None and after.id != room.last_session
    held = replace(
        room,
        session=None if over else after,
        undirected_s=None if another else room.undirected_s,
        last_session=after.id if after and over else room.last_session,
        last_phase=room.session.phase if room.session and over else room.last_phase,
        acted_s={**room.acted_s, done.act: now},
    )
    moved = state.with_room(name, held)
    event = _told(moved, f"act.{done.act.value}", done, name, now, session=after.id if after else None)
    moved, answered = _answered(plan, moved, room, held, name, now)
    return moved, (event, *answered)


def _answered(plan: Plan, state: State, before: RoomState, after: RoomState, name: str, now: float) -> Absorbed:
    """What E2 has to be told of: the request, how fast it was answered, or that it never was."""
    was, held = before.session, after.session
    if held is None:
        unheard = was is not None and was.joined_s is None and not was.unanswered
        return unanswered(state, name, was, now) if was is not None and unheard else (state, ())
    if held.requested_s is not None and (was is None or was.requested_s is None):
        state = state.counted("requested")
    if held.joined_s is None or (was is not None and was.joined_s is not None):
        return state, ()
    found = sessions.answer(held, plan.thresholds)
    took_s = sessions.response_s(held)
    data: dict[str, Json] = {
        "room": name,
        "session": held.id,
        "response_s": None if took_s is None else round(took_s, 3),
        "response_class": found.value,
        "needs_escalation": found.needs_escalation,
    }
    state = state.counted("joined", f"answered_{found.value}")
    return state, (Event(Channel.LOG, "session.answered", state.tier, now, data),)


def unanswered(state: State, name: str, session: Session, now: float) -> Absorbed:
    """Nobody came within what E2 allows, or before the session was given up. Counted once."""
    waited_s = now - (now if session.requested_s is None else session.requested_s)
    data: dict[str, Json] = {"room": name, "session": session.id, "waited_s": round(waited_s, 3)}
    event = Event(Channel.LOG, "session.unanswered", state.tier, now, data)
    room = state.room(name)
    if room.session is not None:
        state = state.with_room(name, replace(room, session=replace(room.session, unanswered=True)))
    return state.counted("unanswered"), (event,)


def _attested(state: State, done: PersonActed, name: str, now: float) -> Absorbed:
    room = state.room(name)
    open_id = room.session.id if room.session else None
    afterwards = done.act is Act.REACTION_MARKED and done.session == room.last_session  # some come late
    if done.session not in (None, open_id) and not afterwards:
        return state, (_told(state, "act.refused", done, name, now, {"refused": "not_the_open_session"}),)
    more: dict[str, Json] = {}
    if done.act in _OUTCOMES:
        blamed = done.reason in BY_CONNECTIVITY
        more["by_connectivity"] = blamed
        state = state.counted(done.act.value, *([f"{done.act.value}_by_connectivity"] if blamed else []))
    held = replace(state.room(name), acted_s={**room.acted_s, done.act: now})
    state = state.with_room(name, held)
    return state, (_told(state, f"act.{done.act.value}", done, name, now, more),)


def _told(
    state: State,
    name: str,
    done: PersonActed,
    room: str | None,
    now: float,
    more: Mapping[str, Json] | None = None,
    *,
    session: str | None = None,
) -> Event:
    held = state.room(room).session if room else None
    data: dict[str, Json] = {
        "act": done.act.value,
        "actor": done.actor,
        "role": done.role,
        "reason": done.reason.value,
        "session": session or done.session or (held.id if held else None),
        "room": room,
        "subject": done.subject,
        "for_s": done.for_s,
    }
    return Event(Channel.LOG, name, state.tier, now, {**data, **(more or {})})
