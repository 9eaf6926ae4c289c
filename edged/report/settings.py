"""Where the NOC's broker is and how patient we are with it; where Prometheus may look."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.networks import IPvAnyAddress

Seconds = Annotated[float, Field(gt=0, le=120)]


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


class BrokerSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    client_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """None: edged-TENANT-SITE. Two boxes under one id throw each other off the broker."""
    username: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    password_file: Path | None = None
    tls: TlsSettings | None = None
    source_address: IPvAnyAddress | None = None
    """None: as the routing table says."""
    keepalive_s: Annotated[int, Field(ge=5, le=600)] = 15
    """The broker publishes our Will after one and a half of these in silence."""
    connect_timeout_s: Seconds = 5.0
    puback_timeout_s: Seconds = 5.0
    """A message not acknowledged for this long means a dead path: the connection is made anew."""
    in_flight: Annotated[int, Field(ge=1, le=64)] = 8
    telemetry_queue: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Telemetry waiting for the line; the oldest makes way."""
    reconnect_first_s: Seconds = 0.5
    reconnect_cap_s: Seconds = 10.0

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
