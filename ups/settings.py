"""What the configuration says of UPSes: one table `[ups.ID]` each. Those on the same host and port share a connection.

[ups.network]
host = "10.77.0.50"
covers = ["router", "ont", "switch"]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Device = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:()/+-]{0,31}( [A-Za-z0-9_.:()/+-]{1,31}){0,4}$")]
"""What people call a device: five words at most. It is told upstream, where no free text may go."""
UpsId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]


class LoadPriority(StrEnum):
    """What a UPS feeds: on battery the workstation is shed first and the network is kept (U2)."""

    NETWORK = "network"
    WORKSTATION = "workstation"


class NutServerSettings(BaseModel):
    """How to reach one upsd. Frozen, so equal settings mean one connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:%-]+$")
    port: int = Field(default=3493, ge=1, le=65535)
    tls: bool = False
    """STARTTLS is then demanded: without it nothing is asked and no password is sent."""
    tls_ca_file: Path | None = None
    """Pins the CA, or the server's own self-signed certificate. Without it the system's CAs are believed."""
    tls_server_name: str | None = Field(default=None, min_length=1, max_length=253)
    """The name in the certificate, where it is not `host`."""
    credentials_file: Path | None = None
    """First line the user name, second line the password. Reading needs none; commands to a UPS do."""
    connect_timeout_s: Seconds = Field(default=2.0, ge=0.1, le=30)
    timeout_s: Seconds = Field(default=2.0, ge=0.1, le=30)
    """For one answer. upsd answers a list of 30 variables in 44 ms."""
    poll_s: Seconds = Field(default=1.0, ge=0.1, le=30)
    """Between two questions for `ups.status`: NUT cannot push."""
    slow_poll_s: Seconds = Field(default=15.0, ge=0.1, le=600)
    """Between two lists of all variables; on battery they are read at least every 5 s."""

    @property
    def peer(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.tls and (self.tls_ca_file or self.tls_server_name):
            raise ValueError("tls_ca_file and tls_server_name mean nothing without tls = true")
        if self.slow_poll_s < self.poll_s:
            raise ValueError("slow_poll_s must not be below poll_s")
        return self


class RatedRuntime(BaseModel):
    """Runtime of a new, full battery from the maker's data sheet; gives an estimate independent of the UPS's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    full_load_s: Seconds = Field(ge=10, le=172_800)
    half_load_s: Seconds = Field(ge=10, le=172_800)
    health_pct: Percent = 100.0
    """What the last runtime test left of the rated capacity."""

    @model_validator(mode="after")
    def _half_lasts_longer(self) -> Self:
        if self.half_load_s <= self.full_load_s:
            raise ValueError("half_load_s must be longer than full_load_s")
        return self


class UpsSettings(NutServerSettings):
    """One UPS: where it is asked for, what hangs on it, and when its battery counts as low."""

    name: str | None = Field(default=None, min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f]+$")
    """Its name on that server; the table's own id where absent."""
    covers: tuple[Device, ...] = ()
    """The devices it feeds (U1)."""
    load: LoadPriority = LoadPriority.NETWORK
    low_charge_pct: Percent = 20.0
    low_runtime_s: Seconds = Field(default=120.0, ge=0, le=7200)
    """120 s: the two minutes in which the phone line must be reached (T4)."""
    rated: RatedRuntime | None = None

    def server(self) -> NutServerSettings:
        return NutServerSettings.model_validate({key: getattr(self, key) for key in NutServerSettings.model_fields})


@dataclass(frozen=True, slots=True)
class NutServer:
    """One upsd and the UPSes asked for there, by id."""

    settings: NutServerSettings
    upses: Mapping[str, UpsSettings]


def by_server(upses: Mapping[str, UpsSettings]) -> tuple[NutServer, ...]:
    """Group UPSes by the upsd that serves them, in the order given.

    Raises ValueError, naming both tables, where two disagree about their common server or ask it for the same UPS.
    """
    groups: dict[str, dict[str, UpsSettings]] = {}
    for key, ups in upses.items():
        group = groups.setdefault(ups.peer, {})
        for other_key, other in group.items():
            _agree(key, ups, other_key, other)
        group[key] = ups
    return tuple(NutServer(next(iter(group.values())).server(), group) for group in groups.values())


def _agree(key: str, ups: UpsSettings, other_key: str, other: UpsSettings) -> None:
    for field in NutServerSettings.model_fields:
        if getattr(ups, field) != getattr(other, field):
            raise ValueError(f"ups.{key} and ups.{other_key} share the server {ups.peer} but differ in {field}")
    if (ups.name or key) == (other.name or other_key):
        raise ValueError(f"ups.{key} and ups.{other_key} are the same UPS on {ups.peer}")


def _groupable(upses: dict[str, UpsSettings]) -> dict[str, UpsSettings]:
    by_server(upses)
    return upses


UpsTable = Annotated[dict[UpsId, UpsSettings], AfterValidator(_groupable)]
"""The whole `[ups]` of a configuration: a field of this type refuses tables that contradict each other."""
