"""What the two halves of a tier journal hold, whatever happened to them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edged.record.journal_entry import Found, Kept, Settled, Whole, entries


@dataclass(frozen=True, slots=True)
class Content:
    generation: int
    """The one to go on with; 0 if there is nothing at all."""
    end: int
    """Where the next entry goes, counted from the beginning of its half."""
    whole: bool
    """Whether nothing that mattered was missing from this generation when it began."""
    events: Sequence[tuple[Kept, int, int]]
    """What nobody settled: the event, where its entry lies, and how long that is."""
    streams: Mapping[str, int]
    """Every stream there is word of, and up to which sequence it is settled."""
    damage: str


def read_content(data: bytes, half_bytes: int) -> Content:
    halves = [[*entries(data[n * half_bytes : (n + 1) * half_bytes])] for n in (0, 1)]
    sound = [[found for found in half if found.generation % 2 == n] for n, half in enumerate(halves)]
    generation, whole = _generation([*sound[0], *sound[1]])
    own = [found for found in sound[generation % 2] if found.generation == generation]
    events: dict[tuple[str, int], tuple[Kept, int, int]] = {}
    settled: list[Settled] = []
    for around in (generation - 1, generation, generation + 1):
        for found in sound[around % 2]:
            if found.generation == around:
                _sort(found, around % 2 * half_bytes, events, settled)
    streams = _streams(events, settled)
    return Content(
        generation,
        max((found.end for found in own), default=0),
        whole,
        _unsettled(events, settled, streams),
        streams,
        _damage(own),
    )


def _generation(found: Sequence[Found]) -> tuple[int, bool]:
    """The newest whole one. One beyond it that was never finished holds copies alone; if it has events of its own, its
    `Whole` was damaged.
    """
    newest = max((f.generation for f in found), default=0)
    whole = max((f.generation for f in found if isinstance(f.entry, Whole)), default=0)
    earlier = {f.entry.name for f in found if f.generation < newest and isinstance(f.entry, Kept)}
    own = {f.entry.name for f in found if f.generation == newest and isinstance(f.entry, Kept)}
    if newest == whole or (own <= earlier and newest == whole + 1):
        return whole, whole > 0
    return newest, False


def _sort(
    found: Found, base: int, events: dict[tuple[str, int], tuple[Kept, int, int]], settled: list[Settled]
) -> None:
    match found.entry:
        case Kept() as kept:
            events[kept.name] = (kept, base + found.offset, found.end - found.offset)
        case Settled() as ranges:
            settled.append(ranges)
        case Whole():
            pass


def _unsettled(
    events: Mapping[tuple[str, int], tuple[Kept, int, int]], settled: Sequence[Settled], streams: Mapping[str, int]
) -> list[tuple[Kept, int, int]]:
    apart: dict[str, list[Settled]] = {}  # a few; those from 1 on are thousands and in `streams`
    for one in settled:
        if one.first > 1:
            apart.setdefault(one.stream, []).append(one)
    left = [
        event
        for (stream, sequence), event in events.items()
        if sequence > streams[stream] and not any(r.first <= sequence <= r.last for r in apart.get(stream, ()))
    ]
    return sorted(left, key=lambda event: event[0].row)


def _streams(events: Mapping[tuple[str, int], object], settled: Sequence[Settled]) -> dict[str, int]:
    streams = {stream: 0 for stream, _ in events}
    for one in settled:
        streams[one.stream] = max(streams.get(one.stream, 0), one.last if one.first == 1 else 0)
    return streams


def _damage(own: Sequence[Found]) -> str:
    at = 0
    for found in own:
        if found.offset != at:
            return f"{found.offset - at} bytes at {at} are no entry"
        at = found.end
    return ""
