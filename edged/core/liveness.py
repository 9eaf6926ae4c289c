"""Is a medium live? Sources are ranked: the platform's own word, then what is seen on the wire, then the links.

Each word carries its age and how sure it is. Unknown is never live (rule 7). A loss seen on the wire stands until the
wire is looked at again: what sends no packets cannot live, however often it is called live.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edged.core.observations import PlatformSaid
from edged.core.rooms import RoomState
from probes.reading import MediaReading, Medium, Way

PLATFORM_FRESH_S = 6.0
"""A platform that reports every 2 s may miss two."""
OBSERVER_FRESH_S = 3.0
"""A media reading comes once a second; after three missed ones the streams are unknown."""


WIRE_STANDS_S = 1.5
"""What was seen dead is dead until it is looked at again, a second later, whatever is said meanwhile."""
PROOF_WITHIN_S = 2.0
"""A word that proves a second must be younger: what decides on a tier may bridge a missed reading, no proof may."""


class Source(StrEnum):
    """In their order."""

    PLATFORM = "platform"
    OBSERVER = "observer"
    LINKS = "links"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Word:
    """What is held of one medium in one direction."""

    live: bool | None
    source: Source
    age_s: float | None
    confidence: float
    """0 to 1."""


Words = Mapping[tuple[Medium, Way], Word]
STREAMS: tuple[tuple[Medium, Way], ...] = tuple((medium, way) for medium in Medium for way in Way)
_NOTHING = Word(None, Source.NONE, None, 0.0)
_LINKS_SURE = 0.5
"""That no link carries anything: probes may be wrong about it, packets seen would say so."""


def words(room: RoomState, *, all_down_s: float | None, now: float) -> dict[tuple[Medium, Way], Word]:
    """The best word on every stream at `now`. `all_down_s`: since when every link is down, None while one is not."""
    return {stream: _best(room, stream, all_down_s, now) for stream in STREAMS}


def is_watched(room: RoomState, *, observer: bool) -> bool:
    """Somebody could know whether the session's media live: an observer, or the platform, if it ever spoke of it."""
    if observer or room.platform is None or room.session is None:
        return observer
    return room.platform.at_s >= room.session.opened_s - PLATFORM_FRESH_S


def both_ways(held: Words, medium: Medium) -> bool | None:
    """Rule 7: live only in both directions; dead if either is known dead."""
    lives = [held[medium, way].live for way in Way]
    if any(live is False for live in lives):
        return False
    return True if all(lives) else None


def fresh(media: MediaReading | None, now: float) -> MediaReading | None:
    """The last media reading, unless it is too old or blind to speak for this second."""
    return media if media and media.observing and now - media.at_s <= OBSERVER_FRESH_S else None


def _best(room: RoomState, stream: tuple[Medium, Way], all_down_s: float | None, now: float) -> Word:
    told, seen = _platform(room.platform, stream, now), _observer(room.media, stream, now)
    if told.live is not None and not (told.live and seen.live is False and _stands(seen, told)):
        return told
    if seen.live is not None:
        return seen
    return _NOTHING if all_down_s is None else Word(False, Source.LINKS, now - all_down_s, _LINKS_SURE)


def _stands(seen: Word, told: Word) -> bool:
    return (seen.age_s or 0.0) <= max(told.age_s or 0.0, WIRE_STANDS_S)


def _platform(said: PlatformSaid | None, stream: tuple[Medium, Way], now: float) -> Word:
    if said is None or now - said.at_s > PLATFORM_FRESH_S:
        return _NOTHING
    live = {
        (Medium.AUDIO, Way.TO_ROOM): said.audio_to_room,
        (Medium.AUDIO, Way.FROM_ROOM): said.audio_from_room,
        (Medium.VIDEO, Way.TO_ROOM): said.video_to_room,
        (Medium.VIDEO, Way.FROM_ROOM): said.video_from_room,
    }[stream]
    return _NOTHING if live is None else Word(live, Source.PLATFORM, now - said.at_s, 1.0)


def _observer(media: MediaReading | None, stream: tuple[Medium, Way], now: float) -> Word:
    reading = fresh(media, now)
    seen = [each for each in reading.streams if (each.medium, each.way) == stream] if reading else []
    if reading is None or not seen or seen[0].live is None:
        return _NOTHING
    return Word(seen[0].live, Source.OBSERVER, now - reading.at_s, seen[0].confidence)
