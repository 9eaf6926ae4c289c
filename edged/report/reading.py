"""What reporting tells the judge about its own line: facts, frozen, with their units in the name."""

from dataclasses import dataclass
from enum import StrEnum


class BrokerCause(StrEnum):
    """Why there is no connection, or what is wrong with the one there is; NONE when all is well."""

    NONE = "none"
    STARTING = "starting"
    NAME = "name"  # the broker's name does not resolve
    UNREACHABLE = "unreachable"  # no route, or the network said so
    REFUSED = "refused"  # nobody listens on the port
    TIMEOUT = "timeout"  # no answer within the connect timeout
    TLS = "tls"
    CLOCK = "clock"  # TLS fails because the box's own clock is wrong: the broker's certificate is not valid "now"
    FILES = "files"  # a certificate, key or password file cannot be read
    VERSION = "version"  # the broker speaks neither MQTT 5 nor 3.1.1
    CREDENTIALS = "credentials"
    REJECTED = "rejected"  # CONNACK with another code
    MALFORMED = "malformed"  # what came was not MQTT
    LOST = "lost"  # ended without a word
    DISCONNECTED = "disconnected"  # the broker said why, see the code
    SILENT = "silent"  # a message was not acknowledged in time: a dead path looks like this
    MOVED = "moved"  # dropped by ourselves: the link it went by is judged dead, or a better one is back
    PAPERS = "papers"  # dropped by ourselves: certificates were exchanged
    PUBLISH_REFUSED = "publish_refused"  # connected, but a message was denied
    SUBSCRIBE_REFUSED = "subscribe_refused"  # connected, but acknowledgements or commands will not come
    UNHEARD = "unheard"  # connected, but nobody subscribes to our events


class Noc(StrEnum):
    """What the NOC says of itself on `noc/state`."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class BrokerReading:
    """The line to the NOC at `at_s` (monotonic seconds). Sent at each change and once a second."""

    broker: str
    """host:port, the one of the list that is meant now"""
    link: str | None
    """The link the connection is bound to; None: as the routing table says."""
    at_s: float
    connected: bool
    since_s: float
    """Monotonic seconds at which `connected` became what it is."""
    cause: BrokerCause
    code: int | None
    """The MQTT reason code behind `cause`, if the broker gave one."""
    changed: bool
    protocol: str | None
    """"5" or "3.1.1" while connected."""
    epoch: int
    """Counts connections; 0 before the first."""
    noc: Noc
    pending_tier: int
    """Tier events the NOC has not acknowledged."""
    pending_log: int
    """Log events the broker has not taken."""
    in_flight: int
    dropped: int
    """Telemetry messages that will never be sent, since the daemon started: evicted, or lost in a crash."""
    waiting: int
    """Telemetry messages that wait, in memory and on the disk."""
    over_budget: bool
    """This link's share of the month is used up: telemetry waits."""
    refused_input: int
    """Messages from the NOC that could not be understood or were not allowed, since the daemon started."""
