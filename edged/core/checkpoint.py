"""The part of the state that must outlive the daemon, to and from JSON.

Within one boot the monotonic clock goes on and times are taken as they are. After a reboot they are moved back by the
longest time the box can have been away: a deadline may come early, never late (rule 8).
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from edged.core.alarm_state import NO_ALARMS, Alarm, Alarms, Flaps, RaisedInHour
from edged.core.incident_state import NO_INCIDENTS, Incident, Incidents
from edged.core.latch import Latch
from edged.core.observations import Act, PlatformSaid
from edged.core.phase import Phase
from edged.core.rooms import RoomState, Session, Timer
from edged.core.state import Drill, Failover, State

VERSION = 2


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
        "rooms": {name: _room(room) for name, room in state.rooms.items()},
        "carrier": state.carrier,
        "failover": asdict(state.failover) if state.failover else None,
        "all_down_s": state.all_down_s,
        "drill": asdict(state.drill) if state.drill else None,
        "tally": dict(state.tally),
        "incidents": asdict(state.incidents),
        "alarms": _alarms(state.alarms),
        "conditions": [[*key, asdict(latch)] for key, latch in state.conditions.items()],
    }
    return json.dumps(kept, separators=(",", ":")).encode()


def _room(room: RoomState) -> dict[str, Any]:
    return {
        "session": asdict(room.session) if room.session else None,
        "last_session": room.last_session,
        "last_phase": room.last_phase,
        "acted_s": dict(room.acted_s),
        "undirected_s": room.undirected_s,
        "platform_s": room.platform.at_s if room.platform else None,
        "timers": {name: asdict(timer) for name, timer in room.timers.items()},
        "tiers": {row: asdict(latch) for row, latch in room.tiers.items() if latch != Latch()},
        "tier": room.tier,
        "tier_since_s": room.tier_since_s,
        "demanded": room.demanded,
        "av_compliant": room.av_compliant,
    }


def _alarms(alarms: Alarms) -> dict[str, Any]:
    return {
        "standing": [[*key, asdict(alarm)] for key, alarm in alarms.standing.items()],
        "flaps": [[*key, asdict(flaps)] for key, flaps in alarms.flaps.items()],
        "shelves_s": [[*key, until_s] for key, until_s in alarms.shelves_s.items()],
        "hours": [asdict(hour) for hour in alarms.hours],
    }


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
    if kept["version"] == 1:
        kept = _from_version_1(kept)
    if kept["version"] != VERSION:
        raise CheckpointUnreadable(f"checkpoint: version {kept['version']!r}, this is {VERSION}")
    past = _Past(_shift(Moment(**kept["at"]), now))
    failover, its_drill = kept["failover"], kept["drill"]
    return State(
        started_s=now.monotonic_s,
        rooms={name: past.room(room) for name, room in kept["rooms"].items()},
        carrier=kept["carrier"],
        failover=past.failover(failover) if failover else None,
        all_down_s=past.at(kept["all_down_s"]),
        drill=past.drill(its_drill) if its_drill else None,
        tally={str(what): int(count) for what, count in kept["tally"].items()},
        incidents=past.incidents(kept["incidents"]) if "incidents" in kept else NO_INCIDENTS,
        alarms=past.alarms(kept["alarms"]) if "alarms" in kept else NO_ALARMS,
        conditions={(name, at_): past.latch(held) for name, at_, held in kept["conditions"]},
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """Stored times, moved so that ages include the time away."""

    shift_s: float

    def time(self, time_s: float) -> float:
        return float(time_s) + self.shift_s

    def at(self, time_s: float | None) -> float | None:
        return None if time_s is None else self.time(time_s)

    def latch(self, kept: dict[str, float | None]) -> Latch:
        # Not `quiet_s`: the time we were away was not observed, so it cannot count as quiet.
        return Latch(self.at(kept["onset_s"]), self.at(kept["raised_s"]))

    def failover(self, kept: dict[str, Any]) -> Failover:
        return Failover(**{**kept, "at_s": self.time(kept["at_s"])})

    def drill(self, kept: dict[str, Any]) -> Drill:
        return Drill(**{**kept, "started_s": self.time(kept["started_s"])})

    def room(self, kept: dict[str, Any]) -> RoomState:
        return RoomState(
            session=self.session(kept["session"]) if kept["session"] else None,
            last_session=kept["last_session"],
            last_phase=Phase(kept.get("last_phase", Phase.PRE)),
            acted_s={Act(act): self.time(time_s) for act, time_s in kept["acted_s"].items()},
            undirected_s=self.at(kept["undirected_s"]),
            platform=self.platform(kept.get("platform_s")),
            timers={name: self.timer(timer) for name, timer in kept["timers"].items()},
            tiers={row: self.latch(held) for row, held in kept["tiers"].items()},
            tier=int(kept["tier"]),
            tier_since_s=self.time(kept["tier_since_s"]),
            demanded=kept.get("demanded"),
            av_compliant=kept["av_compliant"],
        )

    def session(self, kept: dict[str, Any]) -> Session:
        times = {key: self.at(kept[key]) for key in ("requested_s", "joined_s")}
        opened_s, phase = self.time(kept["opened_s"]), Phase(kept["phase"])
        return Session(**{**kept, **times, "opened_s": opened_s, "phase": phase})

    def platform(self, said_s: float | None) -> PlatformSaid | None:
        """That it spoke of this session, not its word: who was watched by it alone is not judged by the links now."""
        return None if said_s is None else PlatformSaid(self.time(said_s), None, None, None, None, None)

    def timer(self, kept: dict[str, Any]) -> Timer:
        return Timer(**{**kept, "started_s": self.time(kept["started_s"]), "due_s": self.time(kept["due_s"])})

    def incidents(self, kept: dict[str, Any]) -> Incidents:
        return Incidents(int(kept["last"]), tuple(map(self.incident, kept["open"])))

    def incident(self, kept: dict[str, Any]) -> Incident:
        times: dict[str, Any] = {key: self.time(kept[key]) for key in ("onset_s", "opened_s")}
        seen: dict[str, Any] = {
            "symptoms": tuple(map(str, kept["symptoms"])),
            "standing": tuple((str(name), str(at)) for name, at in kept["standing"]),
            "quiet_s": None,  # as for a latch
        }
        return Incident(**{**kept, **times, **seen})

    def alarms(self, kept: dict[str, Any]) -> Alarms:
        return Alarms(
            standing={(name, at): self.alarm(alarm) for name, at, alarm in kept["standing"]},
            flaps={(name, at): self.flaps(flaps) for name, at, flaps in kept["flaps"]},
            shelves_s={(name, at): self.time(until_s) for name, at, until_s in kept["shelves_s"]},
            hours=tuple(RaisedInHour(self.time(hour["began_s"]), dict(hour["counts"])) for hour in kept["hours"]),
        )

    def alarm(self, kept: dict[str, Any]) -> Alarm:
        times: dict[str, Any] = {"raised_s": self.time(kept["raised_s"]), "leads_s": self.at(kept["leads_s"])}
        return Alarm(**{**kept, **times, "quiet_s": None})

    def flaps(self, kept: dict[str, Any]) -> Flaps:
        return Flaps(tuple(map(self.time, kept["raises_s"])), float(kept["hold_s"]), bool(kept["told"]))


def _from_version_1(kept: dict[str, Any]) -> dict[str, Any]:
    """Before there were rooms: one room, its session supervised from its opening on."""
    session = kept["session"]
    if session is not None:
        session = asdict(Session(session["id"], session["opened_s"], joined_s=session["opened_s"]))
    room = {key: kept[key] for key in ("acted_s", "tiers", "tier", "tier_since_s")}
    room |= {
        "undirected_s": kept["av_lost_s"],
        "session": session,
        "last_session": None,
        "timers": {},
        "av_compliant": None,
    }
    return {**kept, "version": VERSION, "rooms": {"": room}, "drill": None, "tally": {}}


def _shift(then: Moment, now: Moment) -> float:
    """What to add to stored monotonic times so that ages include the time away."""
    if then.boot_id == now.boot_id:
        return 0.0
    # The box was away at least since this boot began; the wall clock may know of more, if it was not set back.
    away_s = max(now.monotonic_s, now.wall_s - then.wall_s)
    return now.monotonic_s - then.monotonic_s - away_s
