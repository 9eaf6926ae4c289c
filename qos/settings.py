"""What the site says about traffic: in-line interfaces, and what belongs to each of the four classes.

Port rules are looked at before DSCP: an address and a port written down here are known, a code point is only the
packet's own claim. So a sender of images named in `p3` stays there even if it marks its packets EF.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from qos.dscp import code_point

Direction = Literal["up", "down"]
"""Where an interface sends: "up" towards the router, "down" towards the room."""
Side = Literal["platform", "room"]
CLASS_NAMES = ("p1", "p2", "p3", "p4")

# One range becomes at most 30 filters for each version of IP, and both versions share the list for tagged frames: 16
# rules in each of four classes stay below the 4095 nodes u32 can number.
_MAX_RULES = 16


@dataclass(frozen=True, slots=True)
class PortRange:
    first: int
    last: int


def _port_range(value: object) -> object:
    """5004, "5004" or "5004-5010"."""
    if isinstance(value, PortRange):
        return value
    first, dash, last = str(value).partition("-")
    if isinstance(value, bool) or not first.strip().isdecimal() or not (last.strip().isdecimal() or not dash):
        raise ValueError(f"{value!r} is neither a port nor a range such as 5004-5010")
    ports = PortRange(int(first), int(last if dash else first))
    if not 1 <= ports.first <= ports.last <= 65535:
        raise ValueError(f"bad port range {value}: ports rise and lie within 1-65535")
    return ports


def _interface_name(value: str) -> str:
    if not value.isprintable() or any(c in "/: " for c in value) or value in (".", ".."):
        raise ValueError(f"{value!r} cannot be the name of an interface")
    return value


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is neither an address nor a network ({error})") from error


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InterfaceSettings(_Settings):
    """One in-line interface; what leaves through it is shaped."""

    name: Annotated[str, Field(min_length=1, max_length=15), BeforeValidator(_interface_name)]
    direction: Direction


class PortRule(_Settings):
    """Packets by protocol, port and host of one side. At least a port or a host."""

    protocol: Literal["udp", "tcp"] | None = None
    port: Annotated[PortRange, BeforeValidator(_port_range)] | None = None
    host: Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)] | None = None
    """Address or network; without it any, IPv4 and IPv6."""
    toward: Side = "platform"
    """Whose port and host these are: the far side's ("platform") or the room's own ("room")."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.port is None and self.host is None:
            raise ValueError("a rule needs a port or a host; everything else is p4 already")
        if self.port is not None and self.protocol is None:
            raise ValueError("a rule with a port needs protocol = udp or tcp")
        return self


class ClassSettings(_Settings):
    share_pct: float = Field(ge=1, le=97)
    """Guaranteed share of the rate. What others leave is lent by priority: p1 first."""
    dscp: tuple[Annotated[int, BeforeValidator(code_point)], ...] = ()
    ports: tuple[PortRule, ...] = Field(default=(), max_length=_MAX_RULES)


def _points(*names: str) -> tuple[int, ...]:
    return tuple(code_point(name) for name in names)


# The defaults follow RFC 4594 (service classes) and RFC 8837 (what WebRTC marks).
class CriticalSettings(ClassSettings):
    """Live audio and video of supervision."""

    share_pct: float = Field(default=40, ge=1, le=97)
    dscp: tuple[Annotated[int, BeforeValidator(code_point)], ...] = _points("EF", "VA", "AF41", "AF42", "AF43", "CS4")


class HighSettings(ClassSettings):
    """Messaging and session authentication, signalling, network control."""

    share_pct: float = Field(default=20, ge=1, le=97)
    dscp: tuple[Annotated[int, BeforeValidator(code_point)], ...] = _points(
        "CS5", "CS6", "CS7", "AF31", "AF32", "AF33", "CS3"
    )


class MediumSettings(ClassSettings):
    """EHR and PACS queries."""

    share_pct: float = Field(default=20, ge=1, le=97)
    dscp: tuple[Annotated[int, BeforeValidator(code_point)], ...] = _points("AF21", "AF22", "AF23", "CS2")


class StandardSettings(ClassSettings):
    """Everything else. Rules here are for traffic that claims more than it deserves."""

    share_pct: float = Field(default=10, ge=1, le=97)


class QosSettings(_Settings):
    interfaces: tuple[InterfaceSettings, ...] = Field(max_length=8)
    margin: float = Field(default=0.95, ge=0.5, le=1.0)
    """Shaped rate = link's figure × margin, so that the queue stays here and not in the modem."""
    verify_s: float = Field(default=5.0, ge=1.0, le=300.0)
    """How often the whole tree is read back; also how long a failed interface waits for its next try."""
    reading_s: float = Field(default=1.0, ge=0.2, le=10.0)
    p1: CriticalSettings = CriticalSettings()
    p2: HighSettings = HighSettings()
    p3: MediumSettings = MediumSettings()
    p4: StandardSettings = StandardSettings()

    def classes(self) -> tuple[tuple[str, ClassSettings], ...]:
        """Name and settings, highest first."""
        return tuple(zip(CLASS_NAMES, (self.p1, self.p2, self.p3, self.p4), strict=True))

    @field_validator("interfaces")
    @classmethod
    def _named_once(cls, interfaces: tuple[InterfaceSettings, ...]) -> tuple[InterfaceSettings, ...]:
        if not interfaces:
            raise ValueError("at least one in-line interface is needed")
        names = [interface.name for interface in interfaces]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"interface {', '.join(doubled)} is listed more than once")
        return interfaces

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        total_pct = sum(each.share_pct for _, each in self.classes())
        if total_pct > 100:
            raise ValueError(f"guaranteed shares add up to {total_pct:g} %, more than the line has")
        owner: dict[int, str] = {}
        for name, each in self.classes():
            for point in each.dscp:
                if owner.setdefault(point, name) != name:
                    raise ValueError(f"DSCP {point} is claimed by {owner[point]} and by {name}")
        return self
