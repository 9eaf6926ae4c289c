"""What the record says about itself: facts, frozen."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edged.core.events import Channel


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as it is kept and sent. (stream, sequence) names it for ever; `row` orders it on this box only."""

    row: int
    stream: str
    sequence: int
    channel: Channel
    tier: int
    body: bytes
    durable: bool
    """False while it is held in memory because the disk refused it."""


class DiskCause(StrEnum):
    NONE = "none"
    FULL = "full"
    IO = "io"  # the device or the file system failed
    CORRUPT = "corrupt"
    UNWRITABLE = "unwritable"  # no such directory, no permission, read-only


@dataclass(frozen=True, slots=True)
class Opening:
    """What was found on the disk."""

    stream: str
    fresh: bool
    set_aside: Path | None
    """Where a file went that could not be trusted; what it held is missing from this record."""
    cause: DiskCause


@dataclass(frozen=True, slots=True)
class Head:
    """How far one stream goes. The NOC has a gap if it holds less than `last`."""

    stream: str
    last: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """The state of the record after its latest operation."""

    durable: bool
    """Whether everything recorded so far is on the disk."""
    cause: DiskCause
    heads: tuple[Head, ...]
    """The last one is the stream being written."""
    pending_tier: int
    """Tier rows the NOC has not acknowledged."""
    pending_log: int
    """Log rows the broker has not taken."""
    in_memory: int
    kept_rows: int
    kept_bytes: int
    evicted: int
    """Log rows deleted unsent because the box was full, since this file began."""
    dropped: int
    """Events neither the disk nor memory had room for, since the daemon started."""
    set_aside: int
    """Files set aside as corrupt since the daemon started."""
    coalesced: int = 0
    """Tier events that made way for a tombstone because their reserve was full, since this file began."""
    reserve_pct: float = 0.0
    """How full the reserve for tier events is that the NOC has not acknowledged."""
    low_space: bool = False
    """The disk has less room than the floor: less is kept than may be."""
    journal: bool = True
    """Whether tier events also reach the journal, the second file that takes them when the disk is full."""
    rescued: int = 0
    """Tier events only the journal still had, since the daemon started."""
    grave: int = 0
    """Tier events of tier 3 or more, since the daemon started."""

    @property
    def stream(self) -> str:
        return self.heads[-1].stream

    @property
    def head(self) -> int:
        return self.heads[-1].last


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest row on the disk, and what the row after it must carry."""

    stream: str
    sequence: int
    row_hash: bytes
    is_checkpoint_of_the_row_before: bool
    """Whether it is no more than a signature under all there is before it."""


class Gone(StrEnum):
    """Why numbers of a stream can never be had again."""

    EVICTED = "evicted"  # made way: the box was full
    EXPIRED = "expired"  # too old to be of use
    COALESCED = "coalesced"  # one of many flaps, while the reserve for tier events was full; see `tiers`
    TORN = "torn"  # the file was damaged
    CRASH = "crash"  # never reached the disk


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What a consumer does not hold of sequences `first` to `last` will not come any more."""

    stream: str
    first: int
    last: int | None
    """None: to the end of the stream, wherever that was."""
    why: Gone
    tiers: tuple[tuple[int, int], ...] = ()
    """Of coalesced ones: how many events there were of each tier, (tier, events), ascending."""


class Acknowledgement(StrEnum):
    """What became of a watermark from the NOC."""

    APPLIED = "applied"
    REPEATED = "repeated"  # at or below the one we have
    UNKNOWN_STREAM = "unknown_stream"
    BEYOND_HEAD = "beyond_head"  # nothing of that number was ever recorded


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a stream, read again: what is still here, and where the next part begins (None at the end)."""

    rows: tuple[Recorded, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class KeptCommand:
    """A command of the NOC that was begun, so that it is never done twice, across restarts too."""

    id: str
    expires_wall_s: float
    """After this moment, seconds since 1970, the command is refused for its age and need not be known any more."""
    answer: bytes | None
    """None: begun, its end unknown."""
