"""Which incident an event belongs to, by what it is about: a condition, a row, a room, a link. A table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from edged.core import containment
from edged.core.conditions import BY_NAME
from edged.core.events import Event, Json
from edged.core.incident_causes import DRILL, Blame, explains, of_media
from edged.core.incident_state import Incident, Key
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.state import State

ANSWERS = (
    Act.CONTINUITY_CONFIRMED,
    Act.PHONE_CONFIRMED,
    Act.PHONE_FAILED,
    Act.MOBILE_UP,
    Act.ONSITE_PRESENT,
    Act.ACKNOWLEDGED,
    Act.HELD,
    Act.HALTED,
    Act.RESCHEDULED,
    Act.CONTRAST_ENDED,
)
"""Acts that answer what the incident of their room demands."""


@dataclass(frozen=True, slots=True)
class _Index:
    plan: Plan
    state: State
    now: float
    open: tuple[Incident, ...]
    by_key: Mapping[Key, int]
    """Symptoms of this step and of the one before: what has just cleared belongs too."""
    by_room: Mapping[str, int]
    """The incident that holds the room's highest row."""

    def of_room(self, room: str) -> int | None:
        """The incident whose rows are up there; before the first is, one that explains a loss there."""
        if room in self.by_room:
            return self.by_room[room]
        if room not in self.state.rooms:
            return None
        loss = of_media(self.plan, self.state, room, self.now)
        causes = (
            each.number
            for each in self.open
            if each.standing and explains(self.plan, self.state, Blame(each.cause, each.at, each.onset_s), loss)
        )
        return next(causes, None)


def tagged(
    plan: Plan,
    state: State,
    events: tuple[Event, ...],
    was: Iterable[Incident],
    open_: Iterable[Incident],
    into: Mapping[int, int],
    now: float,
) -> tuple[Event, ...]:
    """The events, those that belong to an incident with its number in their data. `into`: which went into which."""
    if not events:
        return events
    by_key = {key: into.get(each.number, each.number) for each in was for key in each.standing}
    by_key |= {key: each.number for each in open_ for key in each.standing}
    index = _Index(plan, state, now, tuple(open_), by_key, _by_room(by_key, open_))
    return tuple(_with(event, _number(index, event)) for event in events)


def _by_room(by_key: Mapping[Key, int], open_: Iterable[Incident]) -> dict[str, int]:
    """What is up goes before what has just cleared, the higher row before the lower."""
    up = {key for each in open_ for key in each.standing}
    rows = [key for key in by_key if key[0] in containment.BY_ID]
    rows.sort(key=lambda key: (key in up, containment.BY_ID[key[0]].tier, -by_key[key]))
    return {room: by_key[row, room] for row, room in rows}


def _with(event: Event, number: int | None) -> Event:
    return event if number is None else replace(event, data={**event.data, "incident": number})


def _number(index: _Index, event: Event) -> int | None:
    find = _FINDERS.get(event.name)
    if find is not None:
        return find(index, event.data)
    condition, _, word = event.name.rpartition(".")
    if word in ("raised", "cleared") and condition in BY_NAME:
        return index.by_key.get((condition, str(event.data.get("at"))))
    return None


# ── by what it is about ────────────────────────────────────────────────────────────────────────────────
Data = Mapping[str, Json]


def _of_row(index: _Index, data: Data) -> int | None:
    return index.by_key.get((str(data.get("row")), str(data.get("room"))))


def _of_tier(index: _Index, data: Data) -> int | None:
    """By its leading row; on the way down to 0, by what held the room until now."""
    number = _of_row(index, data)
    return index.by_room.get(str(data.get("room"))) if number is None else number


def _of_av(index: _Index, data: Data) -> int | None:
    room = str(data.get("room"))
    return index.of_room(room) if data.get("av_compliant") is False else index.by_room.get(room)


def _of_move(index: _Index, _: Data) -> int | None:
    return next((number for (row, _at), number in index.by_key.items() if row == "t2.failover"), None)


def _of_timer(index: _Index, data: Data) -> int | None:
    room = str(data.get("room"))
    rows = ("t3.unconfirmed", "t2.failover") if data.get("timer") == "confirm" else ()
    numbers = [index.by_key[row, room] for row in rows if (row, room) in index.by_key]
    return numbers[0] if numbers else index.of_room(room)


def _of_path(index: _Index, data: Data) -> int | None:
    link = str(data.get("at"))
    for name in ("link.down", "link.degraded", "link.reflector_fault"):
        if (name, link) in index.by_key:
            return index.by_key[name, link]
    return next((each.number for each in index.open if each.at == link), None)


def _of_answer(index: _Index, data: Data) -> int | None:
    named = _of_subject(index, data)
    return index.by_room.get(str(data.get("room"))) if named is None else named


def _of_subject(index: _Index, data: Data) -> int | None:
    """An alarm by its name: "link.down fiber"."""
    name, _, at = str(data.get("subject") or "").partition(" ")
    return index.by_key.get((name, at))


def _of_drill(index: _Index, _: Data) -> int | None:
    return next((each.number for each in index.open if each.cause == DRILL), None)


_FINDERS: Mapping[str, Callable[[_Index, Data], int | None]] = {
    "tier.entered": _of_tier,
    "response.demanded": _of_row,
    "containment.raised": _of_row,
    "containment.cleared": _of_row,
    "av.changed": _of_av,
    "wan.failover": _of_move,
    "wan.failback": _of_move,
    "path.diagnosed": _of_path,
    **dict.fromkeys(("timer.started", "timer.met", "timer.expired", "timer.over"), _of_timer),
    **dict.fromkeys((f"act.{act.value}" for act in ANSWERS), _of_answer),
    **dict.fromkeys(("act.shelved", "act.unshelved"), _of_subject),
    **dict.fromkeys(("act.drill_ended", "act.drill_aborted", "drill.aborted", "drill.over"), _of_drill),
}
