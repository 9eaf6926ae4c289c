"""One session on one time axis: seconds since its first event.

Within a boot the monotonic clock counts; from one boot to the next the wall clock, never backwards. What another room
or another session did is left out. An id that is used again soon is one session; later it is another procedure, which
is named and not told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import floor

from edged.evidence import forms
from edged.evidence.errors import EvidenceBroken, EvidenceMisused
from edged.evidence.reading import Said

JOINS = ("act.session_joined", "act.session_opened")
BEGINS = ("act.session_requested", *JOINS)
CLOSES = "act.session_closed"
NOTHING_DONE = ("act.refused", "act.repeated")
AGAIN_WITHIN_S = 12 * 3600.0
"""A session begun anew within a day's work was closed too early; after that its id was used for another procedure."""
LONGEST_S = 31 * 86_400.0
"""Far beyond any procedure, and what a clock that jumped by years would make of one."""
LONGEST_AWAY_S = 7 * 86_400.0
"""From one boot to the next: a box that was longer away had no time when it went."""


@dataclass(frozen=True, slots=True)
class Moment:
    at_s: float
    """Since the session's first event; negative: before it."""
    said: Said
    tier: int
    """In force in the room from this row on."""


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
    again: Moment | None
    """Where the id was used for another procedure, later or in another room. Nothing of that is told."""
    end_s: float
    """Of supervision as far as the packet goes: the closing, or the newest row."""
    supervised: bool
    """Somebody joined: a row says so, or tells of seconds of it."""
    grid_s: float
    """Where the whole second begins in which supervision began, or, where that row is lost, the first it is told of."""

    def own(self, kind: str) -> list[Moment]:
        """Events of this kind that name this session."""
        return [each for each in self.moments if each.said.kind == kind and self.is_own(each.said)]

    def of(self, prefix: str) -> list[Moment]:
        return [each for each in self.moments if each.said.kind.startswith(prefix)]

    def is_own(self, each: Said) -> bool:
        return each.data.get("session") == self.session

    def clock(self, at_s: float) -> str:
        """The time of day, RFC 3339 in UTC, by the clock as it stood at the row before."""
        held = next((m for m in reversed(self.moments) if m.at_s <= at_s), None)
        wall_s = self.start_wall_s + at_s if held is None else held.said.wall_s + at_s - held.at_s
        moment = datetime.fromtimestamp(round(wall_s, 3), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def whole_seconds(self) -> int:
        """Whole seconds of supervision; 0 if nobody joined."""
        return max(0, floor(self.end_s - self.grid_s + 1e-6)) if self.supervised else 0


def story(rows: Sequence[Said], session: str) -> Story:
    """Raises EvidenceMisused if no row is about that session, EvidenceBroken if it lasted longer than any can."""
    known = [each for each in rows if each.known]
    first = _first(known, session)
    room = next(_rooms(known, session), None)
    axis = _on_one_axis(known, first)
    moments = [*_with_tiers([each for each in axis if _concerns(each.said, room, session)])]
    closed, again = _course(moments, session)
    moments = moments if again is None else moments[: moments.index(again)]
    joined = next((m for m in moments if m.said.kind in JOINS and m.said.data.get("session") == session), None)
    end_s = closed.at_s if closed else moments[-1].at_s
    grid_s = _grid_s(moments, joined, session)
    if grid_s is not None and end_s - grid_s > LONGEST_S:
        raise EvidenceBroken(f"more than {LONGEST_S / 86_400:.0f} days from its beginning to its end")
    return Story(
        session=session,
        room=room,
        site=first.source,
        start_wall_s=first.wall_s,
        moments=tuple(moments),
        joined_s=joined.at_s if joined else None,
        closed_s=closed.at_s if closed else None,
        again=again or next((each for each in axis if _begins_elsewhere(each.said, room, session)), None),
        end_s=end_s,
        supervised=grid_s is not None,
        grid_s=grid_s or 0.0,
    )


def _first(rows: Sequence[Said], session: str) -> Said:
    """Where its time begins: the first of it that was done, not an act that was refused days before."""
    own = [each for each in rows if each.data.get("session") == session]
    if not own:
        raise EvidenceMisused(f"no row is about session {session}")
    return next((each for each in own if each.kind not in NOTHING_DONE), own[0])


def _rooms(rows: Sequence[Said], session: str) -> Iterator[str]:
    """In which it was, and named where it was refused."""
    own = [each for each in rows if each.data.get("session") == session]
    for each in sorted(own, key=lambda each: each.kind in NOTHING_DONE):
        if room := forms.named(each.data, "room"):
            yield room


def _course(moments: Sequence[Moment], session: str) -> tuple[Moment | None, Moment | None]:
    """Where it was closed at last, and where its id was used for another procedure."""
    closed: Moment | None = None
    for each in moments:
        if each.said.data.get("session") != session:
            continue
        if each.said.kind == CLOSES:
            closed = each
        elif each.said.kind in BEGINS and closed is not None:
            if each.at_s - closed.at_s > AGAIN_WITHIN_S:
                return closed, each
            closed = None
    return closed, None


def _grid_s(moments: Sequence[Moment], joined: Moment | None, session: str) -> float | None:
    if joined:
        return round(joined.at_s - joined.said.monotonic_s % 1, 3)
    told = (m for m in moments if m.said.kind == "av.seconds" and m.said.data.get("session") == session)
    starts_s = (
        m.at_s - (forms.seconds(m.said.data, "ended_s_ago") or 0.0) - len(forms.compliance(m.said.data, "av") or "")
        for m in told
    )
    return next((round(start_s, 3) for start_s in starts_s), None)


def _begins_elsewhere(each: Said, room: str | None, session: str) -> bool:
    return each.kind in BEGINS and each.data.get("session") == session and each.data.get("room") not in (None, room)


def _with_tiers(moments: Sequence[Moment]) -> Iterator[Moment]:
    """The envelope has the tier of the site, the highest of its rooms; that of `tier.entered` has the room's own."""
    known: int | None = None
    for each in moments:
        if each.said.kind == "tier.entered":
            known = each.tier
        yield each if known is None else replace(each, tier=min(known, each.tier))


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
            at_s.append(at_s[-1] + min(max(0.0, each.wall_s - before.wall_s), LONGEST_AWAY_S))
    zero_s = at_s[next(place for place, each in enumerate(rows) if each is first)]
    return [Moment(round(s - zero_s, 3), each, each.tier) for s, each in zip(at_s, rows, strict=True)]
