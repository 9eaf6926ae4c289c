"""Everything the judge can be told. Instruments send their readings; the rest is defined here.

What a person does at the CLI, what a command asks, what an action did and that time passed are facts like any other.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from edged.core.effects import Errand
from probes.line_reading import CapacityReading, ExitReading, MeasureFailed, PathReading, StandbyReading
from probes.reading import LinkReading, MediaReading, PhoneReading
from qos.reading import ShaperReading
from ups.reading import UpsReading
from wan.reading import ActiveWanChanged, RouterReading


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed. Sent several times a second, so that silence is judged too."""

    at_s: float


class Phase(StrEnum):
    STARTED = "started"
    RELOADING = "reloading"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class DaemonPhase:
    """The daemon's own comings and goings: between two of them nobody watched."""

    at_s: float
    phase: Phase
    version: str
    config_hash: str
    record: str
    """What was found on the disk: "continued", "fresh", or "set_aside" (a file that could not be trusted)."""


class Act(StrEnum):
    """What the technologist (or an authorised person) attests or does. Two seconds of work each."""

    SESSION_OPENED = "session_opened"
    SESSION_CLOSED = "session_closed"
    CONTINUITY_CONFIRMED = "continuity_confirmed"  # verbal confirmation that supervision continues (T2)
    PHONE_CONFIRMED = "phone_confirmed"  # the radiologist answered the direct line (T3)
    PHONE_FAILED = "phone_failed"  # nobody reached by phone (T4 at once)
    ONSITE_PRESENT = "onsite_present"  # on-site supervision took over
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class PersonActed:
    """An act through the control socket; `reason` is a code from the protocol, never free text."""

    at_s: float
    act: Act
    actor: str
    """Local account name: who used the CLI, for the audit."""
    role: str
    reason: str
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants to know something about a line."""

    at_s: float
    errand: Errand
    link: str
    actor: str
    role: str


@dataclass(frozen=True, slots=True)
class AccessRefused:
    """Somebody asked for what their role does not allow (H4)."""

    at_s: float
    actor: str
    role: str
    asked: str


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """An instrument broke and is being restarted."""

    at_s: float
    source: str
    error: str
    """The error's class name: a code, not its text."""
    failures: int


@dataclass(frozen=True, slots=True)
class UplinkReading:
    """The line to the NOC's broker."""

    at_s: float
    connected: bool
    since_s: float
    error: str | None


@dataclass(frozen=True, slots=True)
class RecordReading:
    """Whether what is judged also reaches the disk."""

    at_s: float
    durable: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class ClockReading:
    at_s: float
    quality: str


Observation: TypeAlias = (
    Tick
    | DaemonPhase
    | LinkReading
    | MediaReading
    | PhoneReading
    | UpsReading
    | RouterReading
    | ActiveWanChanged
    | ShaperReading
    | PersonActed
    | Asked
    | CapacityReading
    | MeasureFailed
    | ExitReading
    | StandbyReading
    | PathReading
    | AccessRefused
    | SourceFailed
    | UplinkReading
    | RecordReading
    | ClockReading
)
