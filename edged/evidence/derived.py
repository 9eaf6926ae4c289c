"""All a packet says, computed from its rows alone. Whoever holds the rows computes the same."""

from collections.abc import Mapping, Sequence

from edged.core.events import Json
from edged.evidence import facts, happenings
from edged.evidence.forms import whole
from edged.evidence.gaps import gaps, unobserved
from edged.evidence.reading import Said
from edged.evidence.seconds import Band, band
from edged.evidence.story import story


def derived(rows: Sequence[Said], session: str) -> dict[str, Json]:
    """Raises EvidenceMisused if no row is about that session, EvidenceBroken for a field that has not its form."""
    told = story(rows, session)
    seconds = band(told)
    known = facts.facts(told)
    found = gaps(told, seconds)
    return {
        "session": known,
        "supervision": _supervision(seconds, found, begun=told.joined_s is not None),
        "band": seconds.document(round(told.grid_s, 3)),
        "protection": list(seconds.protections),
        "gaps": found,
        "unobserved": unobserved(told, seconds),
        "tiers": happenings.tiers(told),
        "timers": happenings.timers(told),
        "phone": happenings.phone(told),
        "mobile": happenings.mobile(told),
        "outcomes": happenings.outcomes(told),
        "reactions": happenings.reactions(told, seconds),
        "incidents": happenings.incidents(told),
        "network": happenings.network(told),
        "paths": happenings.paths(told),
        "timeline": happenings.timeline(told),
        "clock": facts.clock(told),
        "software": facts.software(told),
        "completeness": facts.completeness(told, seconds, known),
    }


def _supervision(seconds: Band, found: Sequence[Mapping[str, Json]], *, begun: bool) -> dict[str, Json]:
    """`continuous`: true only if every second from the joining on was seen to be live; null where nobody saw the
    contrary.
    """
    dead, unseen = seconds.av.count("N"), seconds.av.count("U")
    continuous = None if not dead and (unseen or not seconds.av or not begun) else not dead
    return {
        "seconds": len(seconds.av),
        "live_s": seconds.av.count("Y"),
        "dead_s": dead,
        "unobserved_s": unseen,
        "interruptions": len(found),
        "longest_s": max((whole(gap, "seconds") or 0 for gap in found), default=0),
        "continuous": continuous,
    }
