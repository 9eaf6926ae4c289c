"""Deadlines people have to meet, each a row: what starts it, what meets it, how long it may run (rules 4, 8 and 11).

Without a session nobody is asked for anything (rule 17). A timer starts at the onset, not at the tier, and goes on over
restarts: a deadline may come early, never late.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from edged.core.events import Channel, Event, Json
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.rooms import Timer
from edged.core.situation import Situation
from edged.core.state import State


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    source: str
    since_s: Callable[[Situation], float | None]
    """When what started it began; None: it does not run."""
    met: Callable[[Situation, float], bool]
    """Whether that has been done since it started."""
    within_s: Callable[[Plan], float]


def _lost(s: Situation) -> float | None:
    return s.lost_since_s if s.undirected else None


def _moved(s: Situation) -> float | None:
    """Whoever joins after the move has nothing to confirm."""
    if s.failover is None or s.joined_s is None or s.joined_s >= s.failover.at_s:
        return None
    return s.asked_s


def _reached(s: Situation, since_s: float) -> bool:
    """A call that broke off does not count any more; somebody who came does."""
    return s.contact(since_s)


def _on_the_mobile(s: Situation, since_s: float) -> bool:
    return s.did(Act.MOBILE_UP, since_s) or s.did(Act.ONSITE_PRESENT, since_s)


def _confirmed(s: Situation, since_s: float) -> bool:
    return s.did(Act.CONTINUITY_CONFIRMED, since_s)


ROWS: tuple[Row, ...] = (
    Row("phone", "rule 8", _lost, _reached, lambda plan: plan.thresholds.phone_within_s),
    Row("mobile", "rule 11", _lost, _on_the_mobile, lambda plan: plan.thresholds.mobile_within_s),
    Row("confirm", "rule 4", _moved, _confirmed, lambda plan: plan.thresholds.confirm_within_s),
)


def run(plan: Plan, state: State, s: Situation) -> tuple[State, tuple[Event, ...]]:
    """The room's timers at `s.now`, and what began, was met or was missed."""
    room = state.room(s.room)
    timers: dict[str, Timer] = {}
    events: list[Event] = []
    for row in ROWS:
        was, is_now = room.timers.get(row.name), _step(row, plan, room.timers.get(row.name), s)
        if is_now is not None:
            timers[row.name] = is_now
        events += _told(state, row, was, is_now, s)
    return (state.with_room(s.room, replace(room, timers=timers)) if timers != room.timers else state), tuple(events)


def _step(row: Row, plan: Plan, was: Timer | None, s: Situation) -> Timer | None:
    since_s = row.since_s(s)
    if since_s is None:
        return was if was and _is_settled(was, s) else None
    # An onset never moves forward while its loss goes on, nor does a move of the traffic that the same word answers.
    goes_on = was is not None and (since_s <= was.started_s or row.met(s, since_s))
    timer = was if was and goes_on else Timer(since_s, since_s + row.within_s(plan))
    met = row.met(s, timer.started_s)
    return replace(timer, met=met, expired=timer.expired or (not met and s.now >= timer.due_s))


def _is_settled(timer: Timer, s: Situation) -> bool:
    """Met or missed, and the loss it belongs to may return: nothing of it is news then."""
    return s.in_session and (timer.met or timer.expired) and s.lost_since_s == timer.started_s


def _told(state: State, row: Row, was: Timer | None, timer: Timer | None, s: Situation) -> list[Event]:
    words = []
    fresh = timer is not None and (was is None or was.started_s != timer.started_s)
    if fresh:
        words.append("started")
    before = was if not fresh else None
    if timer is not None and timer.met and not (before and before.met):
        words.append("met")
    if timer is not None and timer.expired and not (before and before.expired):
        words.append("expired")
    if timer is None and was is not None and not was.met:
        words.append("over")
        timer = was
    return [_event(state, row, word, timer, s) for word in words if timer is not None]


def _event(state: State, row: Row, word: str, timer: Timer, s: Situation) -> Event:
    held = state.room(s.room).session
    data: Mapping[str, Json] = {
        "timer": row.name,
        "room": s.room,
        "session": held.id if held else None,
        "ran_s": round(s.now - timer.started_s, 3),
        "due_in_s": round(timer.due_s - s.now, 3),
    }
    return Event(Channel.LOG, f"timer.{word}", state.tier, s.now, data)
