"""All the judge remembers. Frozen: a step makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edged.core.alarm_state import NO_ALARMS, Alarms
from edged.core.effects import Leave, Pace, Run
from edged.core.incident_state import NO_INCIDENTS, Incidents
from edged.core.latch import Latch
from edged.core.line import LineState
from edged.core.observations import CertificateReading, ClockReading, DaemonPhase, RecordReading, UplinkReading
from edged.core.rooms import RoomState, Session
from probes.reading import LinkReading, MobileReading, PhoneReading
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
    drill: bool = False
    """Made on purpose, or the way back from that."""


@dataclass(frozen=True, slots=True)
class Drill:
    """The primary line is, or was, taken offline on purpose (D1). It is over once that line carries again."""

    started_s: float
    over: bool = False
    """Ended, aborted, or out of time: the primary must come back."""
    real: bool = False
    """It became an outage that nobody made: what follows is no drill."""


def is_made_by_drill(state: "State") -> bool:
    """What happens to the traffic now is a drill's: it is on, or it made the failover that has not settled yet."""
    if state.drill is not None and (state.drill.real or not state.drill.over):
        return not state.drill.real
    return state.failover is not None and state.failover.drill


def is_drilled(state: "State") -> bool:
    """A drill took the primary line offline, and that is all that is wrong with it, until it is back."""
    return state.drill is not None and not state.drill.real


@dataclass(frozen=True, slots=True)
class State:
    started_s: float
    links: Mapping[str, LinkState] = field(default_factory=dict)
    lines: Mapping[str, LineState] = field(default_factory=dict)
    phones: Mapping[str, PhoneReading] = field(default_factory=dict)
    """By room, "" for the site's only line."""
    mobile: MobileReading | None = None
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

    daemon: DaemonPhase | None = None
    """What this life of the daemon runs as."""
    rooms: Mapping[str, RoomState] = field(default_factory=dict)
    carrier: str | None = None
    """The link that last carried the traffic, as far as the router said."""
    failover: Failover | None = None
    all_down_s: float | None = None
    """Since when every link is down."""

    drill: Drill | None = None
    tally: Mapping[str, int] = field(default_factory=dict)
    """Requests, answers by class, holds, halts, reschedules by cause: counted for as long as the record lives (E6)."""
    incidents: Incidents = NO_INCIDENTS
    alarms: Alarms = NO_ALARMS
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

    @property
    def tier(self) -> int:
        """The site's: the highest of its rooms."""
        return max((room.tier for room in self.rooms.values()), default=0)

    @property
    def leading_room(self) -> str | None:
        """The room whose tier is in force: of the highest, the one that entered it first."""
        return min(self.rooms, key=lambda name: (-self.rooms[name].tier, self.rooms[name].tier_since_s), default=None)

    @property
    def session(self) -> Session | None:
        """The first there is: for what only asks whether anything is going on."""
        return next((room.session for room in self.rooms.values() if room.session), None)

    def room(self, name: str) -> RoomState:
        return self.rooms.get(name, NOTHING_YET)

    def with_room(self, name: str, room: RoomState) -> "State":
        return replace(self, rooms={**self.rooms, name: room})

    def counted(self, *what: str) -> "State":
        return replace(self, tally={**self.tally, **{each: self.tally.get(each, 0) + 1 for each in what}})


NOTHING_YET = RoomState()
