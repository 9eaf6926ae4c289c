"""May the next injection begin? Green, amber or red, with every reason; each a row.

Red: do not inject. Amber: the session lives, and something that would have to catch it does not. What is not known is
never green.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edged.core.admission import Limit, admission
from edged.core.drill import is_on, standby_proven
from edged.core.fallback import mobile_is_diverse, phone_of, shares
from edged.core.latch import DOWN
from edged.core.line import NOTHING
from edged.core.plan import Plan
from edged.core.situation import Situation
from edged.core.state import State
from probes.reading import Protection, Verdict
from ups.reading import Power

JUST_NOW_S = 5.0
"""After a start the instruments need a moment; what they have not said yet is not known."""


class Level(StrEnum):
    """In their order."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Readiness:
    level: Level
    reasons: tuple[str, ...]
    """Codes, the red ones first; the sentences are in the protocol."""


Holds = Callable[[Plan, State, Situation], bool]


@dataclass(frozen=True, slots=True)
class Row:
    code: str
    level: Level
    holds: Holds


def _just_started(_: Plan, state: State, s: Situation) -> bool:
    return s.now - state.started_s < JUST_NOW_S


def _tier(_: Plan, state: State, s: Situation) -> bool:
    return state.room(s.room).tier > 1


def _latched(_: Plan, state: State, s: Situation) -> bool:
    return state.room(s.room).tier == 4


def _no_session(_: Plan, state: State, s: Situation) -> bool:
    return state.room(s.room).session is None


def _not_joined(_: Plan, state: State, s: Situation) -> bool:
    return state.room(s.room).session is not None and not s.in_session


def _dead(_: Plan, __: State, s: Situation) -> bool:
    return s.in_session and (s.audio is False or s.video is False)


def _unknown(_: Plan, __: State, s: Situation) -> bool:
    return s.in_session and not (s.audio is False or s.video is False) and not (s.audio and s.video)


def _carrier(*verdicts: Verdict) -> Holds:
    return lambda _, __, s: s.carrier_verdict in verdicts


def _degraded(_: Plan, state: State, s: Situation) -> bool:
    """Tier 1 is a slow or lossy line, or media that lose data, whatever the probes say of the line by themselves."""
    return s.carrier_verdict is Verdict.DEGRADED or state.room(s.room).tier == 1


def _not_admissible(plan: Plan, state: State, s: Situation) -> bool:
    """The line in use has no room for the sessions there are, or none for the next."""
    found = admission(plan, state, s.now)
    wanted = max(1, sum(room.supervised for room in state.rooms.values()))
    return found.limit in (Limit.UP, Limit.DOWN) and found.sessions < wanted


def _rate_unknown(plan: Plan, state: State, s: Situation) -> bool:
    return admission(plan, state, s.now).limit is Limit.UNKNOWN


def _others(plan: Plan, s: Situation) -> list[str]:
    return [link.name for link in plan.links if link.name != s.carrier]


def _standby_down(plan: Plan, _: State, s: Situation) -> bool:
    others = _others(plan, s)
    return bool(others) and all(s.verdicts[name] is Verdict.DOWN for name in others)


def _standby_unfit(plan: Plan, state: State, s: Situation) -> bool:
    found = [state.lines.get(name, NOTHING).standby for name in _others(plan, s)]
    return any(each is not None and each.fit is False for each in found)


def _standby_unproven(plan: Plan, state: State, s: Situation) -> bool:
    if _standby_down(plan, state, s) or _standby_unfit(plan, state, s):
        return False
    others = _others(plan, s)
    return bool(others) and not any(standby_proven(plan, state, name) for name in others)


def _power(*powers: Power) -> Holds:
    return lambda plan, state, _: any(ups.name in state.ups and state.ups[ups.name].power in powers for ups in plan.ups)


def _ups_unknown(plan: Plan, state: State, _: Situation) -> bool:
    return any(ups.name not in state.ups or state.ups[ups.name].power is Power.UNKNOWN for ups in plan.ups)


def _has_phone(plan: Plan, s: Situation) -> bool:
    return plan.phone_line(s.room) is not None


def _phone_dead(_: Plan, __: State, s: Situation) -> bool:
    return s.phone is False


def _phone_shares(plan: Plan, _: State, s: Situation) -> bool:
    return bool(shares(plan, s.room))


def _phone_unproven(plan: Plan, _: State, s: Situation) -> bool:
    return _has_phone(plan, s) and s.phone is None and not shares(plan, s.room)


def _phone_unregistered(plan: Plan, state: State, s: Situation) -> bool:
    reading = phone_of(plan, state, s.room)
    return reading is not None and reading.registered is False


def _mobile_silent(plan: Plan, state: State, _: Situation) -> bool:
    return plan.has_mobile and (state.mobile is None or not state.mobile.heard)


def _mobile_same(plan: Plan, state: State, _: Situation) -> bool:
    return plan.has_mobile and mobile_is_diverse(plan, state) is False


def _clock(_: Plan, state: State, __: Situation) -> bool:
    return state.clock is None or state.clock.quality == "unset" or not state.clock.plausible


def _not_durable(_: Plan, state: State, __: Situation) -> bool:
    return state.record is None or not state.record.durable


def _blind(_: Plan, state: State, __: Situation) -> bool:
    return any(name == "source.blind" and held.raised for (name, _at), held in state.conditions.items())


def _clear_text(_: Plan, state: State, s: Situation) -> bool:
    """Seen in clear, until keys were agreed: not knowing any more is no protection (H1)."""
    media, stands = state.room(s.room).media, state.conditions.get(("media.clear_text", s.room), DOWN).raised
    return stands or (media is not None and media.protection is Protection.CLEAR)


_R, _A = Level.RED, Level.AMBER
ROWS: tuple[Row, ...] = (
    Row("t4_latched", _R, _latched),
    Row("tier_in_force", _R, lambda plan, state, s: _tier(plan, state, s) and not _latched(plan, state, s)),
    Row("no_session", _R, _no_session),
    Row("not_joined", _R, _not_joined),
    Row("av_not_live", _R, _dead),
    Row("av_unknown", _R, _unknown),
    Row("no_line", _R, lambda _, __, s: s.no_line),
    Row("carrier_down", _R, _carrier(Verdict.DOWN)),
    Row("not_admissible", _R, _not_admissible),
    Row("low_battery", _R, _power(Power.LOW_BATTERY, Power.OFF)),
    Row("drill", _R, lambda _, state, __: is_on(state)),
    Row("clear_text_media", _R, _clear_text),
    Row("restarted_just_now", _A, _just_started),
    Row("carrier_unknown", _A, _carrier(Verdict.UNKNOWN)),
    Row("carrier_degraded", _A, _degraded),
    Row("rate_unknown", _A, _rate_unknown),
    Row("no_second_link", _A, lambda plan, _, __: len(plan.links) < 2),
    Row("standby_down", _A, _standby_down),
    Row("standby_unfit", _A, _standby_unfit),
    Row("standby_unproven", _A, _standby_unproven),
    Row("on_battery", _A, _power(Power.BATTERY)),
    Row("ups_unknown", _A, _ups_unknown),
    Row("media_not_watched", _A, lambda plan, _, __: not plan.has_media),
    Row("phone_not_watched", _A, lambda plan, _, s: not _has_phone(plan, s)),
    Row("phone_dead", _A, _phone_dead),
    Row("phone_unproven", _A, _phone_unproven),
    Row("phone_unregistered", _A, _phone_unregistered),
    Row("phone_shared_fate", _A, _phone_shares),
    Row("mobile_silent", _A, _mobile_silent),
    Row("mobile_same_carrier", _A, _mobile_same),
    Row("clock_untrusted", _A, _clock),
    Row("record_not_durable", _A, _not_durable),
    Row("source_blind", _A, _blind),
)


def readiness(plan: Plan, state: State, s: Situation) -> Readiness:
    """For the next injection in the room of `s`."""
    found = [row for row in ROWS if row.holds(plan, state, s)]
    level = max((row.level for row in found), key=list(Level).index, default=Level.GREEN)
    return Readiness(level, tuple(row.code for row in sorted(found, key=lambda row: row.level is not Level.RED)))
