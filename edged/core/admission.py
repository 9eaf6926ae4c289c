"""How many supervision sessions may the carrying line take now? N1, N2 and rule 1, as arithmetic.

need(1) = 5 Mbit/s, need(n ≥ 2) = 10·n, times 1.2 headroom, in each direction. A measured figure counts while it is
fresh; without one the configured rate does, and the answer says which it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edged.core.line import NOTHING, LineState
from edged.core.plan import LinkPlan, Plan
from edged.core.state import State
from probes.line_reading import CapacityReading
from probes.reading import Direction, Verdict

FRESH_S = 26 * 3600.0
"""A line is measured several times a day; a figure that missed a whole day of them says nothing of now."""
_MOST = 99


class Limit(StrEnum):
    """What keeps one session more out."""

    UP = "up"
    DOWN = "down"
    LINE = "line"  # the carrying line is not usable
    UNKNOWN = "unknown"  # neither measured nor configured


class Basis(StrEnum):
    MEASURED = "measured"
    CONFIGURED = "configured"


@dataclass(frozen=True, slots=True)
class Admission:
    link: str
    sessions: int
    """As many fit."""
    limit: Limit
    basis: Basis | None
    """Of the limiting direction."""
    next_needs_bps: float
    """What one session more would need in each direction."""
    has_bps: float | None
    """What the limiting direction has."""


def needed_bps(plan: Plan, sessions: int) -> float:
    """In each direction, headroom included."""
    limits = plan.thresholds
    if sessions <= 0:
        return 0.0
    each = limits.single_session_bps if sessions == 1 else limits.further_session_bps * sessions
    return each * limits.session_headroom


def admission(plan: Plan, state: State, now: float) -> Admission:
    """For the line that carries the traffic now."""
    carrier = plan.link(state.carrier or plan.primary.name)
    held = state.links.get(carrier.name)
    if held is None or held.reading.verdict not in (Verdict.UP, Verdict.DEGRADED):
        return Admission(carrier.name, 0, Limit.LINE, None, needed_bps(plan, 1), None)
    line = state.lines.get(carrier.name, NOTHING)
    rates = {direction: _rate(carrier, line, direction, now) for direction in Direction}
    if any(rate is None for rate, _ in rates.values()):
        return Admission(carrier.name, 0, Limit.UNKNOWN, None, needed_bps(plan, 1), None)
    return _fit(plan, carrier.name, rates)


def _fit(plan: Plan, link: str, rates: Mapping[Direction, tuple[float | None, Basis]]) -> Admission:
    tightest = min(rates, key=lambda direction: rates[direction][0] or 0.0)
    has_bps, basis = rates[tightest]
    sessions = next(n for n in range(_MOST + 1) if n == _MOST or needed_bps(plan, n + 1) > (has_bps or 0.0))
    limit = Limit.UP if tightest is Direction.UP else Limit.DOWN
    return Admission(link, sessions, limit, basis, needed_bps(plan, sessions + 1), has_bps)


def _rate(carrier: LinkPlan, line: LineState, direction: Direction, now: float) -> tuple[float | None, Basis]:
    measured = line.capacity.get(direction)
    if measured is not None and is_fresh(measured, now):
        return measured.rate_bps, Basis.MEASURED
    configured = carrier.up_bps if direction is Direction.UP else carrier.down_bps
    return configured, Basis.CONFIGURED


def is_fresh(reading: CapacityReading, now: float) -> bool:
    return now - reading.at_s <= FRESH_S
