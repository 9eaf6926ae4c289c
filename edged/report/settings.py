"""Where the NOC's broker is and how patient we are with it; where Prometheus may look."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.networks import IPvAnyAddress

Seconds = Annotated[float, Field(gt=0, le=120)]


def _server(value: object) -> object:
    """ "host:port", "[2001:db8::1]:8883"."""
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not 0 < len(host) <= 253 or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"a broker is host:port, not {value!r}")
    return host, int(port)


Server = Annotated[tuple[str, int], BeforeValidator(_server)]


class TlsSettings(BaseModel):
    """Files in PEM. A certificate of our own makes it mutual TLS."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca_file: Path | None = None
    """Whom we trust; None: the system's authorities."""
    cert_file: Path | None = None
    key_file: Path | None = None
    """None: the key is in `cert_file`."""

    @model_validator(mode="after")
    def _key_belongs_to_a_certificate(self) -> "TlsSettings":
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file")
        return self


class ShareSettings(BaseModel):
    """What reporting may take of one link."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replay_kbit: Annotated[float, Field(ge=8, le=1_000_000)] = 200.0
    """How fast backlog is sent, in kbit/s. What happens now never waits for it."""
    monthly_mb: Annotated[float, Field(ge=1, le=1_000_000)] | None = None
    """What it may cost in a calendar month, 10^6 bytes both ways. Used up: telemetry waits; events never."""


class BrokerSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    also: Annotated[tuple[Server, ...], Field(max_length=8)] = ()
    """Further doors of the same cluster, "host:port": the next one is tried when one does not let us in."""
    client_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """None: edged-TENANT-SITE. Two boxes under one id throw each other off the broker."""
    username: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    password_file: Path | None = None
    tls: TlsSettings | None = None
    source_address: IPvAnyAddress | None = None
    """Always from this address. None: from that of the link that is judged best."""
    links: dict[str, ShareSettings] = {}
    """By link; one that is not named gets the defaults."""
    keepalive_s: Annotated[int, Field(ge=5, le=600)] = 15
    """The broker takes us for gone after one and a half of these in silence."""
    will_delay_s: Annotated[int, Field(ge=0, le=600)] = 10
    """And says so (our Will, `lost`) this much later, unless we are back by then. MQTT 5 only."""
    connect_timeout_s: Seconds = 5.0
    puback_timeout_s: Seconds = 5.0
    """A message not acknowledged for this long means a dead path: the connection is made anew."""
    in_flight: Annotated[int, Field(ge=1, le=64)] = 8
    reconnect_first_s: Seconds = 0.5
    reconnect_cap_s: Seconds = 10.0

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """(host, port), in the order they are tried."""
        return ((self.host, self.port), *self.also)

    @property
    def certificates(self) -> tuple[str, ...]:
        """Those the line lives on; the system's own authorities are not ours to watch."""
        if self.tls is None:
            return ()
        return (*(("own",) if self.tls.cert_file else ()), *(("ca",) if self.tls.ca_file else ()), "broker")

    @model_validator(mode="after")
    def _a_password_belongs_to_somebody(self) -> "BrokerSettings":
        if self.password_file and not self.username:
            raise ValueError("password_file needs username")
        return self


class MetricsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    address: IPv4Address | IPv6Address = IPv4Address("127.0.0.1")
    port: Annotated[int, Field(ge=0, le=65535)] = 9754
    """0: any free one, for tests."""

    @model_validator(mode="after")
    def _never_beyond_this_box(self) -> "MetricsSettings":
        if not self.address.is_loopback:
            raise ValueError("metrics are served on a loopback address only")
        return self
