"""Root cause over symptoms: of all that is wrong, the one thing to name. First row that holds, deepest cause first."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edged.core.plan import Plan
from edged.core.situation import Situation
from edged.core.state import State
from probes.reading import Verdict
from ups.reading import Power


class Cause(StrEnum):
    NONE = "none"
    POWER = "power"  # a UPS of the network is empty or off, and lines are down
    LAN_OR_ROUTER = "lan_or_router"  # every line down at once, or the router silent too: the fault is on this side
    ALL_LINKS_DOWN = "all_links_down"
    LINK_DOWN = "link_down"
    LINK_DEGRADED = "link_degraded"
    LATENCY = "latency"
    FAILOVER = "failover"  # the traffic moved, both lines are fine
    REMOTE_OR_APPLICATION = "remote_or_application"  # the carrier is fine, the media are not
    RECOVERING = "recovering"  # nothing is wrong any more; what is up is clearing
    UNKNOWN = "unknown"


Where = str | None
Finder = Callable[[Plan, State, Situation], tuple[bool, Where]]


@dataclass(frozen=True, slots=True)
class Found:
    cause: Cause
    at: Where
    """The link or UPS it is about."""


def find(plan: Plan, state: State, s: Situation) -> Found:
    for cause, finder in _TABLE:
        holds, at = finder(plan, state, s)
        if holds:
            return Found(cause, at)
    up = [latch for latch in state.room(s.room).tiers.values() if latch.raised]
    if not up:
        return Found(Cause.NONE, None)
    return Found(Cause.RECOVERING if all(latch.quiet_s is not None for latch in up) else Cause.UNKNOWN, None)


def _power(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
    empty = [
        ups.name
        for ups in plan.ups
        if ups.priority == "network" and ups.name in state.ups and state.ups[ups.name].power in _EMPTY
    ]
    return bool(empty) and s.all_down_for_s is not None, empty[0] if empty else None


def _lan_or_router(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
    if s.all_down_for_s is None:
        return False, None
    silent = plan.has_router and state.router is not None and not state.router.answering
    return silent or (_fell_together(plan, state) and not _router_answered_since(state)), None


def _fell_together(plan: Plan, state: State) -> bool:
    """Two providers do not fail within two seconds of each other; what both lines share does."""
    fell_s = [state.links[link.name].reading.since_s for link in plan.links if link.name in state.links]
    return len(fell_s) > 1 and max(fell_s) - min(fell_s) <= _TOGETHER_S


def _router_answered_since(state: State) -> bool:
    """An answer asked for after the fall: the box, its cable and the switch are well."""
    router, fell_s = state.router, state.all_down_s
    return router is not None and fell_s is not None and router.answering and router.at_s - fell_s > _ASKED_ANEW_S


def _all_links_down(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
    return s.all_down_for_s is not None and len(plan.links) > 1, None


def _link_is(verdict: Verdict) -> Finder:
    def finder(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
        # The carrier first: a standby in the same trouble is a symptom less.
        names = sorted((name for name, held in s.verdicts.items() if held is verdict), key=lambda n: n != s.carrier)
        return bool(names), names[0] if names else None

    return finder


def _latency(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
    return s.spiking or (not s.calm and state.room(s.room).is_up("t1.latency")), s.carrier


def _failover(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
    return s.failover is not None and state.room(s.room).is_up("t2.failover"), s.carrier


def _remote(plan: Plan, state: State, s: Situation) -> tuple[bool, Where]:
    dead = s.in_session and (s.audio is False or s.video is False)
    poor = any(state.room(s.room).is_up(row) for row in ("t1.media", "t1.video"))
    return (dead or poor) and s.carrier_verdict is Verdict.UP, None


_TOGETHER_S = 2.0
_ASKED_ANEW_S = 2.0  # a poll a second, and its answer
_EMPTY = (Power.LOW_BATTERY, Power.OFF)
_TABLE: tuple[tuple[Cause, Finder], ...] = (
    (Cause.POWER, _power),
    (Cause.LAN_OR_ROUTER, _lan_or_router),
    (Cause.ALL_LINKS_DOWN, _all_links_down),
    (Cause.LINK_DOWN, _link_is(Verdict.DOWN)),
    (Cause.LATENCY, _latency),
    (Cause.LINK_DEGRADED, _link_is(Verdict.DEGRADED)),
    (Cause.FAILOVER, _failover),
    (Cause.REMOTE_OR_APPLICATION, _remote),
)
