"""When something is wrong with a procedure, or with what would have to catch it: the rules of `edged.core.conditions`
about rooms, their media, phones and people.

As there: True, False, or None for "cannot know".
"""

from edged.core.drill import primary_is_back
from edged.core.fallback import mobile_is_diverse, shares
from edged.core.liveness import is_watched, words
from edged.core.plan import Plan
from edged.core.sessions import answer
from edged.core.state import State
from probes.reading import Protection


def every_room(plan: Plan) -> tuple[str, ...]:
    return plan.rooms


def rooms_with_media(plan: Plan) -> tuple[str, ...]:
    return plan.rooms if plan.has_media else ()


def phone_subjects(plan: Plan) -> tuple[str, ...]:
    """The site's own line is called "phone", a room's by the room."""
    return tuple(line or "phone" for line in phone_lines(plan))


def phone_lines(plan: Plan) -> tuple[str, ...]:
    """As readings name them."""
    return tuple(dict.fromkeys(line for room in plan.rooms if (line := plan.phone_line(room)) is not None))


def rooms_with_phone(plan: Plan) -> tuple[str, ...]:
    return tuple(room for room in plan.rooms if plan.phone_line(room) is not None)


def phone_dead(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    reading = state.phones.get("" if name == "phone" else name)
    return None if reading is None or reading.reachable is None else not reading.reachable


def phone_unregistered(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    reading = state.phones.get("" if name == "phone" else name)
    return None if reading is None or reading.registered is None else not reading.registered


def shares_fate(plan: Plan, _state: State, room: str, _: float) -> bool:
    return bool(shares(plan, room))


def media_blind(_plan: Plan, state: State, room: str, _: float) -> bool | None:
    media = state.room(room).media
    return not media.observing if media else None


def clear_text(_plan: Plan, state: State, room: str, _: float) -> bool | None:
    """H1. Not knowing does not clear it: what was once seen in clear is clear until keys were agreed, or it is over."""
    media, session = state.room(room).media, state.room(room).session
    if media is None:
        return None
    return {Protection.CLEAR: True, Protection.ENCRYPTED: False}.get(media.protection, None if session else False)


def media_unknown(plan: Plan, state: State, room: str, now: float) -> bool:
    """A session is on, and whoever could say whether all its media live does not."""
    held = state.room(room)
    if not (held.supervised and is_watched(held, observer=plan.has_media)):
        return False
    return any(word.live is None for word in words(held, all_down_s=state.all_down_s, now=now).values())


def unanswered(_plan: Plan, state: State, room: str, _: float) -> bool:
    session = state.room(room).session
    return session is not None and session.unanswered and session.joined_s is None


def unsupervised(_plan: Plan, state: State, room: str, _: float) -> bool:
    """E1: contrast is being given, or has been, and nobody has joined."""
    session = state.room(room).session
    return session is not None and session.phase.contrast_given and session.joined_s is None


def not_escalated(plan: Plan, state: State, room: str, _: float) -> bool:
    """E2 and rule 13: a late answer whose escalation nobody documented."""
    session = state.room(room).session
    if session is None or session.joined_s is None or session.escalated:
        return False
    return session.requested_s is not None and answer(session, plan.thresholds).needs_escalation


def mobile_late(_plan: Plan, state: State, room: str, _: float) -> bool:
    """Rule 11: the session was not back over the mobile workstation in time."""
    timer = state.room(room).timers.get("mobile")
    return timer is not None and timer.expired and not timer.met


def mobile_silent(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return None if state.mobile is None or state.mobile.heard is None else not state.mobile.heard


def mobile_same(plan: Plan, state: State, _: str, __: float) -> bool | None:
    diverse = mobile_is_diverse(plan, state)
    return None if diverse is None else not diverse


def primary_still_out(plan: Plan, state: State, _: str, __: float) -> bool:
    """Rule 16: a drill is over, and the line it took offline is not back."""
    return state.drill is not None and state.drill.over and not primary_is_back(plan, state)
