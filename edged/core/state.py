"""All the judge remembers. Frozen: a step makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edged.core.effects import Leave, Pace, Run
from edged.core.latch import Latch
from edged.core.line import LineState
from edged.core.observations import Act, CertificateReading, ClockReading, RecordReading, UplinkReading
from probes.reading import LinkReading, MediaReading, PhoneReading
from qos.reading import ShaperReading
from ups.reading import UpsReading
from wan.reading import RouterReading


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link as judged: its last reading and the window of rule 3."""

    reading: LinkReading
    rtts_s: tuple[float, ...] = ()
    """Median round trips of the last one-second readings, newest last."""


@dataclass(frozen=True, slots=True)
class Failover:
    """The last time the traffic moved between links, until it has settled (rule 4). Failback counts alike."""

    at_s: float
    previous: str
    active: str


@dataclass(frozen=True, slots=True)
class Session:
    """A supervised procedure, by its opaque id."""

    id: str
    opened_s: float


@dataclass(frozen=True, slots=True)
class State:
    started_s: float
    links: Mapping[str, LinkState] = field(default_factory=dict)
    lines: Mapping[str, LineState] = field(default_factory=dict)
    media: MediaReading | None = None
    phone: PhoneReading | None = None
    router: RouterReading | None = None
    ups: Mapping[str, UpsReading] = field(default_factory=dict)
    shapers: Mapping[str, ShaperReading] = field(default_factory=dict)
    uplink: UplinkReading | None = None
    record: RecordReading | None = None
    clock: ClockReading | None = None
    certificates: Mapping[str, CertificateReading] = field(default_factory=dict)
    """By which: "own", "ca", "broker"."""
    seen_s: Mapping[str, float] = field(default_factory=dict)
    """When each source last told something."""

    session: Session | None = None
    acted_s: Mapping[Act, float] = field(default_factory=dict)
    """When somebody last did each act: an attestation counts for what began before it."""
    carrier: str | None = None
    """The link that last carried the traffic, as far as the router said."""
    failover: Failover | None = None
    av_lost_s: float | None = None
    """Since when a session is without live audio and video: the onset that rule 8 counts from."""
    all_down_s: float | None = None
    """Since when every link is down."""

    tiers: Mapping[str, Latch] = field(default_factory=dict)
    """Latch of each row of the containment table."""
    tier: int = 0
    tier_since_s: float = 0.0
    av_compliant: bool | None = None
    conditions: Mapping[tuple[str, str], Latch] = field(default_factory=dict)
    """Latch of each (condition, subject)."""
    shaped: tuple[str, float] | None = None
    """The (link, factor) last asked of the shapers."""
    reported_via: str | None = None
    """The link the connection to the NOC was last asked to take."""
    paced: Mapping[str, Pace] = field(default_factory=dict)
    wanted: tuple[Run, ...] = ()
    """Errands accepted in this step; the step's effects take them."""
    diagnosed_s: Mapping[str, float] = field(default_factory=dict)
    """When each link's path was last looked at after a verdict."""
    leave: Mapping[str, Leave] = field(default_factory=dict)
    """What each link's own measurements were last allowed."""
