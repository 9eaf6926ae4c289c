"""What is found out about a line beside whether it lives: capacity, exit, fitness as a standby, and where a path dies.
Facts, frozen, with their units in the name.

Every `at_s` is seconds on the monotonic clock given. `None` is not known, never zero or good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from probes.reading import Direction

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Method(StrEnum):
    """How a capacity was found, from the cheapest to the dearest."""

    PASSIVE = "passive"  # users saturated the line (delay says so), and the counters said how much it carried
    TRAIN = "train"  # a few back-to-back packets, and how far apart they came out
    RAMP = "ramp"  # a rising load until delay or loss says "full" (after ITU-T Y.1540 annex B, TR-471)


@dataclass(frozen=True, slots=True)
class CapacityReading:
    """IP-layer capacity (RFC 5136) of one direction of a link."""

    link: str
    at_s: float
    direction: Direction
    method: Method
    rate_bps: float
    low_bps: float
    high_bps: float
    """The truth lies between `low_bps` and `high_bps` …"""
    confidence: float
    """… with this probability, 0 to 1."""
    spent_bytes: int
    """What finding out cost, both directions."""


class MeasureTrouble(StrEnum):
    NO_ANSWER = "no_answer"
    NOT_AUTHORISED = "not_authorised"
    NO_ROUTE = "no_route"  # the kernel would not send
    USERS_HURT = "users_hurt"  # stopped: somebody needed the line, or its delay rose
    TOO_NOISY = "too_noisy"  # measured, and the figure would mean nothing
    OVER_BUDGET = "over_budget"


@dataclass(frozen=True, slots=True)
class MeasureFailed:
    link: str
    at_s: float
    direction: Direction
    method: Method
    why: MeasureTrouble
    spent_bytes: int


@dataclass(frozen=True, slots=True)
class ExitReading:
    """By which door a link leaves: what a STUN server saw, and the first routers on the way."""

    link: str
    at_s: float
    mapped: str | None
    """Our address as the far side sees it (RFC 8489 XOR-MAPPED-ADDRESS), without the port."""
    hops: tuple[str | None, ...]
    """Routers from the nearest on; None for one that does not answer."""


@dataclass(frozen=True, slots=True)
class StandbyReading:
    """Whether a link that carries nothing now could carry a session: proven, and when."""

    link: str
    at_s: float
    mtu_bytes: int | None
    """Largest IP packet that crossed both ways unfragmented."""
    dscp_sent: int | None
    dscp_arrived: int | None
    """The code point of real-time media as the far side received it."""
    up_bps: float | None
    down_bps: float | None
    proven_s: float | None
    """When all of it was last found out; its age is what counts."""
    fit: bool | None
    """None: never found out."""
    lacks: tuple[str, ...]
    """Codes: "mtu", "dscp", "up_rate", "down_rate", "no_answer", "stale"."""


class DiesAt(StrEnum):
    NOWHERE = "nowhere"  # the target answers
    LAN = "lan"  # not even the router answers
    ROUTER = "router"  # the router answers, nothing behind it
    PROVIDER = "provider"
    FAR_END = "far_end"  # its neighbours answer, the target does not
    UNKNOWN = "unknown"  # the diagnosis itself failed


@dataclass(frozen=True, slots=True)
class PathReading:
    """One finished diagnosis of a link's path."""

    link: str
    at_s: float
    target: str
    dies_at: DiesAt
    last_hop: str | None
    """The last router that answered."""
    dscp_changed_at: str | None
    """The hop from which on the code point was no longer what was sent; None: kept, or not found out."""
    mtu_bytes: int | None
    trouble: str | None
    """Why there is no diagnosis, as a code: "no_scapy", "not_permitted", "timed_out", "crashed"; None: there is one."""
    document: Mapping[str, Json]
    """The whole result as it is attached to the incident."""


LineReading: TypeAlias = CapacityReading | MeasureFailed | ExitReading | StandbyReading | PathReading
