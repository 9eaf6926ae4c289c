"""What stands behind a symptom, and which cause explains which: two tables.

A symptom blames something: a link, a UPS, the far side, itself. Where one blame explains another, the two are one
incident under the deeper one. A cause does not explain what began long before it, unless that was in force already.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edged.core import containment, rootcause
from edged.core.conditions import CONDITIONS
from edged.core.latch import DOWN
from edged.core.plan import PhonePlan, Plan
from edged.core.rooms import RoomState
from edged.core.rootcause import Cause
from edged.core.situation import situation
from edged.core.state import State, is_drilled
from probes.reading import Verdict

TOGETHER_S = 60.0
"""What began within a minute may be one failure: a UPS is asked every 15 s, a phone every 5 s; both are read late."""


@dataclass(frozen=True, slots=True)
class Blame:
    cause: str
    at: str | None
    onset_s: float
    felt: bool = False
    """It holds a tier now."""

    def same(self, other: "Blame") -> bool:
        return (self.cause, self.at) == (other.cause, other.at)


DRILL = "drill"
OWN = tuple(dict.fromkeys(condition.name.partition(".")[0] for condition in CONDITIONS))
"""What stands for itself is called by the first word of its condition: certificate, clock, record, uplink, phone, …"""
CAUSES: tuple[str, ...] = tuple(
    dict.fromkeys((*(c.value for c in Cause if c not in (Cause.NONE, Cause.RECOVERING)), *OWN))
)
"""Every word an incident's cause can be."""

_Accuse = Callable[[Plan, State, str, float], tuple[str, str | None]]
"""By the subject (of a row: the room), whom it blames."""


# ── whom a symptom blames ──────────────────────────────────────────────────────────────────────────────
def blame(plan: Plan, state: State, name: str, at: str, now: float) -> Blame:
    accuse = _ACCUSED.get(name)
    cause, where = accuse(plan, state, at, now) if accuse else (name.partition(".")[0], at)
    return Blame(cause, where, _onset_s(state, name, at, now))


def of_media(plan: Plan, state: State, room: str, now: float) -> Blame:
    """Whom a loss of sound or picture in `room` blames now, symptom or not."""
    return Blame(*_media(plan, state, room, now), now)


def site_wide(plan: Plan, state: State, now: float) -> tuple[str, str | None] | None:
    """What is behind it that every line is down; None while one is not."""
    if state.all_down_s is None:
        return None
    found = rootcause.find(plan, state, situation(plan, state, now, plan.rooms[0]))
    return (found.cause.value, found.at) if found.cause in _SITE_WIDE else None


def _onset_s(state: State, name: str, at: str, now: float) -> float:
    """Before any dwell: the first row that waits for the loss to last began with the loss."""
    row = containment.BY_ID.get(name)
    if row is None:
        return _known(state.conditions.get((name, at), DOWN).onset_s, now)
    room = state.room(at)
    lost_s = room.undirected_s if room.undirected_s is not None else state.all_down_s
    onset_s = _known(room.tiers.get(name, DOWN).onset_s, now)
    if row.tier < 3 or lost_s is None or _has_stood(room, onset_s):
        return onset_s
    return min(onset_s, lost_s)


def _has_stood(room: RoomState, before_s: float) -> bool:
    """The loss stood at tier 3 already when this came to it."""
    raised = (latch.raised_s for name, latch in room.tiers.items() if containment.BY_ID[name].tier >= 3)
    return any(raised_s is not None and raised_s < before_s for raised_s in raised)


def _known(time_s: float | None, now: float) -> float:
    return now if time_s is None else time_s


def _link_down(plan: Plan, state: State, link: str, now: float) -> tuple[str, str | None]:
    return site_wide(plan, state, now) or _drilled(plan, state, link) or (Cause.LINK_DOWN.value, link)


def _link_degraded(plan: Plan, state: State, link: str, _: float) -> tuple[str, str | None]:
    return _drilled(plan, state, link) or (Cause.LINK_DEGRADED.value, link)


def _drilled(plan: Plan, state: State, *links: str) -> tuple[str, str | None] | None:
    """While a drill is on, what the primary line suffers is the drill's."""
    return (DRILL, plan.primary.name) if is_drilled(state) and plan.primary.name in links else None


def _carried(plan: Plan, state: State, _room: str, now: float) -> tuple[str, str | None]:
    """Whatever is wrong with the line in use."""
    carrier = state.carrier or plan.primary.name
    if _verdict(state, carrier) is Verdict.DOWN:
        return _link_down(plan, state, carrier, now)
    return _link_degraded(plan, state, carrier, now)


def _slow(plan: Plan, state: State, _room: str, _: float) -> tuple[str, str | None]:
    return Cause.LATENCY.value, state.carrier or plan.primary.name


def _moved(plan: Plan, state: State, room: str, now: float) -> tuple[str, str | None]:
    moved = state.failover
    if moved is None:
        return _media(plan, state, room, now)
    if found := site_wide(plan, state, now) or _drilled(plan, state, moved.previous, moved.active):
        return found
    causes = {Verdict.DOWN: Cause.LINK_DOWN, Verdict.DEGRADED: Cause.LINK_DEGRADED}
    cause = causes.get(_verdict(state, moved.previous))
    return (cause.value, moved.previous) if cause else (Cause.FAILOVER.value, moved.active)


def _media(plan: Plan, state: State, room: str, now: float) -> tuple[str, str | None]:
    if found := site_wide(plan, state, now):
        return found
    verdict = _verdict(state, state.carrier or plan.primary.name)
    if verdict is Verdict.DOWN:
        return _carried(plan, state, room, now)
    if state.failover:
        return _moved(plan, state, room, now)
    if verdict is Verdict.DEGRADED:
        return _carried(plan, state, room, now)
    cause = Cause.REMOTE_OR_APPLICATION if verdict is Verdict.UP else Cause.UNKNOWN
    return cause.value, room


def _unseen(plan: Plan, state: State, room: str, now: float) -> tuple[str, str | None]:
    """That nobody can tell whether sound and picture live is no fault of the far side."""
    cause, at = _media(plan, state, room, now)
    return ("media", room) if cause in (Cause.REMOTE_OR_APPLICATION.value, Cause.UNKNOWN.value) else (cause, at)


def _power(_plan: Plan, _state: State, ups: str, _: float) -> tuple[str, str | None]:
    return Cause.POWER.value, ups


def _drill(plan: Plan, _state: State, _at: str, _: float) -> tuple[str, str | None]:
    return DRILL, plan.primary.name


def _verdict(state: State, link: str) -> Verdict:
    held = state.links.get(link)
    return held.reading.verdict if held else Verdict.UNKNOWN


_SITE_WIDE = (Cause.POWER, Cause.LAN_OR_ROUTER, Cause.ALL_LINKS_DOWN)
_ACCUSED: Mapping[str, _Accuse] = {
    "link.down": _link_down,
    "link.degraded": _link_degraded,
    "power.on_battery": _power,
    "power.low_battery": _power,
    "power.off": _power,
    "media.unknown": _unseen,
    "mobile.late": _media,
    "drill.primary_offline": _drill,
    **{row.id: _media for row in containment.ROWS},
    "t1.latency": _slow,
    "t1.loss": _carried,
    "t2.switching": _carried,
    "t2.failover": _moved,
    "t3.unconfirmed": _moved,
}
"""What is not here stands for itself."""


# ── what explains what ─────────────────────────────────────────────────────────────────────────────────
_Reaches = Callable[[Plan, State, Blame, Blame], bool]
"""Whether the first, being the cause, reaches the second."""


def _came_with(_plan: Plan, _state: State, cause: Blame, other: Blame) -> bool:
    """Not long before its cause, unless it is an outage in force that only now shows how deep it goes."""
    return other.onset_s >= cause.onset_s - TOGETHER_S or (other.felt and other.cause in _LINES)


def _together(_plan: Plan, _state: State, cause: Blame, other: Blame) -> bool:
    return abs(other.onset_s - cause.onset_s) <= TOGETHER_S


def _one_failure(plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    """Mains lost take with them at once what has no battery, and later what hangs on an empty one."""
    if cause.at not in {ups.name for ups in plan.ups if ups.priority == "network"}:
        return False
    together = _together(plan, state, cause, other)
    if other.cause == Cause.POWER.value:
        return together and other.at != cause.at
    empty_s = _empty_since_s(state, cause.at)
    return together or (empty_s is not None and other.onset_s >= empty_s - TOGETHER_S)


def _desk_power(plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    """The workstation's UPS: sound and picture die with it, lines do not."""
    empty_s = _empty_since_s(state, cause.at)
    return empty_s is not None and other.onset_s >= empty_s - TOGETHER_S


def _empty_since_s(state: State, ups: str | None) -> float | None:
    latches = [state.conditions.get((name, ups or ""), DOWN) for name in ("power.low_battery", "power.off")]
    return min((latch.onset_s for latch in latches if latch.onset_s is not None), default=None)


def _same_link(_plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    moved = state.failover
    touched = moved is not None and cause.at in (moved.previous, moved.active)
    return other.at == cause.at or (other.cause == Cause.FAILOVER.value and touched)


def _on_its_way(plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    """What was carried by the link, or is being moved off it or onto it."""
    moved = state.failover
    ways = {state.carrier or plan.primary.name, *((moved.previous, moved.active) if moved else ())}
    if other.cause == "uplink" and state.uplink is not None and state.uplink.link is not None:
        ways = {state.uplink.link}
    return cause.at in ways and _came_with(plan, state, cause, other)


def _rides_on_it(plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    """A phone that rides on the link that is down, or on any where all are."""
    rides_on = plan.phones.get("" if other.at == "phone" else other.at or "", PhonePlan()).rides_on
    down = cause.at in rides_on if cause.at is not None else bool(rides_on)
    return down and _came_with(plan, state, cause, other)


def _same_room(plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    return cause.at == other.at and _came_with(plan, state, cause, other)


@dataclass(frozen=True, slots=True)
class Rule:
    cause: str
    explains: frozenset[str]
    reaches: _Reaches


_CARRIED = frozenset((Cause.REMOTE_OR_APPLICATION.value, Cause.UNKNOWN.value, "media", "uplink"))
_OF_A_LINK = frozenset((Cause.LINK_DEGRADED.value, Cause.LATENCY.value, Cause.FAILOVER.value, "link", "standby"))
_LINES = frozenset((*_OF_A_LINK, Cause.LINK_DOWN.value, Cause.ALL_LINKS_DOWN.value, Cause.LAN_OR_ROUTER.value, DRILL))
_ALL_LINES = _OF_A_LINK | _CARRIED | {Cause.LINK_DOWN.value, DRILL}
_BEHIND_THE_ROUTER = _ALL_LINES | {Cause.ALL_LINKS_DOWN.value, "router", "phone"}

RULES: tuple[Rule, ...] = (
    # deepest first
    Rule(
        Cause.POWER.value,
        _BEHIND_THE_ROUTER | {Cause.POWER.value, Cause.LAN_OR_ROUTER.value, "ups"},
        _one_failure,
    ),
    Rule(Cause.POWER.value, _CARRIED - {"uplink"}, _desk_power),
    Rule(Cause.LAN_OR_ROUTER.value, _BEHIND_THE_ROUTER, _came_with),
    Rule(Cause.ALL_LINKS_DOWN.value, _ALL_LINES, _came_with),
    Rule(Cause.ALL_LINKS_DOWN.value, frozenset({"phone"}), _rides_on_it),
    Rule(DRILL, _OF_A_LINK | {Cause.LINK_DOWN.value}, _same_link),
    Rule(DRILL, _CARRIED, _on_its_way),
    Rule(Cause.LINK_DOWN.value, _OF_A_LINK, _same_link),
    Rule(Cause.LINK_DOWN.value, _CARRIED, _on_its_way),
    Rule(Cause.LINK_DOWN.value, frozenset({"phone"}), _rides_on_it),
    Rule(Cause.LINK_DEGRADED.value, _OF_A_LINK - {Cause.LINK_DEGRADED.value}, _same_link),
    Rule(Cause.LINK_DEGRADED.value, _CARRIED, _on_its_way),
    Rule(Cause.LATENCY.value, _CARRIED, _on_its_way),
    Rule(Cause.FAILOVER.value, _CARRIED, _on_its_way),
    Rule(Cause.REMOTE_OR_APPLICATION.value, frozenset((Cause.UNKNOWN.value, "media")), _same_room),
    Rule("media", frozenset({Cause.UNKNOWN.value}), _same_room),
    Rule("source", frozenset({"source", "media"}), _together),  # several at once: what they share has failed
)
_DEPTHS = {cause: depth for depth, cause in enumerate(dict.fromkeys(rule.cause for rule in RULES))}


def depth(cause: str) -> int:
    """0 is the deepest."""
    return _DEPTHS.get(cause, len(_DEPTHS))


def explains(plan: Plan, state: State, cause: Blame, other: Blame) -> bool:
    """Whether `other` is `cause`, or comes of it."""
    return cause.same(other) or any(
        rule.cause == cause.cause and other.cause in rule.explains and rule.reaches(plan, state, cause, other)
        for rule in RULES
    )
