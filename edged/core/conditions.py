"""Single facts worth telling the NOC, each a row: what it is about, when it holds, how long before it shows.

Tiers say what to do now; conditions say what is wrong. A rule answers True, False, or None for "cannot know".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edged.core import line
from edged.core import room_conditions as rules
from edged.core.admission import is_fresh, needed_bps
from edged.core.latch import Dwell, Latch, step
from edged.core.plan import Plan
from edged.core.state import State
from probes.reading import LinkCause, Verdict
from qos.reading import ShaperState
from ups.reading import Contact, Power
from wan.reading import RouterCause


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


Key = tuple[str, str]
"""Condition and subject: ("link.down", "fiber")."""


Holds = Callable[[Plan, State, str, float], bool | None]


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    severity: Severity
    subjects: Callable[[Plan], tuple[str, ...]]
    holds: Holds
    dwell: Dwell


def _links(plan: Plan) -> tuple[str, ...]:
    return tuple(link.name for link in plan.links)


def _proven(plan: Plan) -> tuple[str, ...]:
    return tuple(link.name for link in plan.links if link.proven)


def _proven_backups(plan: Plan) -> tuple[str, ...]:
    return tuple(name for name in _proven(plan) if name != plan.primary.name)


def _standbys(plan: Plan) -> tuple[str, ...]:
    return tuple(link.name for link in plan.links if link.standby)


def _upses(plan: Plan) -> tuple[str, ...]:
    return tuple(ups.name for ups in plan.ups)


def _only_if(attribute: str, subject: str) -> Callable[[Plan], tuple[str, ...]]:
    return lambda plan: (subject,) if getattr(plan, attribute) else ()


def _box(_: Plan) -> tuple[str, ...]:
    return ("box",)


def _link_is(verdict: Verdict) -> Holds:
    def holds(_plan: Plan, state: State, name: str, _: float) -> bool | None:
        link = state.links.get(name)
        known = link is not None and link.reading.verdict is not Verdict.UNKNOWN
        return link.reading.verdict is verdict if link is not None and known else None

    return holds


def _power_in(*powers: Power) -> Holds:
    def holds(_plan: Plan, state: State, name: str, _: float) -> bool | None:
        ups = state.ups.get(name)
        return None if ups is None or ups.power is Power.UNKNOWN else ups.power in powers

    return holds


def _ups_silent(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    ups = state.ups.get(name)
    return ups.contact is not Contact.OK if ups else None


def _router_silent(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    asked = state.router is not None and state.router.cause is not RouterCause.STARTING
    return not state.router.answering if state.router and asked else None


def _not_shaped(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    shaper = state.shapers.get(name)
    return shaper.state is not ShaperState.ACTIVE if shaper else None


def _uplink_lost(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return not state.uplink.connected if state.uplink else None


def _not_durable(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return not state.record.durable if state.record else None


def _clock_not_synced(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return state.clock.quality != "synced" if state.clock else None


def _clock_implausible(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return not state.clock.plausible if state.clock else None


def _certificates(plan: Plan) -> tuple[str, ...]:
    return plan.certificates


def _expires_within(days: float) -> Holds:
    def holds(_plan: Plan, state: State, which: str, _: float) -> bool | None:
        found = state.certificates.get(which)
        return None if found is None or found.days_left is None else found.days_left < days

    return holds


def _not_exchanged(_plan: Plan, state: State, which: str, _: float) -> bool | None:
    found = state.certificates.get(which)
    return found.error is not None if found else None


def _reserve_full(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    """Full from 90 % on, and no more below 50 %."""
    if state.record is None or 50 <= state.record.reserve_pct < 90:
        return None
    return state.record.reserve_pct >= 90


def _no_second_copy(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return not state.record.second_copy if state.record else None


def _low_space(_plan: Plan, state: State, _: str, __: float) -> bool | None:
    return state.record.low_space if state.record else None


def _report_over_budget(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    """Only of the link that carries the connection is anything known."""
    known = state.uplink is not None and state.uplink.link == name
    return state.uplink.over_budget if state.uplink and known else None


def _blind(_plan: Plan, state: State, source: str, now: float) -> bool | None:
    return now - state.seen_s.get(source, state.started_s) > _SILENCE_S[source.partition(":")[0]]


def _alarms_stand(_plan: Plan, state: State, _: str, now: float) -> bool:
    return len(state.alarms.standing_long(now)) >= _STALE_ALARMS


def _alarms_flap(_plan: Plan, state: State, _: str, now: float) -> bool:
    return bool(state.alarms.flapping(now))


def _caused_by(cause: LinkCause) -> Holds:
    def holds(_plan: Plan, state: State, name: str, _: float) -> bool | None:
        link = state.links.get(name)
        return None if link is None else link.reading.cause is cause

    return holds


def _over_budget(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    link = state.links.get(name)
    budget = link.reading.budget if link else None
    return budget.used_bytes >= budget.limit_bytes if budget else None


def _not_own_exit(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    return line.leaves_by_another(state.lines, name)


def _shared_exit(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    return line.shares_its_door(state.lines, name)


def _unfit(_plan: Plan, state: State, name: str, _: float) -> bool | None:
    standby = state.lines.get(name, line.NOTHING).standby
    return None if standby is None or standby.fit is None else not standby.fit


def _too_small(plan: Plan, state: State, name: str, now: float) -> bool | None:
    measured = [each for each in state.lines.get(name, line.NOTHING).capacity.values() if is_fresh(each, now)]
    return any(each.rate_bps < needed_bps(plan, 1) for each in measured) if measured else None


_STALE_ALARMS = 5
"""ISA-18.2 and IEC 62682 want fewer than five stale alarms on any day."""
_SILENCE_S: Mapping[str, float] = {
    # Several times each source's own period: one second for most, 15 s for a UPS's slow poll, 5 s for the phone.
    "link": 10.0,
    "router": 15.0,
    "ups": 45.0,
    "media": 10.0,
    "phone": 30.0,
    "mobile": 30.0,
    "qos": 15.0,
}


def sources(plan: Plan) -> tuple[str, ...]:
    """Every source that must keep telling something, by the names `State.seen_s` uses."""
    return (
        *(f"link:{name}" for name in _links(plan)),
        *(f"ups:{name}" for name in _upses(plan)),
        *(f"qos:{name}" for name in plan.shapers),
        *(("router",) if plan.has_router else ()),
        *(("media",) if plan.has_media else ()),
        *((f"phone:{line}" if line else "phone") for line in rules.phone_lines(plan)),
        *(("mobile",) if plan.has_mobile else ()),
    )


_A, _W, _I = Severity.ALARM, Severity.WARNING, Severity.INFO
_NOW = Dwell(0.0, 0.0)  # the instrument has its own dwell or hold-down

CONDITIONS: tuple[Condition, ...] = (
    Condition("link.down", _A, _links, _link_is(Verdict.DOWN), _NOW),
    Condition("link.degraded", _W, _links, _link_is(Verdict.DEGRADED), _NOW),
    Condition("link.reflector_fault", _W, _links, _caused_by(LinkCause.REFLECTOR), _NOW),
    Condition("link.over_budget", _I, _links, _over_budget, _NOW),
    Condition("capacity.too_small", _W, _links, _too_small, _NOW),
    Condition("exit.not_own", _W, _proven, _not_own_exit, _NOW),
    Condition("exit.shared", _W, _proven_backups, _shared_exit, _NOW),
    Condition("standby.unfit", _W, _standbys, _unfit, _NOW),
    Condition("power.on_battery", _A, _upses, _power_in(Power.BATTERY, Power.LOW_BATTERY), Dwell(0.0, 5.0)),
    Condition("power.low_battery", _A, _upses, _power_in(Power.LOW_BATTERY), Dwell(0.0, 5.0)),
    Condition("power.off", _A, _upses, _power_in(Power.OFF), _NOW),
    Condition("ups.out_of_contact", _W, _upses, _ups_silent, Dwell(5.0, 5.0)),
    Condition("router.silent", _W, _only_if("has_router", "router"), _router_silent, _NOW),
    Condition("phone.unreachable", _A, rules.phone_subjects, rules.phone_dead, _NOW),
    Condition("phone.unregistered", _A, rules.phone_subjects, rules.phone_unregistered, _NOW),
    Condition("phone.shared_fate", _W, rules.rooms_with_phone, rules.shares_fate, _NOW),
    Condition("mobile.silent", _W, _only_if("has_mobile", "mobile"), rules.mobile_silent, _NOW),
    Condition("mobile.same_carrier", _W, _only_if("has_mobile", "mobile"), rules.mobile_same, _NOW),
    Condition("mobile.late", _W, rules.every_room, rules.mobile_late, _NOW),
    Condition("session.unanswered", _W, rules.every_room, rules.unanswered, _NOW),
    Condition("session.unsupervised", _A, rules.every_room, rules.unsupervised, _NOW),
    Condition("session.not_escalated", _W, rules.every_room, rules.not_escalated, _NOW),
    Condition("media.blind", _W, rules.rooms_with_media, rules.media_blind, Dwell(3.0, 3.0)),
    Condition("media.clear_text", _A, rules.rooms_with_media, rules.clear_text, _NOW),
    Condition("media.unknown", _W, rules.every_room, rules.media_unknown, Dwell(10.0, 0.0)),
    Condition("drill.primary_offline", _A, _box, rules.primary_still_out, _NOW),
    Condition("qos.not_applied", _W, lambda plan: plan.shapers, _not_shaped, Dwell(3.0, 3.0)),
    Condition("uplink.lost", _W, _only_if("has_broker", "broker"), _uplink_lost, Dwell(10.0, 5.0)),
    Condition("uplink.over_budget", _I, _links, _report_over_budget, _NOW),
    Condition("certificate.expires_30d", _I, _certificates, _expires_within(30), _NOW),
    Condition("certificate.expires_14d", _W, _certificates, _expires_within(14), _NOW),
    Condition("certificate.expires_7d", _A, _certificates, _expires_within(7), _NOW),
    Condition("certificate.expired", _A, _certificates, _expires_within(0), _NOW),
    Condition("certificate.not_exchanged", _W, _certificates, _not_exchanged, Dwell(30.0, 0.0)),  # files come singly
    Condition("record.not_durable", _A, _box, _not_durable, _NOW),
    Condition("record.reserve_full", _A, _box, _reserve_full, _NOW),
    Condition("record.no_second_copy", _W, _box, _no_second_copy, _NOW),
    Condition("record.low_space", _W, _box, _low_space, Dwell(10.0, 60.0)),
    Condition("clock.implausible", _W, _box, _clock_implausible, _NOW),
    Condition("clock.not_synced", _I, _box, _clock_not_synced, Dwell(60.0, 10.0)),
    Condition("alarms.standing", _W, _box, _alarms_stand, _NOW),
    Condition("alarms.flapping", _W, _box, _alarms_flap, _NOW),
    Condition("source.blind", _W, sources, _blind, _NOW),
)

BY_NAME: Mapping[str, Condition] = {condition.name: condition for condition in CONDITIONS}


def walk(plan: Plan, state: State, now: float) -> dict[Key, Latch]:
    """The latch of each condition for each of its subjects at `now`; only those that are not at rest are kept."""
    stepped = {}
    for condition in CONDITIONS:
        for subject in condition.subjects(plan):
            key = (condition.name, subject)
            holds = condition.holds(plan, state, subject, now)
            latch = state.conditions.get(key, Latch())
            latch = step(latch, trigger=holds is True, clear=holds is False, dwell=condition.dwell, now=now)
            if latch != Latch():
                stepped[key] = latch
    return stepped
