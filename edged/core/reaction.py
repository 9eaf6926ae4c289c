"""What is to be done now that the state is another: shapers, the way to the NOC, the pace of probes, errands. Pure.

Only what differs from what was last asked for.
"""

from dataclasses import replace

from edged.core import errands
from edged.core.effects import Effect, Errand, Pace, ProbeAt, ReportVia, Run, ShapeFor
from edged.core.latch import Latch
from edged.core.plan import Plan
from edged.core.rooms import RoomState
from edged.core.state import State
from edged.core.uplink import best_link
from probes.reading import LinkCause, Verdict

_LOOK_AGAIN_S = 60.0
_WELL_FOR_S = 20.0


def effects(plan: Plan, before: State, state: State) -> tuple[State, tuple[Effect, ...]]:
    """The state that remembers them, and the effects."""
    carrier = state.carrier or plan.primary.name
    found: list[Effect] = []
    slow = any(_is_slow(room) for room in state.rooms.values())
    factor = plan.thresholds.relieved_shaping if slow else 1.0
    if plan.shapers and plan.link(carrier).shaped and state.shaped != (carrier, factor):
        found.append(ShapeFor(carrier, factor))
        state = replace(state, shaped=(carrier, factor))
    if plan.has_broker and (via := best_link(plan, state)) != state.reported_via:
        found.append(ReportVia(via))
        state = replace(state, reported_via=via)
    paced = {link.name: Pace.SESSION if state.session and link.name == carrier else Pace.CALM for link in plan.links}
    found += [ProbeAt(name, pace) for name, pace in paced.items() if state.paced.get(name) != pace]
    leave = {link.name: errands.leave(plan, state, link) for link in plan.links if link.measurable}
    found += [given for name, given in leave.items() if state.leave.get(name) != given]
    if paced != state.paced or leave != state.leave:
        state = replace(state, paced=paced, leave=leave)
    return _runs(plan, before, state, found)


def _runs(plan: Plan, before: State, state: State, effects: list[Effect]) -> tuple[State, tuple[Effect, ...]]:
    """What is to be found out now: what somebody asked, the path of a link that turned bad, the doors after a move."""
    names = [link.name for link in plan.links if link.name in state.links]
    looks = [name for name in names if _turned_bad(before, state, name) or _never_looked_at(state, name)]
    runs = [*state.wanted, *(Run(Errand.DIAGNOSE, name) for name in looks)]
    if before.carrier != state.carrier:
        runs += [Run(Errand.PROVE, link.name) for link in plan.links if link.proven or link.standby]
    if looks or state.wanted:
        looked_s = {name: state.links[name].reading.at_s for name in looks}
        state = replace(state, wanted=(), diagnosed_s={**state.diagnosed_s, **looked_s})
    return state, (*effects, *runs)


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


def _is_slow(room: RoomState) -> bool:
    latency = room.tiers.get("t1.latency", Latch())
    return latency.raised and latency.quiet_s is None
