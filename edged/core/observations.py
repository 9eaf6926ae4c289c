"""Everything the judge can be told. Instruments send their readings; the rest is defined here.

What a person does at the CLI, what a command asks, what an action did and that time passed are facts like any other.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from edged.core.effects import Errand
from probes.line_reading import CapacityReading, ExitReading, MeasureFailed, PathReading, StandbyReading
from probes.reading import LinkReading, MediaReading, MobileReading, PhoneReading
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
    protocol: str = ""
    """Version and hash of the containment protocol in force: "2026-11 0123456789abcdef"."""


class Act(StrEnum):
    """What the technologist (or an authorised person) attests or does. Two seconds of work each."""

    SESSION_REQUESTED = "session_requested"  # a radiologist is asked for: the response time begins (E2)
    SESSION_JOINED = "session_joined"  # the radiologist is there: supervision begins
    SESSION_OPENED = "session_opened"  # joined, and nobody told when it was requested
    CONTRAST_STARTED = "contrast_started"
    CONTRAST_ENDED = "contrast_ended"  # the monitoring window begins (rule 15)
    MONITORING_ENDED = "monitoring_ended"
    SESSION_CLOSED = "session_closed"
    ESCALATED = "escalated"  # a late response was escalated, and this documents it (E2, rule 13)

    CONTINUITY_CONFIRMED = "continuity_confirmed"  # verbal confirmation that supervision continues (T2)
    PHONE_CONFIRMED = "phone_confirmed"  # the radiologist answered the direct line (T3)
    PHONE_FAILED = "phone_failed"  # nobody reached by phone (T4 at once)
    MOBILE_UP = "mobile_up"  # the session goes on over the mobile workstation (C3)
    ONSITE_PRESENT = "onsite_present"  # on-site supervision took over
    ACKNOWLEDGED = "acknowledged"

    HELD = "held"  # contrast was held back (E6)
    HALTED = "halted"
    RESCHEDULED = "rescheduled"
    REACTION_MARKED = "reaction_marked"  # an opaque marker of another system, so that it can ask how the line was (E5)

    DRILL_STARTED = "drill_started"
    DRILL_ENDED = "drill_ended"
    DRILL_ABORTED = "drill_aborted"
    SHELVED = "shelved"  # an alarm, for a time
    UNSHELVED = "unshelved"


class Reason(StrEnum):
    """Why somebody acted: a code, never free text, so that nothing about a patient can get in."""

    PROCEDURE = "procedure"
    LINE_FAILED = "line_failed"
    DEGRADED = "degraded"
    EMERGENCY = "emergency"
    DRILL = "drill"
    MAINTENANCE = "maintenance"
    COVERAGE = "coverage"  # no radiologist was to be had
    SCHEDULING = "scheduling"
    CLINICAL = "clinical"
    NUISANCE = "nuisance"  # of an alarm that says nothing new
    NOC_COMMAND = "noc_command"  # a signed command of the NOC; nobody here can say so


@dataclass(frozen=True, slots=True)
class PersonActed:
    """An act through the control socket, or commanded by the NOC."""

    at_s: float
    act: Act
    actor: str
    """Local account name: who used the CLI, for the audit."""
    role: str
    reason: Reason
    session: str | None = None
    room: str | None = None
    """None: the room of that session, or the only one there can be meant."""
    subject: str | None = None
    """Of ACKNOWLEDGED, SHELVED, UNSHELVED: the alarm ("link.down fiber"); of REACTION_MARKED: the opaque marker."""
    for_s: float | None = None
    """Of SHELVED: how long."""


@dataclass(frozen=True, slots=True)
class PlatformSaid:
    """The supervision platform's own word on a session's media: it sees what no packet header tells. None: not said."""

    at_s: float
    room: str | None
    audio_to_room: bool | None
    audio_from_room: bool | None
    video_to_room: bool | None
    video_from_room: bool | None


@dataclass(frozen=True, slots=True)
class LedgerSealed:
    """The box signed the head of its record: what is recorded up to there cannot be changed without a trace."""

    at_s: float
    stream: str
    sequence: int
    row_hash: str
    """Of the newest row, hexadecimal."""
    key: str
    """Fingerprint."""
    public_key: str
    signature: str
    """Both base64; Ed25519, RFC 8032."""


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
    link: str | None = None
    """The link it is bound to; None: as the routing table says."""
    over_budget: bool = False
    """That link's monthly budget for reporting is used up: telemetry waits for another link or month."""


@dataclass(frozen=True, slots=True)
class RecordReading:
    """Whether what is judged also reaches the disk, and what had to make way. Counts are of this life of the daemon."""

    at_s: float
    durable: bool
    error: str | None
    evicted: int = 0
    """Events deleted that never reached anybody."""
    coalesced: int = 0
    """Tier events folded into a tombstone because their reserve was full."""
    reserve_pct: float = 0.0
    """How full the reserve for unacknowledged tier events is."""
    second_copy: bool = True
    """Whether tier events are on the disk twice."""
    low_space: bool = False
    """The disk has less room than the floor: the record keeps less than it may."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How good the wall clock is."""

    at_s: float
    quality: str
    """"synced", "holdover" or "unset"."""
    source: str = "kernel"
    """Who says so: "chrony" or "kernel"."""
    offset_s: float | None = None
    """How far the clock is believed to be off; None where nobody says."""
    error_s: float | None = None
    """And by how much it may be off at most."""
    leap: str = "none"
    """A leap second announced for the end of this UTC day: "none", "insert" or "delete"."""
    plausible: bool = True
    """False: it shows a time before this software was made, as a box does that boots without a clock (1970)."""


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock jumped against the monotonic one."""

    at_s: float
    by_s: float
    """Positive: forwards."""
    quality: str
    """Afterwards."""


@dataclass(frozen=True, slots=True)
class CertificateReading:
    """A certificate the line to the NOC lives on."""

    at_s: float
    which: str
    """"own", "ca" or "broker"."""
    days_left: float | None
    """Until it expires, negative once it has; None where it cannot be read."""
    error: str | None = None
    """Why a file in use was not exchanged for the one that lies there now, as a code: "unreadable", "no_key",
    "expired", "not_yet_valid".
    """


@dataclass(frozen=True, slots=True)
class Commanded:
    """A signed command of the NOC was looked at: carried out, or refused (H2, H3, H4)."""

    at_s: float
    id: str | None
    command: str | None
    key: str | None
    """Whose signature it carried."""
    role: str | None
    refused: str | None
    """The reason as a code; None if it was carried out."""
    repeated: bool = False
    count: int = 1
    """So many that are told as one."""


Observation: TypeAlias = (
    Tick
    | DaemonPhase
    | LinkReading
    | MediaReading
    | PhoneReading
    | MobileReading
    | PlatformSaid
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
    | ClockStepped
    | CertificateReading
    | Commanded
    | LedgerSealed
)
