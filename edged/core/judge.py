"""The judge: a function of its arguments. Observation in; new state, events and effects out.

Replaying recorded observations with their times gives the same decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edged.core import conditions, containment, errands, rootcause
from edged.core.absorb import absorb, log
from edged.core.effects import Effect, Errand, Pace, ProbeAt, ReportVia, Run, ShapeFor
from edged.core.events import Channel, Event, Json
from edged.core.latch import Latch
from edged.core.observations import Observation
from edged.core.plan import Plan
from edged.core.situation import Situation, all_down, situation
from edged.core.state import State
from edged.core.uplink import best_link
from probes.reading import Evidence, LinkCause, Verdict

_LOOK_AGAIN_S = 60.0
_WELL_FOR_S = 20.0


@dataclass(frozen=True, slots=True)
class Judged:
    state: State
    events: tuple[Event, ...]
    effects: tuple[Effect, ...]


def judge(plan: Plan, state: State, observation: Observation, now: float) -> Judged:
    """One step at `now` (monotonic seconds)."""
    before = state
    state, events = absorb(plan, state, observation, now)
    state = _onsets(plan, state, now)
    state, found = _conditions(plan, state, now)
    state, told = _tiers(plan, state, now)
    state, effects = _effects(plan, before, state)
    return Judged(state, (*events, *found, *told), effects)


def _onsets(plan: Plan, state: State, now: float) -> State:
    """Since when every line is down, and since when a session is without A/V.

    The latter outlives a short return, until t3.av clears: recovery is damped, escalation never.
    """
    down_s = (now if state.all_down_s is None else state.all_down_s) if all_down(plan, state) else None
    state = replace(state, all_down_s=down_s)
    if situation(plan, state, now).av_lost:
        return replace(state, av_lost_s=now if state.av_lost_s is None else state.av_lost_s)
    keep = state.session is not None and _is_up(state, "t3.av")
    return state if keep else replace(state, av_lost_s=None)


# ── conditions ─────────────────────────────────────────────────────────────────────────────────────────
def _conditions(plan: Plan, state: State, now: float) -> tuple[State, tuple[Event, ...]]:
    latches = conditions.walk(plan, state, now)
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


# ── tiers ──────────────────────────────────────────────────────────────────────────────────────────────
def _tiers(plan: Plan, state: State, now: float) -> tuple[State, tuple[Event, ...]]:
    s = situation(plan, state, now)
    latches = containment.walk(plan, state.tiers, s)
    tier = containment.tier_of(latches)
    judged = replace(
        state,
        tiers=latches,
        tier=tier,
        tier_since_s=now if tier != state.tier else state.tier_since_s,
        failover=state.failover if latches["t2.failover"].raised else None,
        av_compliant=s.av_compliant,
    )
    events = [*_row_events(state, judged, s)]
    if s.av_compliant != state.av_compliant:
        data: dict[str, Json] = {"av_compliant": s.av_compliant, "audio": s.audio, "video": s.video}
        events.append(log(judged, "av.changed", now, data))
    if tier != state.tier:
        events.append(_tier_event(plan, state, judged, s))
    return judged, tuple(events)


def _row_events(was: State, judged: State, s: Situation) -> list[Event]:
    events = []
    for row in containment.ROWS:
        before, after = was.tiers.get(row.id, Latch()), judged.tiers[row.id]
        if before.raised != after.raised:
            word = "raised" if after.raised else "cleared"
            events.append(log(judged, f"containment.{word}", s.now, {"row": row.id, "row_tier": row.tier}))
    return events


def _tier_event(plan: Plan, was: State, judged: State, s: Situation) -> Event:
    found = rootcause.find(plan, judged, situation(plan, judged, s.now))  # as it is after the step
    row = containment.leading(judged.tiers)
    data: dict[str, Json] = {
        "previous": was.tier,
        "previous_lasted_s": round(s.now - was.tier_since_s, 3),
        "row": row.id if row else None,
        "rows": sorted(name for name, latch in judged.tiers.items() if latch.raised),
        "cause": found.cause.value,
        "cause_at": found.at,
        "response": {"say": row.response.say, "who": row.response.who, "by_s": row.response.by_s} if row else None,
        "session": judged.session.id if judged.session else None,
        "av_compliant": s.av_compliant,
        "evidence": _evidence(judged, s),
    }
    return Event(Channel.TIER, "tier.entered", judged.tier, s.now, data)


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


# ── effects ────────────────────────────────────────────────────────────────────────────────────────────
def _effects(plan: Plan, before: State, state: State) -> tuple[State, tuple[Effect, ...]]:
    carrier = state.carrier or plan.primary.name
    effects: list[Effect] = []
    slow = state.tiers["t1.latency"].raised and state.tiers["t1.latency"].quiet_s is None
    factor = plan.thresholds.relieved_shaping if slow else 1.0
    if plan.shapers and plan.link(carrier).shaped and state.shaped != (carrier, factor):
        effects.append(ShapeFor(carrier, factor))
        state = replace(state, shaped=(carrier, factor))
    if plan.has_broker and (via := best_link(plan, state)) != state.reported_via:
        effects.append(ReportVia(via))
        state = replace(state, reported_via=via)
    paced = {link.name: Pace.SESSION if state.session and link.name == carrier else Pace.CALM for link in plan.links}
    effects += [ProbeAt(name, pace) for name, pace in paced.items() if state.paced.get(name) != pace]
    leave = {link.name: errands.leave(plan, state, link) for link in plan.links if link.measurable}
    effects += [given for name, given in leave.items() if state.leave.get(name) != given]
    return _runs(plan, before, replace(state, paced=paced, leave=leave), effects)


def _runs(plan: Plan, before: State, state: State, effects: list[Effect]) -> tuple[State, tuple[Effect, ...]]:
    """What is to be found out now: what somebody asked, the path of a link that turned bad, the doors after a move."""
    names = [link.name for link in plan.links if link.name in state.links]
    looks = [name for name in names if _turned_bad(before, state, name) or _never_looked_at(state, name)]
    runs = [*state.wanted, *(Run(Errand.DIAGNOSE, name) for name in looks)]
    if before.carrier != state.carrier:
        runs += [Run(Errand.PROVE, link.name) for link in plan.links if link.proven or link.standby]
    looked_s = {name: state.links[name].reading.at_s for name in looks}
    return replace(state, wanted=(), diagnosed_s={**state.diagnosed_s, **looked_s}), (*effects, *runs)


def _turned_bad(before: State, state: State, name: str) -> bool:
    """A verdict that a look at the path may explain; one look a minute, or a flapping line would be looked at alone."""
    held = state.links[name]
    if held.reading.verdict not in (Verdict.DOWN, Verdict.DEGRADED):
        return False
    was = before.links.get(name)
    same = was is not None and was.reading.verdict is held.reading.verdict
    explains = held.reading.verdict is Verdict.DOWN or held.reading.cause in (LinkCause.GRAY_LOSS, LinkCause.REFLECTOR)
    again = held.reading.at_s - state.diagnosed_s.get(name, float("-inf")) >= _LOOK_AGAIN_S
    return not same and explains and again


def _never_looked_at(state: State, name: str) -> bool:
    """Once while all is well: where a path dies is told by where it usually leads."""
    reading = state.links[name].reading
    well = reading.verdict is Verdict.UP and reading.at_s - reading.since_s >= _WELL_FOR_S
    return well and name not in state.diagnosed_s


def _is_up(state: State, row: str) -> bool:
    return row in state.tiers and state.tiers[row].raised
