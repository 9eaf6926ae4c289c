"""What the judge knows of this site before anything happens: roles, thresholds, dwells. Made once from the config."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edged.core.latch import Dwell
from edged.core.protocol import DEFAULT, Protocol


class LinkRole(StrEnum):
    PRIMARY = "primary"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class LinkPlan:
    name: str
    role: LinkRole
    provider: str | None = None
    wan: str | None = None
    """The router's index of the WAN this link is, as text; None without a router."""
    up_bps: float | None = None
    down_bps: float | None = None
    """As configured; None where they are not."""
    measurable: bool = False
    """Whether a far end for capacity measurements is configured."""
    proven: bool = False
    """Whether its exit is looked at."""
    standby: bool = False
    """Whether its fitness as a standby is proven."""
    mcc_mnc: str | None = None
    """Of a cellular link: the network it is on, "310-260" (ITU-T E.212)."""
    asn: int | None = None
    """Autonomous system it leaves by, where known."""

    @property
    def shaped(self) -> bool:
        """Whether its rates are configured, so that the shapers can follow it."""
        return self.up_bps is not None and self.down_bps is not None


@dataclass(frozen=True, slots=True)
class UpsPlan:
    name: str
    priority: str
    """What it feeds: "network" or "workstation"."""
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhonePlan:
    """What a direct phone line shares with the lines it is a fallback for (rule 12)."""

    rides_on: tuple[str, ...] = ()
    """Links its calls travel on; none: a line of its own."""
    fed_by: tuple[str, ...] = ()
    """UPSes its adapter, switch and PBX hang on."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Numbers of REQUIREMENTS.md, rules 3, 4, 6 and 8. Seconds and percent."""

    spike_rtt_s: float = 0.150
    spike_samples: int = 3
    spike_window: int = 5
    calm_rtt_p95_s: float = 0.120
    media_loss_pct: float = 5.0
    least_frame_rate_hz: float = 5.0
    """Below it motion cannot be followed: the video is degraded (T1)."""
    failover_grace_s: float = 15.0
    confirm_within_s: float = 30.0
    phone_within_s: float = 120.0
    mobile_within_s: float = 120.0
    """C3 and rule 11: the session is back over the mobile workstation."""
    answer_best_s: float = 30.0
    answer_acceptable_s: float = 60.0
    answer_late_s: float = 90.0
    """E2 and rule 13: classes of the time from the request to the radiologist's joining."""
    drill_within_s: float = 900.0
    """A drill nobody ended is over: the primary line must not stay unplugged because somebody went home."""
    blind_after_s: float = 10.0
    """A source that told nothing for so long is blind; several times the slowest source's period."""
    relieved_shaping: float = 0.85
    """Share of the link's rate the shapers use while latency spikes (T1 adjusts QoS by itself)."""
    single_session_bps: float = 5e6
    further_session_bps: float = 10e6
    """Rule 1: one session needs 5 Mbit/s each way, n of them 10·n."""
    session_headroom: float = 1.2


DEFAULT_DWELLS: Mapping[int, Dwell] = {
    1: Dwell(raise_s=3.0, clear_s=30.0),
    2: Dwell(raise_s=1.0, clear_s=60.0),
    3: Dwell(raise_s=3.0, clear_s=30.0),
    4: Dwell(raise_s=0.0, clear_s=0.0),
}


@dataclass(frozen=True, slots=True)
class Plan:
    links: tuple[LinkPlan, ...]
    ups: tuple[UpsPlan, ...] = ()
    has_router: bool = False
    has_media: bool = False
    has_phone: bool = False
    """A direct phone line of the whole site."""
    phones: Mapping[str, PhonePlan] = field(default_factory=dict)
    """By room, "" for the site's only one; what is known of what they share."""
    has_mobile: bool = False
    has_broker: bool = False
    certificates: tuple[str, ...] = ()
    """Those the line to the NOC lives on: "own", "ca", "broker"."""
    shapers: tuple[str, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    dwells: Mapping[int, Dwell] = field(default_factory=lambda: dict(DEFAULT_DWELLS))
    rooms: tuple[str, ...] = ("room",)
    """Procedure rooms behind this box; at least one."""
    protocol: Protocol = DEFAULT

    def link_of_wan(self, wan: str | None) -> str | None:
        """The link behind a router's WAN index; None if the router did not say or the config does not map it."""
        return next((link.name for link in self.links if wan is not None and link.wan == wan), None)

    def link(self, name: str) -> LinkPlan:
        return next(link for link in self.links if link.name == name)

    @property
    def primary(self) -> LinkPlan:
        return next((link for link in self.links if link.role is LinkRole.PRIMARY), self.links[0])

    def phone_line(self, room: str) -> str | None:
        """Which phone line is the room's, by the name its readings carry: "" is everybody's; None: there is none."""
        return room if room in self.phones else ("" if self.has_phone else None)

    def unwatched(self) -> tuple[str, ...]:
        """Organs of the house this config leaves out, so that status can say so."""
        parts = {
            "backup link": len(self.links) > 1,
            "router": self.has_router,
            "ups": bool(self.ups),
            "media": self.has_media,
            "phone": self.has_phone,
            "mobile": self.has_mobile,
            "qos": bool(self.shapers),
            "broker": self.has_broker,
        }
        return tuple(name for name, there in parts.items() if not there)
