"""The drill: the primary line goes offline on purpose, and must come back whatever happens (D1, rule 16).

Interlocks are rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from edged.core.line import NOTHING
from edged.core.plan import Plan
from edged.core.state import Drill, State
from probes.reading import Verdict
from ups.reading import Power

_NO_MAINS = (Power.BATTERY, Power.LOW_BATTERY, Power.OFF)
_UPS_SILENT_S = 45.0
"""A UPS is asked every 15 s: a daemon that starts anew in a drill has heard of none yet, and goes on with it."""


@dataclass(frozen=True, slots=True)
class Interlock:
    code: str
    """The refusal, for programs."""
    locks: Callable[[Plan, State], bool]


def _contrast_given(_: Plan, state: State) -> bool:
    return any(room.session is not None and room.session.phase.contrast_given for room in state.rooms.values())


def _on_battery(plan: Plan, state: State) -> bool:
    """Not known to be on mains is not mains."""
    return any(ups.name not in state.ups or state.ups[ups.name].power is not Power.MAINS for ups in plan.ups)


def _standby_unproven(plan: Plan, state: State) -> bool:
    return not any(standby_proven(plan, state, link.name) for link in plan.links if link.name != plan.primary.name)


def standby_proven(plan: Plan, state: State, name: str) -> bool:
    """It is up now, and where its fitness is looked at it was found fit (N7)."""
    held = state.links.get(name)
    if held is None or held.reading.verdict is not Verdict.UP:
        return False
    fitness = state.lines.get(name, NOTHING).standby
    return not plan.link(name).standby or (fitness is not None and fitness.fit is True)


def _primary_not_carrying(plan: Plan, state: State) -> bool:
    return state.carrier not in (None, plan.primary.name)


INTERLOCKS: tuple[Interlock, ...] = (
    Interlock("contrast_given", _contrast_given),
    Interlock("tier_in_force", lambda _, state: state.tier > 0),
    Interlock("on_battery", _on_battery),
    Interlock("standby_unproven", _standby_unproven),
    Interlock("primary_not_carrying", _primary_not_carrying),
)


def refusal(plan: Plan, state: State) -> str | None:
    """Why no drill may begin now, as a code. One that runs is no obstacle to itself."""
    if state.drill is not None and not state.drill.over:
        return None
    return next((row.code for row in INTERLOCKS if row.locks(plan, state)), None)


def begin(now: float) -> Drill:
    return Drill(now)


def is_on(state: State) -> bool:
    """From its start until the primary line carries again."""
    return state.drill is not None


def step(plan: Plan, state: State, now: float) -> tuple[State, str | None]:
    """The drill at `now`, and the code of what ended it by itself: contrast given, an outage that is no drill any
    more, power, or time. It is forgotten once the primary line carries again.
    """
    if state.drill is None:
        return state, None
    if state.drill.over:
        return _until_back(plan, state), None
    why = _aborts(plan, state, now)
    if why is None:
        return state, None
    return replace(state, drill=replace(state.drill, over=True, real=_is_real(state, why))), why


def _until_back(plan: Plan, state: State) -> State:
    """Over, and as long as the primary line is not back, what else is lost is no drill's."""
    if primary_is_back(plan, state):
        return replace(state, drill=None)
    if state.drill is None or state.drill.real or not (_is_lost(state) or _lacks_mains(plan, state)):
        return state
    return replace(state, drill=replace(state.drill, real=True))


def _is_real(state: State, why: str) -> bool:
    """More is lost than a drill takes away: power, every line, or sound for good."""
    return why == "on_battery" or (why == "tier_in_force" and _is_lost(state))


def _is_lost(state: State) -> bool:
    lost = state.all_down_s is not None or any(room.undirected_s is not None for room in state.rooms.values())
    return state.tier >= 3 and lost


def _lacks_mains(plan: Plan, state: State) -> bool:
    return any(ups.name in state.ups and state.ups[ups.name].power in _NO_MAINS for ups in plan.ups)


def _aborts(plan: Plan, state: State, now: float) -> str | None:
    drill = state.drill
    if drill is not None and now - drill.started_s >= plan.thresholds.drill_within_s:
        return "out_of_time"
    if _contrast_given(plan, state):
        return "contrast_given"
    if state.tier >= 3:
        return "tier_in_force"
    heard = now - state.started_s >= _UPS_SILENT_S
    return "on_battery" if (_on_battery if heard else _lacks_mains)(plan, state) else None


def primary_is_back(plan: Plan, state: State) -> bool:
    held = state.links.get(plan.primary.name)
    lives = held is not None and held.reading.verdict is Verdict.UP
    return lives and state.carrier in (None, plan.primary.name)
