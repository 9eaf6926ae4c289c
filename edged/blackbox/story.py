"""A replay in words: what was decided when, and where a difference lies. One line each."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from edged.blackbox.readback import Recording
from edged.blackbox.replay import Difference, Replayed
from edged.blackbox.segment import Header
from edged.core.events import Channel, Event

_WIDTH = 160
_SET_S = 2.0
"""A clock that is only disciplined moves by 0.5 s in a quarter of an hour, at most (500 ppm)."""


def is_headline(event: Event) -> bool:
    """Tiers and incidents are the story; the rest is for who wants all of it."""
    return event.channel is Channel.TIER or event.name.startswith("incident.")


def heading(recording: Recording, software: str) -> Iterator[str]:
    header = recording.header
    yield (
        f"{recording.path}: from {clock(header.wall_s)} UTC, software {header.software}, "
        f"config {header.config_hash}, protocol {header.protocol_hash}"
    )
    if header.software != software:
        yield f"  recorded by software {header.software}, judged again by {software}"
    if header.lost is not None:
        lost = header.lost
        why = " ".join(filter(None, (lost.why, lost.error)))
        yield f"  {lost.steps} steps were not recorded since this life of the daemon began, the last time: {why}"
    if recording.damage is not None:
        yield f"  {recording.damage}: read up to there"
    elif not recording.whole:
        yield "  has no end: cut off, or still being written"


def since(before: Header, header: Header) -> Iterator[str]:
    """What happened between two segments that stand one behind the other."""
    if before.boot_id != header.boot_id:
        yield "  the box was started anew"
    elif before.life != header.life:
        changed = (before.config_hash, before.protocol_hash) != (header.config_hash, header.protocol_hash)
        yield "  another configuration was taken up" if changed else "  the daemon was started anew, or reloaded"
    if before.boot_id == header.boot_id:
        set_s = (header.wall_s - before.wall_s) - (header.now_s - before.now_s)
        if abs(set_s) >= _SET_S:
            set_by = f"the clock was set by {set_s:+.0f} s since the segment before began"
            yield f"  {set_by}, so that one's times may be wrong by that"


def event_line(recording: Recording, event: Event) -> str:
    line = f"  {clock(recording.wall_s(event.at_s))}  tier {event.tier}  {event.name} "
    for word in (f" {key}={_word(value)}" for key, value in event.data.items() if _is_short(value)):
        if len(line) + len(word) > _WIDTH:
            return f"{line} …"
        line += word
    return line


def difference_lines(recording: Recording, difference: Difference) -> Iterator[str]:
    at = clock(recording.wall_s(difference.now_s))
    then, now = (", ".join(names) or "nothing" for names in (difference.recorded, difference.decided))
    told = f"after {difference.told}: recorded {then}; decided now {now}"
    unlike = ", with other contents" if difference.recorded == difference.decided else ""
    yield f"{recording.path}:{difference.line}: {at} {told}{unlike}"
    for event in difference.events:
        yield event_line(recording, event)


def verdict(observations: int, decisions: int, differences: int) -> str:
    found = "identical" if differences == 0 else f"{differences} different"
    return f"{observations} observations, {decisions} decisions, {found}"


def document(recording: Recording, replayed: Replayed, *, everything: bool) -> dict[str, object]:
    """For programs: times in seconds since 1970."""
    header = recording.header
    told = (event for event in replayed.story if everything or is_headline(event))
    return {
        "file": str(recording.path),
        "software": header.software,
        "config_hash": header.config_hash,
        "protocol_hash": header.protocol_hash,
        "boot_id": header.boot_id,
        "from_s": header.wall_s,
        "missing_steps": header.lost.steps if header.lost else 0,
        "whole": recording.whole,
        "damage": recording.damage,
        "observations": replayed.observations,
        "decisions": replayed.decisions,
        "differences": [_difference_doc(recording, each) for each in replayed.differences],
        "story": [_event_doc(recording, event) for event in told],
    }


def clock(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _difference_doc(recording: Recording, difference: Difference) -> dict[str, object]:
    return {
        "line": difference.line,
        "time_s": recording.wall_s(difference.now_s),
        "after": difference.told,
        "recorded": list(difference.recorded),
        "decided": list(difference.decided),
        "events": [_event_doc(recording, event) for event in difference.events],
    }


def _event_doc(recording: Recording, event: Event) -> dict[str, object]:
    time_s = recording.wall_s(event.at_s)
    return {"time_s": time_s, "name": event.name, "tier": event.tier, "data": dict(event.data)}


def _is_short(value: object) -> bool:
    return value is not None and not isinstance(value, Mapping | list | tuple)


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
