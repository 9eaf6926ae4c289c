"""What the backlog says and is told: facts, frozen."""

from dataclasses import dataclass

from edged.record.envelope import Stamp
from edged.record.recorded import DiskCause


@dataclass(frozen=True, slots=True)
class Measurement:
    """One telemetry message; (stream, sequence) names it for ever."""

    kind: str
    stream: str
    sequence: int
    at: Stamp
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Several measurements of one stream, as they lie on the disk and travel in `hist`."""

    number: int
    """Names it for `settled`; never the same twice in a life of the daemon."""
    messages: int
    body: bytes
    """Deflated, see `edged.record.batch`."""


@dataclass(frozen=True, slots=True)
class BacklogStatus:
    """As of the latest operation. Counts of messages are since the daemon started."""

    waiting: int
    """Messages in memory: not sent yet, or sent and unanswered."""
    batches: int
    """Batches on the disk."""
    file_bytes: int
    """Of the file and its write-ahead log."""
    downsampled: int
    """Messages now told coarser, as part of one that stands for several."""
    evicted: int
    """Messages nobody took that made way, or became too old."""
    lost: int
    """Messages in a file that turned out to be corrupt, as far as is known: see `torn`."""
    durable: bool
    """Whether the disk took what was last given to it; if not, it is in memory and offered again."""
    torn: int = 0
    """Files deleted as corrupt."""
    cause: DiskCause = DiskCause.NONE
