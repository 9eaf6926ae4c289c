"""The part of the state that must outlive the daemon, to and from JSON.

Within one boot the monotonic clock goes on and times are taken as they are. After a reboot they are moved back by the
longest time the box can have been away: a deadline may come early, never late (rule 8).
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from edged.core.latch import Latch
from edged.core.observations import Act
from edged.core.state import Failover, Session, State

VERSION = 1


class CheckpointUnreadable(ValueError):
    """The stored state is not one this version wrote; the judge starts anew, and says so."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a checkpoint was written or is read: which boot, and both clocks in seconds."""

    boot_id: str
    monotonic_s: float
    wall_s: float


def dump(state: State, at: Moment) -> bytes:
    kept = {
        "version": VERSION,
        "at": asdict(at),
        "session": asdict(state.session) if state.session else None,
        "acted_s": dict(state.acted_s),
        "carrier": state.carrier,
        "failover": asdict(state.failover) if state.failover else None,
        "av_lost_s": state.av_lost_s,
        "all_down_s": state.all_down_s,
        "tiers": {row: asdict(latch) for row, latch in state.tiers.items() if latch != Latch()},
        "tier": state.tier,
        "tier_since_s": state.tier_since_s,
        "conditions": [[*key, asdict(latch)] for key, latch in state.conditions.items()],
    }
    return json.dumps(kept, separators=(",", ":")).encode()


def load(blob: bytes, now: Moment) -> State:
    """The state to go on from.

    Raises:
        CheckpointUnreadable: not JSON, another version, or a field of the wrong shape.
    """
    try:
        return _load(json.loads(blob), now)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointUnreadable(f"checkpoint: {type(error).__name__}: {error}") from error


def _load(kept: dict[str, Any], now: Moment) -> State:
    if kept["version"] != VERSION:
        raise CheckpointUnreadable(f"checkpoint: version {kept['version']!r}, this is {VERSION}")
    shift_s = _shift(Moment(**kept["at"]), now)

    def at(time_s: float | None) -> float | None:
        return None if time_s is None else float(time_s) + shift_s

    def latch(kept: dict[str, float | None]) -> Latch:
        # Not `quiet_s`: the time we were away was not observed, so it cannot count as quiet.
        return Latch(at(kept["onset_s"]), at(kept["raised_s"]))

    session, failover = kept["session"], kept["failover"]
    return State(
        started_s=now.monotonic_s,
        session=Session(session["id"], session["opened_s"] + shift_s) if session else None,
        acted_s={Act(act): time_s + shift_s for act, time_s in kept["acted_s"].items()},
        carrier=kept["carrier"],
        failover=Failover(failover["at_s"] + shift_s, failover["previous"], failover["active"]) if failover else None,
        av_lost_s=at(kept["av_lost_s"]),
        all_down_s=at(kept["all_down_s"]),
        tiers={row: latch(held) for row, held in kept["tiers"].items()},
        tier=int(kept["tier"]),
        tier_since_s=kept["tier_since_s"] + shift_s,
        conditions={(name, at_): latch(held) for name, at_, held in kept["conditions"]},
    )


def _shift(then: Moment, now: Moment) -> float:
    """What to add to stored monotonic times so that ages include the time away.."""
    if then.boot_id == now.boot_id:
        return 0.0
    # The box was away at least since this boot began; the wall clock may know of more, if it was not set back.
    away_s = max(now.monotonic_s, now.wall_s - then.wall_s)
    return now.monotonic_s - then.monotonic_s - away_s
