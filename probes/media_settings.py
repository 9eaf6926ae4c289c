"""What the media observer may be told: where the room ends, where the platform is, which packets are which medium.

`ports` and `payload_types` are hints. A packet matches a medium's hint if its port on the platform's side is one of
`ports` and its RTP payload type one of `payload_types`; an empty list means "any", two empty ones are no hint. What
matches is known at once; all else is told by its RTP clock. No packet may match two media: two hints must not overlap.
Where every medium has ports, by its own or `platform_ports`, only those are looked at.
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import product
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from probes.packets.bpf import PortRange
from probes.reading import Medium


def _port_range(value: Any) -> Any:
    """`5004` or `"8801-8810"`, both ends included."""
    if isinstance(value, PortRange):
        return value
    first, dash, last = str(value).partition("-")
    if isinstance(value, bool) or not first.strip().isdecimal() or (dash and not last.strip().isdecimal()):
        raise ValueError(f"{value!r} is neither a port (5004) nor a range of ports (8801-8810)")
    ends = PortRange(int(first), int(last) if dash else int(first))
    if not 1 <= ends.first <= ends.last <= 65535:
        raise ValueError(f"{value!r}: ports go from 1 to 65535, the lower one first")
    return ends


def _network(value: Any) -> Any:
    """Our own look first: a union of two address families complains once per family otherwise."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no network such as 10.77.0.0/24: {error}") from error


def _as_text(ports: PortRange) -> str:
    return f"{ports.first}-{ports.last}" if ports.last > ports.first else str(ports.first)


# 16 of each make a filter of 860 instructions: what a Debian 12 kernel takes (net.core.optmem_max 20,480 bytes).
Ports = Annotated[PortRange, BeforeValidator(_port_range), PlainSerializer(_as_text)]
PortList = Annotated[tuple[Ports, ...], Field(max_length=16)]
PayloadType = Annotated[int, Field(ge=0, le=127)]
SiteNetwork = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
NetworkList = Annotated[tuple[SiteNetwork, ...], Field(max_length=16)]


class MediumSettings(BaseModel):
    """How packets of one medium are known, and how long none may come before it counts as gone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ports: PortList = ()
    """The platform's UDP ports of this medium; empty: any of `platform_ports`, or any at all."""
    payload_types: Annotated[tuple[PayloadType, ...], Field(max_length=128)] = ()
    """RTP payload types of this medium; empty: any."""
    silence_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    """Silence after which the medium is no longer live. Opus in DTX still sends every 0.4 s, paused video does not. Of
    video it is the time without a new frame, whatever else comes."""

    @property
    def is_hinted(self) -> bool:
        return bool(self.ports or self.payload_types)


class MediaSettings(BaseModel):
    """The passive observer of the supervision session on the box's in-line interface."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interface: Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[^/\s]+$")]
    """The in-line interface towards the room (a bridge port is right: it sees both directions once)."""
    room_networks: NetworkList = ()
    """Addresses of the room as seen on that interface. Source in here and destination not: from the room. Empty where
    the rooms of a site are told otherwise."""
    platform_networks: NetworkList = ()
    """Addresses of the supervision platform; empty: any outside the room."""
    platform_ports: PortList = ()
    """UDP ports of the platform, for media that name none of their own; empty: any."""
    audio: MediumSettings = MediumSettings()
    video: MediumSettings = MediumSettings()
    forget_s: Annotated[float, Field(ge=10, le=86400)] = 3600.0
    """Silence after which a medium is unknown again: the session is over, nobody misses it."""

    @property
    def media(self) -> tuple[tuple[Medium, MediumSettings], ...]:
        return ((Medium.AUDIO, self.audio), (Medium.VIDEO, self.video))

    def medium_of(self, platform_port: int, payload_type: int) -> Medium | None:
        """The medium whose hint a packet matches with this port on the platform's side; None where it matches none."""
        for name, medium in self.media:
            ports = medium.ports or self.platform_ports
            ports_match = not ports or any(platform_port in few for few in ports)
            types_match = not medium.payload_types or payload_type in medium.payload_types
            if medium.is_hinted and ports_match and types_match:
                return name
        return None

    def filter_ports(self) -> tuple[PortRange, ...]:
        """Every platform port that is looked at, without repetition; none: all.

        The one after a range is, too: media in clear hardly ever share their port with their reports (RFC 3550, 11).
        """
        ports = [medium.ports or self.platform_ports for _, medium in self.media]
        if not all(ports):
            return ()
        return tuple(dict.fromkeys(PortRange(few.first, min(few.last + 1, 65535)) for each in ports for few in each))

    @model_validator(mode="after")
    def _silence_ends_before_it_is_forgotten(self) -> Self:
        for name, medium in self.media:
            if medium.silence_s >= self.forget_s:
                raise ValueError(f"{name}.silence_s must be shorter than forget_s ({self.forget_s:g} s)")
        return self

    @model_validator(mode="after")
    def _no_packet_is_of_two_media(self) -> Self:
        if not (self.audio.is_hinted and self.video.is_hinted):
            return self
        audio, video = (set(m.payload_types) or set(range(128)) for _, m in self.media)
        every = (PortRange(1, 65535),)
        pairs = product(*(medium.ports or self.platform_ports or every for _, medium in self.media))
        if audio & video and any(a.first <= v.last and v.first <= a.last for a, v in pairs):
            raise ValueError("audio and video claim the same packets: tell them apart by ports or by payload_types")
        return self
