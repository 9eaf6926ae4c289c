"""The judge: a function of its arguments. Observation in; new state, events and effects out.

Replaying recorded observations with their times gives the same decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edged.core import (
    acts,
    alarms,
    conditions,
    containment,
    demands,
    drill,
    incidents,
    reaction,
    rootcause,
    seconds,
    sessions,
    timers,
)
from edged.core.absorb import absorb, log
from edged.core.effects import Effect
from edged.core.events import Channel, Event, Json
from edged.core.latch import Latch
from edged.core.observations import DaemonPhase, Observation, PersonActed, Phase, Tick
from edged.core.plan import Plan
from edged.core.rooms import RoomState
from edged.core.situation import Situation, all_down, is_undirected, situation
from edged.core.state import State
from probes.reading import Evidence, Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    state: State
    events: tuple[Event, ...]
    effects: tuple[Effect, ...]


def judge(plan: Plan, state: State, observation: Observation, now: float) -> Judged:
    """One step at `now` (monotonic seconds)."""
    before = _furnished(plan, state)
    state, proof = _seconds_first(plan, before, observation, now)
    state, taken = absorb(plan, state, observation, now)
    state = _onsets(plan, state, now)
    state, found = _conditions(plan, state, now)
    state, drilled = _drill(plan, state, now)
    state, told = _rooms(plan, state, isinstance(observation, Tick), now)
    state, events = incidents.follow(plan, before, state, (*proof, *taken, *found, *drilled, *told), now)
    state, alarmed = alarms.attend(plan, before, state, events, now)
    state, effects = reaction.effects(plan, before, state)
    return Judged(state, (*events, *alarmed), effects)


def _furnished(plan: Plan, state: State) -> State:
    """With every room of the plan, and no other; carried by one of its links, or by nobody knows which."""
    if state.carrier is not None and state.carrier not in {link.name for link in plan.links}:
        state = replace(state, carrier=None)  # of a config that called its links otherwise
    if tuple(state.rooms) == plan.rooms:
        return state
    fresh = RoomState(tier_since_s=state.started_s)
    first = state.rooms.get("", fresh)  # of a record made before there were rooms
    kept = {name: state.rooms.get(name, first if name == plan.rooms[0] else fresh) for name in plan.rooms}
    return replace(state, rooms=kept)


def _onsets(plan: Plan, state: State, now: float) -> State:
    """Since when every line is down, and since when nobody can direct each session over them."""
    down_s = _all_down_since(plan, state, now)
    if down_s != state.all_down_s:
        state = replace(state, all_down_s=down_s)
    for name in plan.rooms:
        room = state.room(name)
        since_s = _lost_since(room, is_undirected(plan, state, now, name), now)
        if since_s != room.undirected_s:
            state = state.with_room(name, replace(room, undirected_s=since_s))
    return state


def _all_down_since(plan: Plan, state: State, now: float) -> float | None:
    """Not knowing neither begins nor ends it: a daemon that starts anew has heard of no link yet."""
    if all_down(plan, state):
        return now if state.all_down_s is None else state.all_down_s
    usable = any(held.reading.verdict in (Verdict.UP, Verdict.DEGRADED) for held in state.links.values())
    return None if usable else state.all_down_s


def _lost_since(room: RoomState, lost: bool, now: float) -> float | None:
    """It outlives a short return, or a session closed by mistake, until tier 3 clears: recovery is damped, escalation
    never.
    """
    if lost:
        return now if room.undirected_s is None else room.undirected_s
    return room.undirected_s if room.is_up("t3.av") or room.is_up("t3.audio") else None


# ── the drill ──────────────────────────────────────────────────────────────────────────────────────────
def _drill(plan: Plan, state: State, now: float) -> tuple[State, tuple[Event, ...]]:
    was = state.drill
    state, why = drill.step(plan, state, now)
    if why is not None:
        return state, (log(state, "drill.aborted", now, {"why": why}),)
    if was is not None and state.drill is None:
        return state, (log(state, "drill.over", now, {"lasted_s": round(now - was.started_s, 3)}),)
    return state, ()


# ── conditions ─────────────────────────────────────────────────────────────────────────────────────────
def _conditions(plan: Plan, state: State, now: float) -> tuple[State, tuple[Event, ...]]:
    latches = conditions.walk(plan, state, now)
    if latches == state.conditions:
        return state, ()
    events = []
    for key in sorted(latches.keys() | state.conditions.keys()):
        was, now_is = (held.get(key, Latch()) for held in (state.conditions, latches))
        if was.raised != now_is.raised:
            events.append(_condition_event(state, key, was, now_is, now))
    return replace(state, conditions=latches), tuple(events)


def _condition_event(state: State, key: conditions.Key, was: Latch, now_is: Latch, now: float) -> Event:
    name, subject = key
    data: dict[str, Json] = {"at": subject, "severity": conditions.BY_NAME[name].severity.value}
    if was.raised_s is not None:
        data["lasted_s"] = round(now - was.raised_s, 3)
    link = state.links.get(subject) if name.startswith("link.") and now_is.raised else None
    if link is not None:
        data |= {"cause": link.reading.cause.value, "evidence": _rests_on(link.reading.evidence)}
    return log(state, f"{name}.{'raised' if now_is.raised else 'cleared'}", now, data)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────────────
def _seconds_first(plan: Plan, state: State, observation: Observation, now: float) -> tuple[State, tuple[Event, ...]]:
    """The seconds before an act that may change a session, or before the daemon goes, belong to what was."""
    acted = isinstance(observation, PersonActed) and observation.act in sessions.STEPS
    goes = isinstance(observation, DaemonPhase) and observation.phase is not Phase.STARTED
    events: list[Event] = []
    for name in plan.rooms if acted or goes else ():
        state, told = seconds.tell(state, situation(plan, state, now, name))
        events += told
    return state, tuple(events)


def _rooms(plan: Plan, state: State, tick: bool, now: float) -> tuple[State, tuple[Event, ...]]:
    events: list[Event] = []
    for name in plan.rooms:
        s = situation(plan, state, now, name)  # no step below changes it
        for step in (_unanswered, _tiers, timers.run, *((seconds.look,) if tick else ())):
            state, told = step(plan, state, s)
            events += told
    settled = not any(room.is_up("t2.failover") for room in state.rooms.values())
    return (replace(state, failover=None) if settled and state.failover else state), tuple(events)


def _unanswered(plan: Plan, state: State, s: Situation) -> tuple[State, tuple[Event, ...]]:
    session = state.room(s.room).session
    if session is None or session.joined_s is not None or session.unanswered or session.requested_s is None:
        return state, ()
    late = s.now - session.requested_s > plan.thresholds.answer_late_s
    return acts.unanswered(state, s.room, session, s.now) if late else (state, ())


def _tiers(plan: Plan, state: State, s: Situation) -> tuple[State, tuple[Event, ...]]:
    room = state.room(s.room)
    latches = containment.walk(plan, room.tiers, s)
    tier = containment.tier_of(latches)
    after = replace(
        room,
        tiers=latches,
        tier=tier,
        tier_since_s=s.now if tier != room.tier else room.tier_since_s,
        demanded=demands.told_last(room.demanded, latches, s, entered=tier != room.tier),
        av_compliant=s.av_compliant,
        band=room.band if room.supervised else None,
    )
    judged = state.with_room(s.room, after)
    events = [*_row_events(judged, room, after, s)]
    if s.av_compliant != room.av_compliant:
        data: dict[str, Json] = {"av_compliant": s.av_compliant, "audio": s.audio, "video": s.video, "room": s.room}
        events.append(log(judged, "av.changed", s.now, data))
    if tier == room.tier:
        return judged, (*events, *_demanded_anew(plan, room, judged, s))
    events.append(_tier_event(plan, room, judged, s))
    judged, proof = seconds.tell(judged, s)
    return judged, (*events, *proof)


def _demanded_anew(plan: Plan, was: RoomState, state: State, s: Situation) -> tuple[Event, ...]:
    """Within one tier another row leads now, and demands something else."""
    room = state.room(s.room)
    if room.demanded is None or room.demanded == was.demanded:
        return ()
    row = containment.BY_ID[room.demanded]
    data: dict[str, Json] = {
        "room": s.room,
        "row": row.id,
        "response": _response(plan, row, room.tiers[row.id], s),
        "session": room.session.id if room.session else None,
        "phase": s.phase.value if s.phase else None,
    }
    return (log(state, "response.demanded", s.now, data),)


def _row_events(state: State, was: RoomState, judged: RoomState, s: Situation) -> list[Event]:
    events = []
    for row in containment.ROWS:
        before, after = was.tiers.get(row.id, Latch()), judged.tiers[row.id]
        if before.raised != after.raised:
            word = "raised" if after.raised else "cleared"
            data: dict[str, Json] = {"row": row.id, "row_tier": row.tier, "room": s.room}
            events.append(log(state, f"containment.{word}", s.now, data))
    return events


def _tier_event(plan: Plan, was: RoomState, state: State, s: Situation) -> Event:
    room = state.room(s.room)
    found = rootcause.find(plan, state, situation(plan, state, s.now, s.room))  # as it is after the step
    row = demands.leading(room.tiers, s)
    data: dict[str, Json] = {
        "room": s.room,
        "previous": was.tier,
        "previous_lasted_s": round(s.now - was.tier_since_s, 3),
        "row": row.id if row else None,
        "rows": sorted(name for name, latch in room.tiers.items() if latch.raised),
        "cause": found.cause.value,
        "cause_at": found.at,
        "response": _response(plan, row, room.tiers[row.id], s) if row else None,
        "session": room.session.id if room.session else None,
        "phase": s.phase.value if s.phase else None,
        "drill": s.drill and (room.tier < 3 or not (s.undirected or s.no_line)),
        "av_compliant": s.av_compliant,
        "evidence": _evidence(state, s),
    }
    return Event(Channel.TIER, "tier.entered", room.tier, s.now, data)


def _response(plan: Plan, row: containment.Row, latch: Latch, s: Situation) -> Json:
    """As people are shown it: what was done already is not demanded again on the way down."""
    demanded = demands.response(plan, row)
    by_s = None if demands.is_answered(row, latch, s) else demanded.by_s
    return {"say": demands.say(plan, row, latch, s), "who": demanded.who, "by_s": by_s}


def _evidence(state: State, s: Situation) -> Mapping[str, Json]:
    """The observations that made it, in figures."""
    return {
        "links": {
            name: {
                "verdict": link.reading.verdict.value,
                "cause": link.reading.cause.value,
                "rtt_ms": None if link.reading.rtt_s is None else round(link.reading.rtt_s * 1e3, 1),
                "loss_pct": link.reading.loss_pct,
                "rests_on": _rests_on(link.reading.evidence),
            }
            for name, link in sorted(state.links.items())
        },
        "carrier": state.carrier,
        "router_answering": state.router.answering if state.router else None,
        "audio": s.audio,
        "video": s.video,
        "phone": s.phone,
        "power": {name: ups.power.value for name, ups in sorted(state.ups.items())},
        "lost_for_s": None if s.lost_for_s is None else round(s.lost_for_s, 3),
    }


def _rests_on(evidence: Evidence | None) -> Json:
    """A link's verdict with paper and pencil: misses, what each of them weighs, and where it trips."""
    if evidence is None:
        return None
    return {
        "test": evidence.test,
        "nats": round(evidence.nats, 2),
        "trip_nats": round(evidence.trip_nats, 2),
        "misses": evidence.misses,
        "pi": round(evidence.pi, 5),
        "q": round(evidence.q, 3),
        "quick": evidence.quick,
        "q_quick": round(evidence.q_quick, 3),
        "votes": evidence.votes,
        "voters": evidence.voters,
    }
