"""What the judge remembers of one procedure room: its session, what people attested, its media, its tier."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edged.core.latch import Latch
from edged.core.observations import Act, PlatformSaid
from edged.core.phase import Phase
from probes.reading import MediaReading


@dataclass(frozen=True, slots=True)
class Session:
    """A supervised procedure, by its opaque id. Supervision is from `joined_s` on."""

    id: str
    opened_s: float
    """When it was first heard of."""
    requested_s: float | None = None
    """When a radiologist was asked for; None: nobody said."""
    joined_s: float | None = None
    phase: Phase = Phase.PRE
    escalated: bool = False
    unanswered: bool = False
    """The request has waited longer than any class of E2 allows."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline that runs, was met, or was missed. It is forgotten when what started it is over."""

    started_s: float
    due_s: float
    met: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """The seconds of a session that were not told yet: one letter a second and lane."""

    second: int
    """The whole second being looked at."""
    looked_s: float
    """When it was last looked at."""
    worst: str | None = None
    """Of that second so far, a letter a lane; None: not looked at yet."""
    lanes: tuple[str, ...] = ()
    """Of the whole seconds before it: a word a second, a letter a lane."""
    tiers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomState:
    session: Session | None = None
    last_session: str | None = None
    """The id of the one closed last: closing it again is no mistake."""
    last_phase: Phase = Phase.PRE
    """Where that one stood when it was closed."""
    acted_s: Mapping[Act, float] = field(default_factory=dict)
    """When somebody last did each act: an attestation counts for what began before it."""
    media: MediaReading | None = None
    platform: PlatformSaid | None = None
    undirected_s: float | None = None
    """Since when nobody can direct the technologist over the line: the onset that rule 8 counts from."""
    timers: Mapping[str, Timer] = field(default_factory=dict)
    band: Band | None = None

    tiers: Mapping[str, Latch] = field(default_factory=dict)
    """Latch of each row of the containment table."""
    tier: int = 0
    tier_since_s: float = 0.0
    demanded: str | None = None
    """The row whose response was told last."""
    av_compliant: bool | None = None

    @property
    def supervised(self) -> bool:
        """A radiologist has joined and not left."""
        return self.session is not None and self.session.joined_s is not None

    def is_up(self, row: str) -> bool:
        return row in self.tiers and self.tiers[row].raised
