"""What the router tells the judge. `None` means the router did not say."""

from dataclasses import dataclass
from enum import StrEnum


class WanState(StrEnum):
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    HEALTH_CHECK_FAILED = "health_check_failed"
    STANDBY = "standby"


class RouterCause(StrEnum):
    NONE = "none"
    STARTING = "starting"
    NO_ANSWER = "no_answer"  # timeout: down, unreachable, or a wrong community (SNMP cannot tell)
    AUTH = "auth"  # SNMPv3 said so: unknown user, wrong digest, not in time window
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class WanReading:
    wan: str
    """The router's own index, as text."""
    name: str
    state: WanState
    healthy: bool | None
    signal_dbm: int | None
    rx_bytes: int | None
    tx_bytes: int | None
    rx_bps: float | None
    """Bits per second between the last two polls; None across a counter discontinuity."""
    tx_bps: float | None


@dataclass(frozen=True, slots=True)
class RouterReading:
    """The router at `at_s` (monotonic seconds). Sent at each change and once per poll."""

    router: str
    at_s: float
    answering: bool
    since_s: float
    cause: RouterCause
    active: str | None
    """`WanReading.wan` that carries the traffic; None when not known."""
    wans: tuple[WanReading, ...]
    model: str | None
    firmware: str | None
    uptime_s: float | None


@dataclass(frozen=True, slots=True)
class ActiveWanChanged:
    """The router moved the traffic. Which way is failover and which failback is the judge's to say."""

    router: str
    at_s: float
    previous: str | None
    active: str
