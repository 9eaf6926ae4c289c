"""What somebody may send edged to find out about a line, and when not. Rows: an errand, and what refuses it.

Packet trains fill a line for some milliseconds, a ramp for seconds: never where a session might feel it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edged.core.effects import Errand, Leave
from edged.core.plan import LinkPlan, Plan
from edged.core.state import State
from probes.reading import Verdict

Refuses = Callable[[Plan, State, LinkPlan], bool]


@dataclass(frozen=True, slots=True)
class Row:
    code: str
    """The refusal, for programs."""
    refuses: Refuses
    errands: tuple[Errand, ...]


def _carries_session(plan: Plan, state: State, link: LinkPlan) -> bool:
    return state.session is not None and (state.carrier or plan.primary.name) == link.name


def _down(_: Plan, state: State, link: LinkPlan) -> bool:
    held = state.links.get(link.name)
    return held is None or held.reading.verdict in (Verdict.DOWN, Verdict.UNKNOWN)


ROWS = (
    Row("no_capacity_server", lambda _, __, link: not link.measurable, (Errand.TRAIN, Errand.RAMP)),
    Row("no_exit_settings", lambda _, __, link: not (link.proven or link.standby), (Errand.PROVE,)),
    Row("session_open", lambda _, state, __: state.session is not None, (Errand.RAMP,)),
    Row("carries_the_session", _carries_session, (Errand.TRAIN,)),
    Row("tier_in_force", lambda _, state, __: state.tier > 0, (Errand.RAMP,)),
    Row("line_not_usable", _down, (Errand.TRAIN, Errand.RAMP)),
)


def refusal(plan: Plan, state: State, errand: Errand, link: str) -> str | None:
    """Why this is not done now, as a code; None if it is."""
    its = next((each for each in plan.links if each.name == link), None)
    if its is None:
        return "no_such_link"
    return next((row.code for row in ROWS if errand in row.errands and row.refuses(plan, state, its)), None)


def leave(plan: Plan, state: State, link: LinkPlan) -> Leave:
    """What the measurements that edged makes by itself may do on this link."""
    trains, ramps = (refusal(plan, state, errand, link.name) is None for errand in (Errand.TRAIN, Errand.RAMP))
    return Leave(link.name, trains=trains, ramps=ramps)
