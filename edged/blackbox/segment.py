"""What a segment is: a file that can be replayed alone. Lines of JSON in one zlib stream (RFC 1950), in this order:

    {"black_box":2,"software":"0.1.0"}
    {"class":"Tick","fields":["at_s"]}       before a class is first used
    ["Header",…]                             how the judge stood when the segment began
    [now,observation]                        a step that decided nothing
    [now,observation,[[name,digest],…]]      the events it made
    [now,observation,null]                   the judge failed
    {"sum":"89abcdef"}                       at each flush: CRC-32 of the text since the one before
    {"end":N}                                after N steps, if the segment was ended in order

Numbers in file names only count up; times are monotonic seconds, and the header ties them to the wall clock.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.core.events import Event
from edged.core.plan import Plan
from edged.core.state import State
from edged.record.canonical import canonical

FORMAT = 2
SUFFIX = ".blackbox"


@dataclass(frozen=True, slots=True)
class Lost:
    """What this life has not recorded so far."""

    why: str
    """The last time: "disk" (it refused), "slow" (it did not keep up), "unspelled" (something has no spelling)."""
    error: str
    """Of the last time: the disk's own word, "ENOSPC", or the class that has no spelling; else ""."""
    steps: int
    """Of the judge, altogether."""


@dataclass(frozen=True, slots=True)
class Header:
    software: str
    config_hash: str
    protocol_hash: str
    boot_id: str
    life: str
    """Random, one for each run of the daemon with one configuration."""
    part: int
    """Of that life, from 0; a segment continues the part before it if nothing was lost in between."""
    wall_s: float
    """Seconds since 1970, as good as the clock was …"""
    now_s: float
    """… at this monotonic time."""
    lost: Lost | None
    plan: Plan
    state: State


def digest(event: Event) -> str:
    """The first 128 bits of SHA-256 over the canonical JSON (RFC 8785) of all there is to an event, hexadecimal.

    Raises RecordMisused for an event that JSON cannot say.
    """
    told = canonical([event.channel.value, event.name, event.tier, event.at_s, event.data])
    return hashlib.sha256(told).hexdigest()[:32]


def decisions(events: Sequence[Event]) -> list[tuple[str, str]]:
    return [(event.name, digest(event)) for event in events]


def sum_line(text: bytes | bytearray) -> bytes:
    """What follows this text on the disk: without an end nothing else tells a changed digit from a recorded one."""
    return b'{"sum":"%08x"}\n' % zlib.crc32(text)


def segments(directory: Path) -> Iterator[tuple[int, Path]]:
    """Number and path, oldest first. Raises OSError."""
    found = [(path.stem, path) for path in directory.iterdir() if path.suffix == SUFFIX]
    yield from sorted((int(stem), path) for stem, path in found if stem.isascii() and stem.isdecimal())


def path_of(directory: Path, number: int) -> Path:
    return directory / f"{number:08d}{SUFFIX}"
