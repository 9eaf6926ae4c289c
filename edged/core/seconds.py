"""The proof, second by second: was each stream live, dead, or not observed (E1)? Told ten seconds at a time.

The worst that was seen in a second counts for it. A second nobody looked at in time was not observed, and unobserved is
never live. What a dead daemon had not told yet is missing, and so unobserved too.
"""

import math
from dataclasses import replace

from edged.core.events import Channel, Event, Json
from edged.core.liveness import STREAMS, Source
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
    if room.session is None or not room.supervised:
        return state, ()
    letters = "".join(_LETTER[s.words[stream].live] for stream in STREAMS)
    band = _seen(room.band, letters, room.tier, s.now)
    state = state.with_room(s.room, replace(room, band=band))
    return tell(state, s) if len(band.lanes) >= TOLD_AT_ONCE else (state, ())


def tell(state: State, s: Situation) -> tuple[State, tuple[Event, ...]]:
    """What waits, at once: before a session ends, its phase or its tier changes, the daemon goes."""
    room = state.room(s.room)
    if room.band is None or not room.band.lanes or room.session is None:
        return state, ()
    event = Event(Channel.LOG, "av.seconds", state.tier, s.now, _data(room, room.band, s))
    return state.with_room(s.room, replace(room, band=replace(room.band, lanes=(), tiers=()))), (event,)


def begin(now: float) -> Band:
    return Band(math.floor(now), now)


def _seen(band: Band | None, letters: str, tier: int, now: float) -> Band:
    if band is None:
        return replace(begin(now), worst=letters)
    second = math.floor(now)
    missed = now - band.looked_s > LOOKS_APART_S
    if second == band.second:
        worst = UNOBSERVED * len(letters) if missed else letters
        return replace(band, looked_s=now, worst=_worse(band.worst, worst))
    ended = _worse(band.worst, UNOBSERVED * len(letters)) if missed or band.worst is None else band.worst
    between = min(second - band.second - 1, 10 * TOLD_AT_ONCE)
    lanes = (*band.lanes, ended, *([UNOBSERVED * len(letters)] * between))
    tiers = (*band.tiers, *([tier] * (1 + between)))
    return Band(second, now, _worse(letters, UNOBSERVED * len(letters)) if missed else letters, lanes, tiers)


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
