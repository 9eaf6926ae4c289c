"""One session on one time axis: seconds since its first event.

Within a boot the monotonic clock counts; from one boot to the next the wall clock, never backwards. What another room
or another session did is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor

from edged.evidence import forms
from edged.evidence.errors import EvidenceMisused
from edged.evidence.reading import Said

JOINS = ("act.session_joined", "act.session_opened")


@dataclass(frozen=True, slots=True)
class Moment:
    at_s: float
    """Since the session's first event; negative: before it."""
    said: Said


@dataclass(frozen=True, slots=True)
class Story:
    session: str
    room: str | None
    site: str
    start_wall_s: float
    """Wall-clock time of the session's first event."""
    moments: tuple[Moment, ...]
    """All that is about this room or about the site as a whole, in order."""
    joined_s: float | None
    closed_s: float | None
    end_s: float
    """Of supervision as far as the packet goes: the closing, or the newest row."""
    grid_s: float
    """Where the whole second begins in which supervision began."""

    def own(self, kind: str) -> list[Moment]:
        """Events of this kind that name this session."""
        return [each for each in self.moments if each.said.kind == kind and self.is_own(each.said)]

    def of(self, prefix: str) -> list[Moment]:
        return [each for each in self.moments if each.said.kind.startswith(prefix)]

    def is_own(self, each: Said) -> bool:
        return each.data.get("session") == self.session

    def clock(self, at_s: float) -> str:
        """The time of day, RFC 3339 in UTC, by the clock as it stood when the session began."""
        moment = datetime.fromtimestamp(round(self.start_wall_s + at_s, 3), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def whole_seconds(self) -> int:
        """Whole seconds of supervision; 0 if nobody joined."""
        return 0 if self.joined_s is None else max(0, floor(self.end_s - self.grid_s + 1e-6))


def tier_of(said: Said) -> int:
    """The tier in force after a row: of the room, where it is told; the envelope has the site's, the highest of all."""
    row = forms.code(said.data, "row") if said.kind == "tier.entered" else None
    if row is not None and row[:1] == "t" and row[1:2].isdigit():
        return int(row[1])
    return 0 if said.kind == "tier.entered" and "row" in said.data else said.tier


def story(rows: Sequence[Said], session: str) -> Story:
    """Raises EvidenceMisused if no row is about that session."""
    known = [each for each in rows if each.known]
    own = [each for each in known if each.data.get("session") == session]
    if not own:
        raise EvidenceMisused(f"no row is about session {session}")
    room = next((found for each in own if (found := forms.named(each.data, "room"))), None)
    moments = _on_one_axis(known, own[0])
    joined = next((m for m in moments if m.said.kind in JOINS and m.said.data.get("session") == session), None)
    closed = next(
        (m for m in moments if m.said.kind == "act.session_closed" and m.said.data.get("session") == session), None
    )
    end_s = closed.at_s if closed else moments[-1].at_s
    return Story(
        session=session,
        room=room,
        site=own[0].source,
        start_wall_s=own[0].wall_s,
        moments=tuple(each for each in moments if _concerns(each.said, room, session)),
        joined_s=joined.at_s if joined else None,
        closed_s=closed.at_s if closed else None,
        end_s=end_s,
        grid_s=round(joined.at_s - joined.said.monotonic_s % 1, 3) if joined else 0.0,
    )


def _concerns(each: Said, room: str | None, session: str) -> bool:
    theirs, whose = each.data.get("room"), each.data.get("session")
    return (theirs is None or room is None or theirs == room) and (whose is None or whose == session)


def _on_one_axis(rows: Sequence[Said], first: Said) -> list[Moment]:
    """Seconds since `first`, to the millisecond."""
    at_s: list[float] = []
    for place, each in enumerate(rows):
        before = rows[place - 1] if place else None
        if before is None:
            at_s.append(0.0)
        elif before.boot == each.boot:
            at_s.append(at_s[-1] + each.monotonic_s - before.monotonic_s)
        else:
            at_s.append(at_s[-1] + max(0.0, each.wall_s - before.wall_s))
    zero_s = at_s[next(place for place, each in enumerate(rows) if each is first)]
    return [Moment(round(s - zero_s, 3), each) for s, each in zip(at_s, rows, strict=True)]
