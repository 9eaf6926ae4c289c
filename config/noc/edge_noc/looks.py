"""What a site looks like now, from its snapshots and live telemetry: for metrics and alerts, not for the record. Pure.

Anything may come from outside: what is not of the shape docs/telemetry.md shows is left out, and stays unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_UP = {"up": True, "degraded": True, "down": False}
_READINESS = {"green": 0, "amber": 1, "red": 2}
_MOST_ROOMS = 64


@dataclass(slots=True)
class Room:
    """Of one procedure room. None: not known."""

    tier: int | None = None
    av_compliant: bool | None = None
    """Also None while there is no session."""
    readiness: int | None = None
    """For the next injection: 0 green, 1 amber, 2 red."""
    joined: bool | None = None
    """Whether a radiologist supervises."""


@dataclass(slots=True)
class Looks:
    tier: int | None = None
    """The site's: the highest of its rooms."""
    rooms: dict[str, Room] = field(default_factory=dict)
    incidents: int | None = None
    """Open ones."""
    unanswered: int | None = None
    """Alarms in sight that nobody acknowledged."""
    durable: bool | None = None
    links_up: dict[str, bool] = field(default_factory=dict)
    rtt_s: dict[str, float] = field(default_factory=dict)
    loss_ratio: dict[str, float] = field(default_factory=dict)
    charge_ratio: dict[str, float] = field(default_factory=dict)
    """Of each UPS."""
    conditions: frozenset[tuple[str, str, str]] = frozenset()
    """Name, where, severity."""

    def snapshot(self, thing: str, data: object) -> None:
        match thing, data:
            case "tier", {"tier": 0 | 1 | 2 | 3 | 4 as tier}:
                self.tier = tier
            case "rooms", {"rooms": list(rows)}:
                named = {_code(row.get("room")): _room(row) for row in _objects(rows)}
                self.rooms = {name: room for name, room in named.items() if name}
            case "incidents", {"incidents": list(rows)}:
                self.incidents = len(_objects(rows))
            case "alarms", {"alarms": list(rows)}:
                self.unanswered = sum(_is_unanswered(row) for row in _objects(rows))
            case "links", {"links": list(rows)}:
                verdicts = [(_code(row.get("link")), _code(row.get("verdict"))) for row in _objects(rows)]
                self.links_up = {link: _UP[verdict] for link, verdict in verdicts if link and verdict in _UP}
            case "conditions", {"conditions": list(rows)}:
                stand = [tuple(_code(row.get(part)) for part in ("name", "at", "severity")) for row in _objects(rows)]
                self.conditions = frozenset((name, at, severity) for name, at, severity in stand if name and at)
            case _:
                pass

    def event(self, kind: str, tier: int | None, data: Mapping[str, Any]) -> None:
        """The newest there is. `tier` is the site's, but of `tier.entered` that of a room."""
        name = _code(data.get("room"))
        if tier is None:
            return
        if kind != "tier.entered" or not name:
            self.tier = tier
        elif name in self.rooms or len(self.rooms) < _MOST_ROOMS:
            self.rooms.setdefault(name, Room()).tier = tier
            self.tier = max((room.tier for room in self.rooms.values() if room.tier is not None), default=tier)

    def telemetry(self, kind: str, data: Mapping[str, Any]) -> None:
        rows = data.get("rows")
        for row in _objects(rows if isinstance(rows, list) else []):
            if kind == "tel.links":
                _keep(self.rtt_s, row.get("link"), _last(row.get("rtt_ms")), 1e-3)
                _keep(self.loss_ratio, row.get("link"), _last(row.get("loss_pct")), 1e-2)
            elif kind == "tel.ups":
                _keep(self.charge_ratio, row.get("ups"), row.get("charge_pct"), 1e-2)


def _objects(rows: Iterable[object]) -> Sequence[Mapping[str, Any]]:
    return [row for row in rows if isinstance(row, dict)][:256]


def _room(row: Mapping[str, Any]) -> Room:
    tier, session, ready = (_object(row.get(part)) for part in ("tier", "session", "ready"))
    level = tier.get("tier")
    return Room(
        level if type(level) is int and 0 <= level <= 4 else None,
        _flag(tier.get("av_compliant")),
        _READINESS.get(_code(ready.get("level"))),
        False if session.get("open") is False else _flag(session.get("joined")),
    )


def _is_unanswered(row: Mapping[str, Any]) -> bool:
    hidden = row.get("shelved") is True or row.get("suppressed") is True
    return row.get("acknowledged") is False and not hidden


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _code(value: object) -> str:
    """Empty where it is none."""
    fits = isinstance(value, str) and len(value) <= 64 and value.isascii() and value.isprintable()
    return str(value) if fits else ""


def _last(column: object) -> object:
    """A value that is no list stands for every second; null is not known."""
    known = [value for value in column if value is not None] if isinstance(column, list) else [column]
    return known[-1] if known else None


def _keep(figures: dict[str, float], named: object, value: object, unit: float) -> None:
    """What is not known now has no figure: absent is never zero."""
    name = _code(named)
    figures.pop(name, None)
    if name and isinstance(value, int | float) and abs(value) < 1e9 and len(figures) < 64:
        figures[name] = float(value) * unit
