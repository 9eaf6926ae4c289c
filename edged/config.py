"""edged.toml: read, checked, and every mistake named by file, key and value. Nothing is half-applied."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edged.blackbox.settings import BlackBoxSettings
from edged.config_error import ConfigError as ConfigError
from edged.control.command_settings import CommandSettings, KeyUnusable
from edged.control.server import ControlSettings
from edged.core.latch import Dwell
from edged.core.plan import DEFAULT_DWELLS, LinkPlan, LinkRole, PhonePlan, Plan, Thresholds, UpsPlan
from edged.core.protocol import DEFAULT, Protocol
from edged.protocol_file import load_protocol
from edged.record.backlog_settings import BacklogSettings
from edged.record.settings import RecordSettings
from edged.report.settings import BrokerSettings, MetricsSettings
from probes.link_settings import LinkSettings, Role
from probes.media_settings import MediaSettings, NetworkList
from probes.mobile_settings import MobileSettings
from probes.phone_settings import PhoneSettings
from qos.settings import QosSettings
from ups.settings import UpsTable
from wan.errors import WanMisuse
from wan.settings import RouterSettings

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Goes into topics: no slash, no wildcard, nothing to escape."""
Seconds = Annotated[float, Field(ge=0, le=3600)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSettings(_Table):
    tenant: Name
    name: Name
    state_dir: Path = Path("/var/lib/edged")
    protocol_file: Path | None = None
    """The facility's own containment protocol; None: the shipped one."""

    @field_validator("name")
    @classmethod
    def _not_the_nocs(cls, name: str) -> str:
        if name == "noc":
            raise ValueError('a site cannot be called "noc": under that name the NOC says whether it is there')
        return name


class SiteLink(LinkSettings):
    """A link of this site: how it is probed, and what else is known of it."""

    provider: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    wan: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,15}$")] | None = None
    """The router's index of the WAN behind it."""
    up_mbit: Annotated[float, Field(ge=0.2, le=10_000)] | None = None
    down_mbit: Annotated[float, Field(ge=0.2, le=10_000)] | None = None
    """What the shapers can do even when relieved: they shape 0.1 Mbit/s to 10 Gbit/s."""
    mcc_mnc: Annotated[str, Field(pattern=r"^[0-9]{3}-[0-9]{2,3}$")] | None = None
    """Of a cellular link: the network its SIM is on (ITU-T E.212), to be compared with the mobile workstation's."""
    asn: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = None
    """The autonomous system it leaves by."""

    @model_validator(mode="after")
    def _rates_in_pairs(self) -> Self:
        if (self.up_mbit is None) != (self.down_mbit is None):
            raise ValueError("up_mbit and down_mbit go together")
        return self

    def rates_bps(self, factor: float) -> tuple[int, int] | None:
        """(up, down) in bits per second."""
        if self.up_mbit is None or self.down_mbit is None:
            return None
        return round(self.up_mbit * 1e6 * factor), round(self.down_mbit * 1e6 * factor)


class SitePhone(PhoneSettings):
    """A direct phone line, and what it shares with the lines it is to stand in for (rule 12)."""

    rides_on: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    """Links of this site its calls travel on; none: a line of its own."""
    fed_by: Annotated[tuple[str, ...], Field(max_length=16)] = ()
    """UPSes of this site its adapter, switch and PBX hang on."""

    def plan(self) -> PhonePlan:
        return PhonePlan(self.rides_on, self.fed_by)


class RoomSettings(_Table):
    """One of several procedure rooms behind this box."""

    networks: NetworkList = ()
    """Its addresses on the in-line interface; needed where media are observed."""
    phone: SitePhone | None = None
    """Its own direct line; none: the site's."""


class DwellSettings(_Table):
    raise_s: Seconds
    clear_s: Seconds


class TierSettings(_Table):
    """Numbers of the containment protocol. The defaults are the requirements' own."""

    t1: DwellSettings = DwellSettings(raise_s=DEFAULT_DWELLS[1].raise_s, clear_s=DEFAULT_DWELLS[1].clear_s)
    t2: DwellSettings = DwellSettings(raise_s=DEFAULT_DWELLS[2].raise_s, clear_s=DEFAULT_DWELLS[2].clear_s)
    t3: DwellSettings = DwellSettings(raise_s=DEFAULT_DWELLS[3].raise_s, clear_s=DEFAULT_DWELLS[3].clear_s)
    spike_rtt_ms: Annotated[float, Field(ge=10, le=1000)] = 150.0
    calm_rtt_p95_ms: Annotated[float, Field(ge=5, le=1000)] = 120.0
    failover_grace_s: Annotated[float, Field(ge=0, le=15)] = 15.0
    confirm_within_s: Annotated[float, Field(ge=5, le=30)] = 30.0
    phone_within_s: Annotated[float, Field(ge=10, le=120)] = 120.0
    """Two minutes at most: a site may be stricter, never laxer."""
    mobile_within_s: Annotated[float, Field(ge=10, le=120)] = 120.0

    @model_validator(mode="after")
    def _calm_below_spike(self) -> Self:
        if self.calm_rtt_p95_ms >= self.spike_rtt_ms:
            raise ValueError(
                f"calm_rtt_p95_ms {self.calm_rtt_p95_ms:g} must be below spike_rtt_ms {self.spike_rtt_ms:g}"
            )
        return self

    def dwells(self) -> dict[int, Dwell]:
        own = {tier: Dwell(held.raise_s, held.clear_s) for tier, held in ((1, self.t1), (2, self.t2), (3, self.t3))}
        return {**DEFAULT_DWELLS, **own}

    def thresholds(self) -> Thresholds:
        return Thresholds(
            spike_rtt_s=self.spike_rtt_ms / 1e3,
            calm_rtt_p95_s=self.calm_rtt_p95_ms / 1e3,
            failover_grace_s=self.failover_grace_s,
            confirm_within_s=self.confirm_within_s,
            phone_within_s=self.phone_within_s,
            mobile_within_s=self.mobile_within_s,
        )


class Config(_Table):
    site: SiteSettings
    links: Annotated[dict[str, SiteLink], Field(min_length=1, max_length=4)]
    rooms: Annotated[dict[Name, RoomSettings], Field(max_length=8)] = {}
    router: RouterSettings | None = None
    ups: UpsTable = {}
    qos: QosSettings | None = None
    media: MediaSettings | None = None
    phone: SitePhone | None = None
    mobile: MobileSettings | None = None
    broker: BrokerSettings | None = None
    metrics: MetricsSettings | None = MetricsSettings()
    tiers: TierSettings = TierSettings()
    record: RecordSettings = RecordSettings()
    blackbox: BlackBoxSettings = BlackBoxSettings()
    telemetry: BacklogSettings = BacklogSettings()
    commands: CommandSettings | None = None
    control: ControlSettings = ControlSettings()

    @field_validator("links", mode="before")
    @classmethod
    def _named_by_their_table(cls, links: Any) -> Any:
        if not isinstance(links, dict):
            return links
        return {key: {"name": key, **table} if isinstance(table, dict) else table for key, table in links.items()}

    @model_validator(mode="after")
    def _one_site(self) -> Self:
        primaries = [key for key, link in self.links.items() if link.role is Role.PRIMARY]
        if len(primaries) != 1:
            raise ValueError(
                f'links: one of them must have role = "primary", not {len(primaries)} ({", ".join(primaries)})'
            )
        wans = [link.wan for link in self.links.values() if link.wan is not None]
        if len(set(wans)) != len(wans):
            raise ValueError("links: two of them name the same wan")
        if self.router and len(self.links) > 1 and len(wans) < len(self.links):
            bare = ", ".join(key for key, link in self.links.items() if link.wan is None)
            raise ValueError(f"links.{bare}: with a router each link needs its wan (the router's index)")
        if self.broker and (strange := self.broker.links.keys() - self.links.keys()):
            raise ValueError(f"broker.links.{min(strange)}: there is no such link; there are {', '.join(self.links)}")
        if self.qos and self.links[primaries[0]].up_mbit is None:
            raise ValueError(f"links.{primaries[0]}: qos needs up_mbit and down_mbit of the primary link")
        return self

    @model_validator(mode="after")
    def _rooms_told_apart(self) -> Self:
        if self.media is None:
            return self
        if bool(self.rooms) == bool(self.media.room_networks):
            raise ValueError("media: give either media.room_networks, or rooms.NAME.networks for each of several rooms")
        if bare := [name for name, room in self.rooms.items() if not room.networks]:
            raise ValueError(f"rooms.{bare[0]}.networks: missing; without them nobody knows whose media they are")
        return self

    @model_validator(mode="after")
    def _phones_share_what_there_is(self) -> Self:
        for where, phone in self.phones().items():
            key = f"rooms.{where}.phone" if where else "phone"
            for name in phone.rides_on:
                if name not in self.links:
                    raise ValueError(f"{key}.rides_on: there is no link {name!r}; there are {', '.join(self.links)}")
            for name in phone.fed_by:
                if name not in self.ups:
                    raise ValueError(f"{key}.fed_by: there is no ups {name!r}; there are {', '.join(self.ups)}")
        return self

    def phones(self) -> dict[str, SitePhone]:
        """By room; "" is the line of every room that has none of its own."""
        own = {name: room.phone for name, room in self.rooms.items() if room.phone}
        return {**({"": self.phone} if self.phone else {}), **own}

    def plan(self, protocol: Protocol = DEFAULT) -> Plan:
        """What the judge has to know of it."""
        return Plan(
            links=tuple(_link_plan(key, link) for key, link in self.links.items()),
            ups=tuple(UpsPlan(key, ups.load.value, ups.covers) for key, ups in self.ups.items()),
            has_router=self.router is not None,
            has_media=self.media is not None,
            has_phone=self.phone is not None,
            phones={room: phone.plan() for room, phone in self.phones().items()},
            has_mobile=self.mobile is not None,
            rooms=tuple(self.rooms) or (self.site.name,),
            protocol=protocol,
            has_broker=self.broker is not None,
            certificates=self.broker.certificates if self.broker else (),
            shapers=tuple(interface.name for interface in self.qos.interfaces) if self.qos else (),
            thresholds=self.tiers.thresholds(),
            dwells=self.tiers.dwells(),
        )


def _link_plan(name: str, link: SiteLink) -> LinkPlan:
    up_bps, down_bps = link.rates_bps(1.0) or (None, None)
    return LinkPlan(
        name,
        LinkRole(link.role.value),
        link.provider,
        link.wan,
        up_bps,
        down_bps,
        measurable=link.capacity is not None,
        proven=link.exit is not None,
        standby=link.standby is not None,
        mcc_mnc=link.mcc_mnc,
        asn=link.asn,
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    config: Config
    path: Path
    hash: str
    """SHA-256 of the file's bytes, shortened: which configuration a record was made under."""
    protocol: Protocol = DEFAULT

    def plan(self) -> Plan:
        return self.config.plan(self.protocol)


def load(path: Path) -> Loaded:
    """Read and check the file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something that cannot be; with every mistake in it.
    """
    try:
        raw = path.read_bytes()
        doc = tomllib.loads(raw.decode())
    except OSError as error:
        raise ConfigError(path, [error.strerror or str(error)]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path, [f"no TOML: {error}"]) from error
    try:
        config = Config.model_validate(doc)
    except ValidationError as error:
        raise ConfigError(path, _mistakes(error, doc)) from error
    try:
        if config.router:
            config.router.credentials()  # a secret's file that cannot be read is a mistake too
        if config.commands:
            config.commands.trusted()
    except WanMisuse as error:
        raise ConfigError(path, [f"router: {error}"]) from error
    except KeyUnusable as error:
        raise ConfigError(path, [str(error)]) from error
    own = config.site.protocol_file
    return Loaded(config, path, hashlib.sha256(raw).hexdigest()[:16], load_protocol(own) if own else DEFAULT)


_SECRET = ("password", "community")


_SAID = {"extra_forbidden": "unknown key", "missing": "missing"}


def _mistakes(error: ValidationError, doc: dict[str, Any]) -> list[str]:
    found = {_key(each["loc"], doc): each for each in error.errors(include_url=False)}
    # A list whose members are wrong is then called too short as well; one word about it is enough.
    echoes = {key for key, each in found.items() if each["type"] == "too_short" and any(f"{key}[" in k for k in found)}
    return [_mistake(key, each) for key, each in found.items() if key not in echoes]


def _mistake(key: str, error: Mapping[str, Any]) -> str:
    said = _SAID.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    value = error["input"]
    shown = "" if error["type"] == "missing" or isinstance(value, dict) or _hides(key) else f" (found {value!r})"
    return f"{key}: {said}{shown}" if key else said


def _hides(key: str) -> bool:
    return key.rpartition(".")[2].startswith(_SECRET) or key.endswith(_SECRET)


def _key(location: tuple[str | int, ...], doc: Any) -> str:
    """The location as written in TOML; steps that are ours alone (which kind of a union) are left out."""
    key = ""
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(part, int):
            key += f"[{part}]"
            doc = doc[part] if isinstance(doc, list) and part < len(doc) else None
        elif isinstance(doc, dict) and (part in doc or last):
            key += f".{part}" if key else str(part)
            doc = doc.get(part)
    return key
