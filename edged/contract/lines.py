"""What was found out about a line beside whether it lives: capacity, door, fitness as a standby, its path."""

from typing import Annotated, Literal

from edged.contract.words import (
    Address,
    Contents,
    Count,
    Dscp,
    Few,
    Interface,
    Link,
    Mbit,
    Milliseconds,
    OfIncident,
    PacketBytes,
    Port,
    Release,
    Seconds,
    Share,
    Ttl,
    many,
    one_of,
)
from probes.line_reading import DiesAt, MeasureTrouble, Method
from probes.path_document import MOST_HOPS, Kind, MtuKind, Why
from probes.reading import Direction

DirectionCode = Annotated[str, one_of(Direction)]
MethodCode = Annotated[str, one_of(Method)]
MeasureTroubleCode = Annotated[str, one_of(MeasureTrouble)]
DiesAtCode = Annotated[str, one_of(DiesAt)]
KindCode = Annotated[str, one_of(Kind)]
Lack = Literal["no_answer", "mtu", "dscp", "up_rate", "down_rate", "stale"]
Lacks = Annotated[tuple[Lack, ...], many(6)]
Hops = Annotated[tuple[Address | None, ...], many(MOST_HOPS)]
"""Routers from the nearest on; null for one that does not answer."""
PathTrouble = Literal["no_scapy", "not_permitted", "timed_out", "crashed", "busy"]
NotSent = Literal["no_route", "no_source", "interface_down", "no_buffers", "not_permitted"]


class CapacityMeasured(Contents):
    """IP-layer capacity (RFC 5136) of one direction, from `low_mbit` to `high_mbit` with the chance `confidence`."""

    at: Link
    direction: DirectionCode
    method: MethodCode
    rate_mbit: Mbit
    low_mbit: Mbit
    high_mbit: Mbit
    confidence: Share
    spent_bytes: Count


class CapacityNotMeasured(Contents):
    """It was tried, and gave no figure."""

    at: Link
    direction: DirectionCode
    method: MethodCode
    why: MeasureTroubleCode


class ExitSeen(Contents):
    """By which door a link leaves: its address as seen from outside, and the first routers."""

    at: Link
    mapped: Address | None
    hops: Hops


class StandbyJudged(Contents):
    """Whether a link that carries nothing now could carry a session."""

    at: Link
    fit: bool | None
    lacks: Lacks
    mtu_bytes: PacketBytes | None
    dscp_sent: Dscp | None
    dscp_arrived: Dscp | None
    up_mbit: Mbit | None
    down_mbit: Mbit | None


# ── the path ───────────────────────────────────────────────────────────────────────────────────────────
class Gateway(Contents):
    """The next hop of our own box. `answers`: to ARP or neighbour solicitation; null: could not be asked."""

    address: Address
    answers: bool | None


class Hop(Contents):
    """What answered packets of one TTL. `address` null: nothing did."""

    ttl: Ttl
    address: Address | None
    others: Annotated[tuple[Address, ...], many(4)]
    kind: KindCode | None
    rtt_ms: Milliseconds | None
    udp: bool
    icmp: bool
    dscp_seen: Dscp | None
    ttl_quoted: Few | None


class Target(Contents):
    """The far end. `hops` null: it did not answer."""

    address: Address
    answers: Annotated[tuple[KindCode, ...], many(len(Kind))]
    rtt_ms: Milliseconds | None
    hops: Ttl | None


class DscpFinding(Contents):
    """What becomes of the code point on the way. `changed_at` null: it was the same everywhere it was seen."""

    sent: Dscp
    seen_to: Ttl
    changed_at: Address | None
    changed_ttl: Ttl | None
    intact_to: Address | None
    became: Dscp | None
    bits_lost: Dscp
    bits_gained: Dscp
    came_back: Dscp | None


class MtuFinding(Contents):
    """The largest packet that passed, whole IP packet, and who said that larger ones do not."""

    kind: Annotated[str, one_of(MtuKind)]
    bytes: PacketBytes
    wanted: PacketBytes
    exact: bool
    told_by: Address | None
    told_bytes: Count | None
    passes_to: Address | None


class PathDiagnosed(OfIncident):
    """One walk along a link's path (probes/path_document.py says more of each field)."""

    at: Link
    version: Literal[1]
    link: Link
    source: Address | None
    interface: Interface | None
    udp_port: Port
    dies_at: DiesAtCode
    why: Annotated[str, one_of(Why)]
    refused: NotSent | None
    gateway: Gateway | None
    hops: Annotated[tuple[Hop, ...], many(MOST_HOPS)]
    target: Target
    dscp: DscpFinding | None
    mtu: MtuFinding | None
    packets: Few
    bytes: Count
    took_s: Seconds
    complete: bool
    scapy: Release


class PathNotDiagnosed(OfIncident):
    """It was tried, and gave nothing."""

    at: Link
    trouble: PathTrouble | None = None
