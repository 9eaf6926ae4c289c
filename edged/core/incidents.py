"""One incident for each root cause, from onset to closure, with every symptom under it.

A symptom is a row of the containment table or a condition that calls for a response. It joins the open incident that
explains it, deepens the one it explains, or opens one of its own. Going is damped, coming is not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from edged.core import containment
from edged.core.conditions import BY_NAME, Severity
from edged.core.events import Channel, Event, Json
from edged.core.incident_causes import Blame, blame, depth, explains, site_wide
from edged.core.incident_state import Incident, Incidents, Key
from edged.core.incident_tags import tagged
from edged.core.plan import Plan
from edged.core.rootcause import Cause
from edged.core.state import State

HOLD_S = 60.0
LONGEST_HOLD_S = 600.0
"""Quiet for so long, and an incident is over. Each return doubles the hold, so that a line that flaps is one."""
MOST_TOLD = 32
"""Symptoms an event names at most."""


def follow(
    plan: Plan, before: State, state: State, events: tuple[Event, ...], now: float
) -> tuple[State, tuple[Event, ...]]:
    """What this step means for the incidents: the events with the incident they belong to, and its own."""
    was = state.incidents
    up = _up(state)
    if not up and not was.open:
        return state, events
    faded = [_faded(each, up, now) for each in was.open]
    open_ = _deepened(plan, state, faded, now)
    known = {key for each in open_ for key in each.standing}
    risen = [key for key in up if key not in known]
    into: dict[int, int] = {}
    if risen or open_ != faded:
        open_, into = _merged(plan, state, _joined(plan, state, open_, risen, now))
    followed = replace(state, incidents=_book(was, open_, now))
    told = tagged(plan, followed, events, was.open, open_, into, now)
    return followed, (*_begun(followed, was, now), *told, *_ended(followed, was, into, now))


def hold_s(incident: Incident) -> float:
    """How long it must be quiet to be over."""
    return min(HOLD_S * float(2 ** min(incident.returns, 8)), LONGEST_HOLD_S)


def _up(state: State) -> dict[Key, int]:
    """Every symptom there is now, and the tier it holds."""
    conditions = {
        key: 0
        for key, latch in state.conditions.items()
        if latch.raised and key[0] in BY_NAME and BY_NAME[key[0]].severity is not Severity.INFO
    }
    rows = {
        (row, name): containment.BY_ID[row].tier
        for name, room in state.rooms.items()
        for row, latch in room.tiers.items()
        if latch.raised and row in containment.BY_ID
    }
    about_alarms = [key for key in conditions if key[0].startswith("alarms.")]
    return {key: tier for key, tier in (conditions | rows).items() if key not in about_alarms}


# ── the open ones ──────────────────────────────────────────────────────────────────────────────────────
def _faded(incident: Incident, up: dict[Key, int], now: float) -> Incident:
    standing = tuple(key for key in incident.standing if key in up)
    if standing:
        return incident if standing == incident.standing else replace(incident, standing=standing)
    return replace(incident, standing=(), quiet_s=now if incident.quiet_s is None else incident.quiet_s)


def _deepened(plan: Plan, state: State, open_: list[Incident], now: float) -> list[Incident]:
    """Every line is down: what is behind it may show only later, when the router answers or the UPS tells."""
    found = site_wide(plan, state, now) if any(each.cause in _ALL_DOWN for each in open_) else None
    if found is None:
        return open_
    return [replace(each, cause=found[0], at=found[1]) if _is_about_it(each) else each for each in open_]


_ALL_DOWN = (Cause.LAN_OR_ROUTER.value, Cause.ALL_LINKS_DOWN.value)


def _is_about_it(incident: Incident) -> bool:
    return incident.cause in _ALL_DOWN and bool(incident.standing)


def _joined(plan: Plan, state: State, open_: list[Incident], risen: list[Key], now: float) -> list[Incident]:
    """With the new symptoms, the deepest first: the others find their incident there."""
    blames = {key: blame(plan, state, *key, now) for key in risen}
    last = state.incidents.last
    for key in sorted(risen, key=lambda key: (depth(blames[key].cause), blames[key].onset_s, key)):
        its = blames[key]
        homes = [each for each in open_ if _takes(each, its) and explains(plan, state, _as_blame(each), its)]
        under = [each for each in open_ if explains(plan, state, its, _as_blame(each))]
        if homes:
            home = min(homes, key=lambda each: (not _as_blame(each).same(its), depth(each.cause), each.number))
        elif under:
            home = replace(min(under, key=lambda each: each.number), cause=its.cause, at=its.at)
        else:
            last += 1
            home = Incident(last, its.onset_s, now, its.cause, its.at)
        open_ = [*(each for each in open_ if each.number != home.number), _with(home, key, its)]
    return sorted(open_, key=lambda each: each.number)


def _takes(incident: Incident, its: Blame) -> bool:
    """One that only waits to be over comes back with its own cause or place, and has the traffic's way home; it
    explains nothing else any more.
    """
    again = _as_blame(incident).same(its) or (its.at is not None and its.at == incident.at)
    return bool(incident.standing) or again or its.cause == Cause.FAILOVER.value


def _with(incident: Incident, key: Key, its: Blame) -> Incident:
    name = " ".join(key)
    row = containment.BY_ID.get(key[0])
    return replace(
        incident,
        onset_s=min(incident.onset_s, its.onset_s) if incident.quiet_s is None else incident.onset_s,
        worst_tier=max(incident.worst_tier, row.tier if row else 0),
        symptoms=incident.symptoms if name in incident.symptoms else (*incident.symptoms, name),
        standing=(*incident.standing, key),
        quiet_s=None,
        returns=incident.returns + (incident.quiet_s is not None),
    )


def _merged(plan: Plan, state: State, open_: list[Incident]) -> tuple[list[Incident], dict[int, int]]:
    """What turns out to be one is one, under the older number; and which went into which."""
    into: dict[int, int] = {}
    while found := _pair(plan, state, open_):
        cause, (first, second) = found[0], sorted(found, key=lambda each: each.number)
        whole = replace(
            first,
            onset_s=min(first.onset_s, second.onset_s),
            cause=cause.cause,
            at=cause.at,
            worst_tier=max(first.worst_tier, second.worst_tier),
            symptoms=tuple(dict.fromkeys((*first.symptoms, *second.symptoms))),
            standing=(*first.standing, *second.standing),
            quiet_s=None,
            returns=max(first.returns, second.returns),
        )
        into = {number: first.number if home == second.number else home for number, home in into.items()}
        into[second.number] = first.number
        open_ = [whole if each.number == first.number else each for each in open_ if each is not second]
    return open_, into


def _pair(plan: Plan, state: State, open_: list[Incident]) -> tuple[Incident, Incident] | None:
    standing = [(each, _as_blame(each)) for each in open_ if each.standing]
    for cause, its in standing:
        for other, symptom in standing:
            if other is not cause and explains(plan, state, its, symptom):
                return cause, other
    return None


def _as_blame(incident: Incident) -> Blame:
    felt = any(name in containment.BY_ID for name, _ in incident.standing)
    return Blame(incident.cause, incident.at, incident.onset_s, felt)


def _book(was: Incidents, open_: Iterable[Incident], now: float) -> Incidents:
    kept = tuple(each for each in open_ if each.quiet_s is None or now - each.quiet_s < hold_s(each))
    return Incidents(max((was.last, *(each.number for each in kept))), kept)


# ── what is told ───────────────────────────────────────────────────────────────────────────────────────
def _begun(state: State, was: Incidents, now: float) -> Iterator[Event]:
    known = {each.number: each for each in was.open}
    for each in state.incidents.open:
        before = known.get(each.number)
        data: dict[str, Json] = {"number": each.number, "cause": each.cause, "at": each.at}
        if before is None:
            yield _told(state, "opened", now, {**data, "onset_s_ago": round(now - each.onset_s, 3)})
        elif (before.cause, before.at) != (each.cause, each.at):
            yield _told(state, "recaused", now, {**data, "previous": before.cause})


def _ended(state: State, was: Incidents, into: dict[int, int], now: float) -> Iterator[Event]:
    still = {each.number for each in state.incidents.open}
    for each in was.open:
        if each.number not in still:
            quiet_s = now if each.quiet_s is None else each.quiet_s
            data: dict[str, Json] = {
                "number": each.number,
                "cause": each.cause,
                "at": each.at,
                "lasted_s": round(quiet_s - each.onset_s, 3),
                "over_s_ago": round(now - quiet_s, 3),
                "worst_tier": each.worst_tier,
                "symptoms": list(each.symptoms[:MOST_TOLD]),
                "into": into.get(each.number),
            }
            yield _told(state, "closed", now, data)


def _told(state: State, word: str, now: float, data: dict[str, Json]) -> Event:
    return Event(Channel.LOG, f"incident.{word}", state.tier, now, data)
