"""The proof, second by second: was each stream live, dead, or not observed (E1)? Told ten seconds at a time.

The worst that was seen in a second counts for it. A second nobody looked at in time was not observed, and unobserved is
never live. What a dead daemon had not told yet is missing, and so unobserved too.
"""

import math
from dataclasses import replace

from edged.core.events import Channel, Event, Json
from edged.core.liveness import PROOF_WITHIN_S, STREAMS, Source, Word
from edged.core.plan import Plan
from edged.core.rooms import Band, RoomState
from edged.core.situation import Situation
from edged.core.state import State
from probes.reading import MediaReading, Protection

TOLD_AT_ONCE = 10
LOOKS_APART_S = 0.6
"""Ticks come four times a second; a longer pause between two of them saw less than the second."""
LIVE, DEAD, UNOBSERVED = "L", "D", "U"
_LANES = tuple(f"{medium.value}_{way.value.split('_')[0]}" for medium, way in STREAMS)
"""audio_to, audio_from, video_to, video_from."""
_LETTER = {True: LIVE, False: DEAD, None: UNOBSERVED}
_WORST = {LIVE: 0, UNOBSERVED: 1, DEAD: 2}


def look(_: Plan, state: State, s: Situation) -> tuple[State, tuple[Event, ...]]:
    """One look at a room, at a tick. Whatever is complete enough is told."""
    room = state.room(s.room)
    if room.session is None or room.session.joined_s is None:
        return state, ()
    letters = "".join(_letter(s.words[stream]) for stream in STREAMS)
    band = room.band
    told: tuple[Event, ...] = ()
    if band is None:
        band = _begun(room.session.joined_s, s.now)
    elif math.floor(s.now) - band.second > TOLD_AT_ONCE:  # stopped, or asleep: what is in no event was not observed
        state, told = tell(state, s)
        band = _unseen(s.now)
    band = _seen(band, letters, room.tier, s.now)
    state = state.with_room(s.room, replace(room, band=band))
    if len(band.lanes) < TOLD_AT_ONCE:
        return state, told
    state, more = tell(state, s)
    return state, (*told, *more)


def _letter(word: Word) -> str:
    """An old word may bridge a moment, but proves nothing of it."""
    proven = word.age_s is not None and word.age_s <= PROOF_WITHIN_S
    return UNOBSERVED if word.live and not proven else _LETTER[word.live]


def tell(state: State, s: Situation) -> tuple[State, tuple[Event, ...]]:
    """What waits, at once: before a session ends, its phase or its tier changes, the daemon goes."""
    room = state.room(s.room)
    if room.band is None or room.session is None:
        return state, ()
    band = _ended(room.band, room.tier, s.now)
    if not band.lanes:
        return state, ()
    event = Event(Channel.LOG, "av.seconds", state.tier, s.now, _data(room, band, s))
    return state.with_room(s.room, replace(room, band=replace(band, lanes=(), tiers=()))), (event,)


def _begun(joined_s: float, now: float) -> Band:
    """The second in which supervision begins is one of it. Joined long ago: nobody was looking until now."""
    return Band(math.floor(joined_s), joined_s) if now - joined_s <= LOOKS_APART_S else _unseen(now)


def _unseen(now: float) -> Band:
    return Band(math.floor(now), now, UNOBSERVED * len(STREAMS))


def _ended(band: Band, tier: int, now: float) -> Band:
    """With the second that is over, if no look is due in it any more."""
    over = math.floor(now) == band.second + 1 and now - band.looked_s <= LOOKS_APART_S
    if not over or band.worst is None:
        return band
    return Band(band.second + 1, band.looked_s, None, (*band.lanes, band.worst), (*band.tiers, tier))


def _seen(band: Band, letters: str, tier: int, now: float) -> Band:
    """A second in which nobody looked is what the next look saw, unless that came too late."""
    second = math.floor(now)
    nothing = UNOBSERVED * len(letters)
    missed = now - band.looked_s > LOOKS_APART_S
    seen = _worse(letters, nothing) if missed else letters
    if second == band.second:
        return replace(band, looked_s=now, worst=_worse(band.worst, seen))
    between = second - band.second - 1
    ended = _worse(band.worst, nothing) if missed else band.worst or letters
    lanes = (*band.lanes, ended, *([nothing] * between))
    tiers = (*band.tiers, *([tier] * (1 + between)))
    return Band(second, now, seen, lanes, tiers)


def _worse(one: str | None, other: str) -> str:
    return other if one is None else "".join(max(a, b, key=_WORST.__getitem__) for a, b in zip(one, other, strict=True))


def _data(room: RoomState, band: Band, s: Situation) -> dict[str, Json]:
    session = room.session
    lanes = {name: "".join(second[at] for second in band.lanes) for at, name in enumerate(_LANES)}
    compliant = "".join(_compliant(second) for second in band.lanes)
    tiers: Json = band.tiers[0] if len(set(band.tiers)) == 1 else list(band.tiers)
    return {
        "room": s.room,
        "session": session.id if session else None,
        "phase": session.phase.value if session else None,
        "seconds": len(band.lanes),
        "ended_s_ago": round(s.now - band.second, 3),
        "tier": tiers,
        **lanes,
        "av": compliant,
        "source": _source(s).value,
        "protection": _protection(room.media).value,
    }


def _compliant(second: str) -> str:
    if DEAD in second:
        return "N"
    return "Y" if set(second) == {LIVE} else UNOBSERVED


def _source(s: Situation) -> Source:
    """The least of those that were asked: a proof is as good as its weakest part."""
    order = list(Source)
    return max((word.source for word in s.words.values()), key=order.index, default=Source.NONE)


def _protection(media: MediaReading | None) -> Protection:
    return media.protection if media else Protection.UNKNOWN
