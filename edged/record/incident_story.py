"""What the rows of an incident add up to: when it began, what it demanded, who answered and how fast. Pure.

Times are RFC 3339 as recorded; `after_s` counts from the incident's onset. Spans are measured on the monotonic clock
where both ends are of one boot, else on the wall clock.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from edged.core.events import Json

Doc = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Told:
    """One recorded event."""

    row: int
    name: str
    """As the judge said it: "tier.entered"."""
    tier: int
    time: str
    wall_s: float
    monotonic_s: float
    boot: str
    data: dict[str, Any]

    @property
    def incident(self) -> int | None:
        """The one it belongs to."""
        found = self.data.get("incident")
        return found if isinstance(found, int) else None

    @property
    def number(self) -> int | None:
        """The one it opens, recauses or closes."""
        found = self.data.get("number") if self.name.startswith("incident.") else None
        return found if isinstance(found, int) else None

    def since(self, earlier: "Told") -> float:
        """Seconds."""
        if self.boot == earlier.boot:
            return round(self.monotonic_s - earlier.monotonic_s, 3)
        return round(self.wall_s - earlier.wall_s, 3)


def told(row: int, body: bytes) -> Told:
    """Raises ValueError or KeyError for what is no event of ours."""
    kept = json.loads(body)
    name = str(kept["type"]).removeprefix("edge.").removesuffix(".v1")
    wall_s, monotonic_s = datetime.fromisoformat(kept["time"]).timestamp(), int(kept["monoms"]) / 1000
    return Told(row, name, kept["tier"], kept["time"], wall_s, monotonic_s, kept["bootid"], kept["data"])


# ── all of them ────────────────────────────────────────────────────────────────────────────────────────
def listed(rows: Iterable[Told]) -> list[Doc]:
    """Of ascending rows every incident there is, newest first. Keys: number, state (open, closed, merged), into, cause,
    at, since, closed, lasted_s, worst_tier, rooms, sessions, symptoms. null: not over yet, or no row left that says it.
    """
    found: dict[int, list[Told]] = {}
    for each in rows:
        number = each.incident if each.number is None else each.number
        if number is not None:
            found.setdefault(number, []).append(each)
    return [_head(number, found[number]) for number in sorted(found, reverse=True)]


def _head(number: int, rows: Sequence[Told]) -> Doc:
    own = [each for each in rows if each.number == number]
    end = own[-1] if own and own[-1].name == "incident.closed" else None
    named: dict[str, Any] = own[-1].data if own else {}
    begun = _begun(own)
    return {
        "number": number,
        "state": "open" if end is None else "closed" if end.data.get("into") is None else "merged",
        "into": end.data.get("into") if end else None,
        "cause": named.get("cause"),
        "at": named.get("at"),
        "since": _stamp(begun[0], -begun[1]) if begun else None,
        "closed": end.time if end else None,
        "lasted_s": end.data.get("lasted_s") if end else None,
        "worst_tier": max([each.tier for each in rows if each.name == "tier.entered"], default=0),
        "rooms": _named(rows, "room"),
        "sessions": _named(rows, "session"),
        "symptoms": [each["symptom"] for each in _symptoms(rows, None)],
    }


def _begun(own: Sequence[Told]) -> tuple[Told, float] | None:
    """Where it was opened, and how long before that its first symptom began."""
    return (own[0], float(own[0].data["onset_s_ago"])) if own and own[0].name == "incident.opened" else None


def _named(rows: Iterable[Told], key: str) -> list[str]:
    return sorted({str(each.data[key]) for each in rows if each.data.get(key)})


def _stamp(each: Told, by_s: float) -> str:
    moment = datetime.fromtimestamp(each.wall_s, UTC) + timedelta(seconds=by_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ── one of them ────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Clock:
    """Counts from the onset, or from the first row that is left."""

    zero: Told
    before_s: float

    def after_s(self, each: Told) -> float:
        return round(each.since(self.zero) + self.before_s, 3)

    def at(self, each: Told) -> Doc:
        return {"time": each.time, "after_s": self.after_s(each)}


def story(number: int, rows: Sequence[Told], around: Iterable[Told]) -> Doc:
    """`rows` are the incident's own, `around` deadlines and looks at a path near it in time, all ascending. Keys: those
    of `listed`, with `symptoms` in full, and causes, tiers, responses, acts, timers, moves, media, paths.
    """
    own = [each for each in rows if each.number == number]
    clock = _Clock(*(_begun(own) or (rows[0], 0.0)))
    rooms, links = set(_named(rows, "room")), _links(rows)
    near = [
        each
        for each in around
        if clock.after_s(each) >= -_SLACK_S and (each.data.get("room") in rooms or each.data.get("at") in links)
    ]
    both = sorted((*rows, *near), key=lambda each: each.row)
    return {
        **_head(number, rows),
        "symptoms": _symptoms(rows, clock),
        "causes": [_told(clock, each, "cause", "at") for each in own if each.name != "incident.closed"],
        "tiers": [_told(clock, each, *_OF_A_TIER) for each in rows if each.name == "tier.entered"],
        "responses": _responses(clock, rows),
        "acts": [_told(clock, each, *_OF_AN_ACT) for each in rows if _is_act(each)],
        "timers": _timers(clock, both),
        "moves": [_told(clock, each, "previous", "active") for each in rows if each.name.startswith("wan.fail")],
        "media": [_told(clock, each, "room", "av_compliant", "audio", "video") for each in _of(rows, "av.changed")],
        "paths": [_told(clock, each, *_OF_A_PATH) for each in _of(both, "path.diagnosed")],
    }


_SLACK_S = 1.0
_OF_A_TIER = ("room", "previous", "row", "cause", "cause_at", "session", "phase", "drill")
_OF_AN_ACT = ("act", "actor", "role", "reason", "room", "session", "subject")
_OF_A_PATH = ("at", "dies_at", "why", "refused", "trouble")


def _of(rows: Iterable[Told], name: str) -> list[Told]:
    return [each for each in rows if each.name == name]


def _told(clock: _Clock, each: Told, *keys: str) -> Doc:
    tier: Doc = {"tier": each.tier} if each.name == "tier.entered" else {}
    return {**clock.at(each), **tier, **{key: each.data.get(key) for key in keys}}


def _is_act(each: Told) -> bool:
    return each.name.startswith("act.") and each.name not in ("act.shelved", "act.unshelved")


def _links(rows: Iterable[Told]) -> set[str]:
    """Lines it is about."""
    return {str(each.data.get("at")) for each in rows if each.name.startswith(("link.", "incident."))}


def _symptoms(rows: Iterable[Told], clock: _Clock | None) -> list[Doc]:
    """Conditions and rows of the containment table in the order they came: first raised, last cleared, how often."""
    found: dict[str, Doc] = {}
    raised: dict[str, list[Told]] = {}
    for each in rows:
        head, _, word = each.name.rpartition(".")
        if word not in ("raised", "cleared") or head == "alarm":
            continue
        row = head == "containment"
        name = f"{each.data.get('row')} {each.data.get('room')}" if row else f"{head} {each.data.get('at')}"
        times: Doc = {"time": each.time, "after_s": clock.after_s(each) if clock else None}
        doc = found.setdefault(name, {"symptom": name, **times, "times": 0, "cleared": None, "lasted_s": None})
        if word == "raised":
            raised.setdefault(name, []).append(each)
            doc |= {"times": len(raised[name]), "cleared": None, "lasted_s": None}
        else:
            lasted_s = each.since(raised[name][-1]) if name in raised else each.data.get("lasted_s")
            doc |= {"cleared": each.time, "lasted_s": lasted_s}
    return list(found.values())


def _responses(clock: _Clock, rows: Sequence[Told]) -> list[Doc]:
    """What was demanded, and what people did from then until something else was demanded of the same room."""
    demands = [each for each in rows if each.name in _DEMANDING and each.data.get("response")]
    acts = [each for each in rows if _is_act(each)]
    found: list[Doc] = []
    for index, demand in enumerate(demands):
        room, wanted = demand.data.get("room"), demand.data["response"]
        until = next((each.row for each in demands[index + 1 :] if each.data.get("room") == room), None)
        given = [
            _given(demand, act, wanted.get("by_s"))
            for act in acts
            if act.row > demand.row and (until is None or act.row < until) and act.data.get("room") in (None, room)
        ]
        rose = demand.name != "tier.entered" or demand.tier > int(demand.data.get("previous") or 0)
        asked = {key: wanted.get(key) for key in _WANTED}
        found.append({**_told(clock, demand, "room", "row"), "rose": rose, **asked, "given": given})
    return found


_DEMANDING = ("tier.entered", "response.demanded")
_WANTED = ("say", "who", "by_s")


def _given(demand: Told, act: Told, by_s: float | None) -> Json:
    took_s = act.since(demand)
    done = {key: act.data.get(key) for key in ("act", "actor", "role", "reason")}
    return {**done, "time": act.time, "within_s": took_s, "late": by_s is not None and took_s > by_s}


def _timers(clock: _Clock, rows: Iterable[Told]) -> list[Doc]:
    """Each deadline once: when it began and was due, when it was met, whether it was missed."""
    found: list[Doc] = []
    running: dict[tuple[object, object], Doc] = {}
    for each in rows:
        if not each.name.startswith("timer."):
            continue
        word, ran_s, key = each.name.removeprefix("timer."), float(each.data["ran_s"]), _timer(each)
        if key not in running or word == "started":
            running[key] = {
                "timer": each.data["timer"],
                "room": each.data.get("room"),
                "session": each.data.get("session"),
                "started": _stamp(each, -ran_s),
                "after_s": round(clock.after_s(each) - ran_s, 3),
                "due_s": round(ran_s + float(each.data["due_in_s"]), 3),
                "met_s": None,
                "expired": False,
                "over_s": None,
            }
            found.append(running[key])
        running[key] |= _after(word, ran_s)
    return found


def _after(word: str, ran_s: float) -> Doc:
    match word:
        case "met" | "over":
            return {f"{word}_s": ran_s}
        case "expired":
            return {"expired": True}
        case _:
            return {}


def _timer(each: Told) -> tuple[object, object]:
    return each.data["timer"], each.data.get("room")
