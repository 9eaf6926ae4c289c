"""What the judge wants done. The shell carries it out; its result comes back as an observation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ShapeFor:
    """Set the shapers to this link's rates times `factor`, below 1 while its queue is bloated (T1)."""

    link: str
    factor: float


class Pace(StrEnum):
    CALM = "calm"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class ProbeAt:
    """Probe this link at this pace; suspicion quickens a prober on its own."""

    link: str
    pace: Pace


@dataclass(frozen=True, slots=True)
class ReportVia:
    """The connection to the NOC belongs on this link; None: all are dead, let the router find a way. If it is elsewhere
    it is made anew at once, without waiting for TCP or for the router.
    """

    link: str | None


@dataclass(frozen=True, slots=True)
class Leave:
    """What edged's own measurements may put on this link now. Withdrawn leave ends what is under way."""

    link: str
    trains: bool
    ramps: bool


class Errand(StrEnum):
    """Something to find out about a line."""

    DIAGNOSE = "diagnose"  # walk the path
    PROVE = "prove"  # by which door it leaves
    TRAIN = "train"  # capacity by packet trains
    RAMP = "ramp"  # capacity by a rising load


@dataclass(frozen=True, slots=True)
class Run:
    """Find this out now; the result comes back as a reading."""

    errand: Errand
    link: str


Effect: TypeAlias = ShapeFor | ProbeAt | ReportVia | Leave | Run
