"""What traffic control on one in-line interface is doing."""

from dataclasses import dataclass
from enum import StrEnum


class ShaperState(StrEnum):
    OFF = "off"
    ACTIVE = "active"  # applied, read back, found as planned
    DRIFTED = "drifted"  # somebody changed it; being re-applied
    FAILED = "failed"  # the kernel refused


class ShaperCause(StrEnum):
    NONE = "none"
    NO_INTERFACE = "no_interface"
    NO_PERMISSION = "no_permission"
    NO_KERNEL_SUPPORT = "no_kernel_support"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ClassReading:
    """Counters of one priority class since it was applied; `rate_bps` between the last two readings."""

    name: str
    packets: int
    bytes: int
    drops: int
    backlog_bytes: int
    rate_bps: float | None


@dataclass(frozen=True, slots=True)
class ShaperReading:
    interface: str
    direction: str
    """"up" (towards the router) or "down" (towards the room)."""
    at_s: float
    state: ShaperState
    cause: ShaperCause
    leaf: str | None
    """The queue of each class, as the kernel offered: "cake", "fq_codel" or "bfifo"."""
    rate_bps: int | None
    """Shaped rate: the link's own figure less the margin. None while nothing is shaped."""
    classes: tuple[ClassReading, ...]
