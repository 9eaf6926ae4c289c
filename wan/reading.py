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
    """The router's own index, as text. With the generic profile the WAN's key in the settings: an ifIndex may change.
    """
    name: str
    state: WanState
    healthy: bool | None
    signal_dbm: int | None
    rx_bytes: int | None
    tx_bytes: int | None
    rx_bps: float | None
    """Bits per second, into the router from this WAN, between the agent's last two refreshes of its counters (net-snmp:
    every 3 s); None across a counter discontinuity.
    """
    tx_bps: float | None


@dataclass(frozen=True, slots=True)
class RouterReading:
    """The router at `at_s` (monotonic seconds). Sent once per poll, except that a single missed poll says nothing."""

    router: str
    at_s: float
    answering: bool
    """Two polls in a row without a usable answer end it."""
    since_s: float
    """Since when answering, cause and active are what they are; silence counts from the first missed poll."""
    cause: RouterCause
    active: str | None
    """`WanReading.wan` that carries the traffic; None when not known."""
    wans: tuple[WanReading, ...]
    model: str | None
    firmware: str | None
    uptime_s: float | None


@dataclass(frozen=True, slots=True)
class ActiveWanChanged:
    """The router moved the traffic. Which way is failover and which failback is the judge's to say.

    Told before the reading that shows it, once the new WAN is known; after a silence with the first answer.
    """

    router: str
    at_s: float
    previous: str | None
    """The last one known, however long ago. Where the traffic is at first sight is no move, so it is never None so
    far.
    """
    active: str
