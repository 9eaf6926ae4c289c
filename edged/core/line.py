"""What is known of each line beside whether it lives: capacity, door, fitness as a standby, where its path ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from edged.core.events import Json
from probes.door import moved, same_door
from probes.line_reading import (
    CapacityReading,
    ExitReading,
    LineReading,
    MeasureFailed,
    Method,
    PathReading,
    StandbyReading,
)
from probes.reading import Direction


@dataclass(frozen=True, slots=True)
class LineState:
    """The newest of each; a failed measurement does not unsay an older figure, which tells its age."""

    capacity: Mapping[Direction, CapacityReading] = field(default_factory=dict)
    failed: Mapping[Direction, MeasureFailed] = field(default_factory=dict)
    """Attempts since, of the directions whose last attempt gave no figure."""
    exit: ExitReading | None = None
    own_door: ExitReading | None = None
    """The exit last seen while this link left by another door than every other link."""
    standby: StandbyReading | None = None
    path: PathReading | None = None


NOTHING = LineState()
_PASSIVE_EVERY_S = 600.0
Lines = Mapping[str, LineState]


# ── doors ──────────────────────────────────────────────────────────────────────────────────────────────
def with_doors(lines: Lines) -> Lines:
    """Remembers as a link's own door the one it leaves by while no other link does."""
    return {
        name: replace(line, own_door=line.exit) if line.exit and _alone(lines, name, line.exit) else line
        for name, line in lines.items()
    }


def leaves_by_another(lines: Lines, name: str) -> bool | None:
    """Whether this link now leaves by what was another link's own door: its pin does not hold."""
    line = lines.get(name, NOTHING)
    if line.exit is None or line.own_door is None:
        return None
    others = [other.own_door for its, other in lines.items() if its != name and other.own_door is not None]
    return _any(moved(line.own_door, line.exit, door) for door in others)


def shares_its_door(lines: Lines, name: str) -> bool | None:
    """Whether this link and another leave by one door and were never seen apart: the same provider."""
    line = lines.get(name, NOTHING)
    if line.exit is None:
        return None
    others = [other for its, other in lines.items() if its != name and other.exit is not None]
    together = _any(same_door(line.exit, other.exit) for other in others if other.exit)
    return False if together and line.own_door is not None else together


def _alone(lines: Lines, name: str, exit_: ExitReading) -> bool:
    others = [other.exit for its, other in lines.items() if its != name and other.exit is not None]
    return bool(others) and all(same_door(exit_, other) is False for other in others)


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True beats unknown beats False."""
    found = list(answers)
    if any(found):
        return True
    return None if None in found or not found else False


# ── readings ───────────────────────────────────────────────────────────────────────────────────────────


def learn(line: LineState, reading: LineReading) -> LineState:
    match reading:
        case CapacityReading():
            failed = {each: why for each, why in line.failed.items() if each is not reading.direction}
            return replace(line, capacity={**line.capacity, reading.direction: reading}, failed=failed)
        case MeasureFailed():
            return replace(line, failed={**line.failed, reading.direction: reading})
        case ExitReading():
            return replace(line, exit=reading)
        case StandbyReading():
            return replace(line, standby=reading)
        case PathReading():
            return replace(line, path=reading)
        case _:
            assert_never(reading)


def worth_recording(before: LineState, reading: LineReading) -> tuple[str, dict[str, Json]] | None:
    """The event a reading is on its own: its name and figures. None where it tells nothing new."""
    match reading:
        case CapacityReading():
            return _measured(before, reading)
        case MeasureFailed():
            return "capacity.not_measured", {
                "at": reading.link,
                "direction": reading.direction.value,
                "method": reading.method.value,
                "why": reading.why.value,
            }
        case ExitReading():
            now: dict[str, Json] = {"at": reading.link, "mapped": reading.mapped, "hops": list(reading.hops)}
            same = before.exit is not None and (before.exit.mapped, before.exit.hops) == (reading.mapped, reading.hops)
            return None if same else ("exit.seen", now)
        case StandbyReading():
            same = before.standby is not None and before.standby.lacks == reading.lacks
            return None if same else ("standby.judged", _standby(reading))
        case PathReading():
            trouble: dict[str, Json] = {"trouble": reading.trouble} if reading.trouble is not None else {}
            return "path.diagnosed", {"at": reading.link, **trouble, **reading.document}
        case _:
            assert_never(reading)


def _measured(before: LineState, reading: CapacityReading) -> tuple[str, dict[str, Json]] | None:
    """Users who keep a line full measure it all the time; their word is worth a record now and then."""
    known = before.capacity.get(reading.direction)
    if reading.method is Method.PASSIVE and known is not None and reading.at_s - known.at_s < _PASSIVE_EVERY_S:
        return None
    return "capacity.measured", {
        "at": reading.link,
        "direction": reading.direction.value,
        "method": reading.method.value,
        "rate_mbit": round(reading.rate_bps / 1e6, 2),
        "low_mbit": round(reading.low_bps / 1e6, 2),
        "high_mbit": round(reading.high_bps / 1e6, 2),
        "confidence": round(reading.confidence, 2),
        "spent_bytes": reading.spent_bytes,
    }


def _standby(reading: StandbyReading) -> dict[str, Json]:
    return {
        "at": reading.link,
        "fit": reading.fit,
        "lacks": list(reading.lacks),
        "mtu_bytes": reading.mtu_bytes,
        "dscp_sent": reading.dscp_sent,
        "dscp_arrived": reading.dscp_arrived,
        "up_mbit": _mbit(reading.up_bps),
        "down_mbit": _mbit(reading.down_bps),
    }


def _mbit(rate_bps: float | None) -> float | None:
    return None if rate_bps is None else round(rate_bps / 1e6, 2)
