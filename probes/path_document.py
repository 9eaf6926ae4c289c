"""What is asked of the path diagnosis, and what it answers: two JSON documents, between the daemon and a program of
its own.

Codes, numbers and addresses only, every text and every list bounded: part of it comes from strangers' routers, and all
of it is stored with an incident. `Document.model_json_schema()` is its JSON Schema.
"""

from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from probes.line_reading import DiesAt

MOST_HOPS = 30
MOST_PACKETS = 200
SMALLEST_MTU, LARGEST_MTU = 576, 9216


def _an_address(text: str) -> str:
    ip_address(text)
    return text


Address = Annotated[str, Field(max_length=64), AfterValidator(_an_address)]
Dscp = Annotated[int, Field(ge=0, le=63)]
Ttl = Annotated[int, Field(ge=1, le=255)]
Milliseconds = Annotated[float, Field(ge=0, lt=3.6e6, allow_inf_nan=False)]


class Kind(StrEnum):
    """What came back for a packet, by its meaning; the RFC's numbers are those of ICMP and ICMPv6."""

    TIME_EXCEEDED = "time_exceeded"
    STAMP_REPLY = "stamp_reply"
    UDP_REPLY = "udp_reply"  # something on the target's port speaks, and not STAMP
    ECHO_REPLY = "echo_reply"
    PORT_UNREACHABLE = "port_unreachable"
    HOST_UNREACHABLE = "host_unreachable"
    NET_UNREACHABLE = "net_unreachable"
    PROHIBITED = "prohibited"
    TOO_BIG = "too_big"


class Why(StrEnum):
    """The rule that said where the path dies; `probes.diagnosis.where` has them in order."""

    TARGET_ANSWERS = "target_answers"
    NOT_SENT = "not_sent"  # the box itself would not send: no route, no source address, interface down
    NEIGHBOUR_SILENT = "neighbour_silent"  # the next hop answers neither packets nor ARP or neighbour solicitation
    NEIGHBOUR_ALONE = "neighbour_alone"  # the next hop answers ARP or neighbour solicitation, and nothing else answers
    LINE_SILENT = "line_silent"  # a line without neighbours (a modem of our own), and nothing answers over it
    ROUTER_REFUSES = "router_refuses"  # the router says that it has no way on
    REFUSED_ON_THE_WAY = "refused_on_the_way"  # a router further on says so
    LOOP = "loop"
    USUAL_PATH_ANSWERS = "usual_path_answers"  # the last router before the target answers as it usually does
    NOTHING_BEHIND_ROUTER = "nothing_behind_router"
    LOST_ON_THE_WAY = "lost_on_the_way"
    TARGET_SILENT = "target_silent"  # on our own network: answers ARP, and nothing else


class Order(BaseModel):
    """What to find out. `within_s` is the time the program may take, its start not counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    link: Annotated[str, Field(max_length=200)]
    source: Address | None = None
    interface: Annotated[str, Field(min_length=1, max_length=15)] | None = None
    target: Address
    udp_port: Annotated[int, Field(ge=1, le=65535)]
    dscp: Dscp
    max_hops: Annotated[int, Field(ge=1, le=MOST_HOPS)]
    want_mtu: Annotated[int, Field(ge=SMALLEST_MTU, le=LARGEST_MTU)]
    usual: Annotated[tuple[Address | None, ...], Field(max_length=MOST_HOPS)] = ()
    """Routers from the nearest on when the target was last reached."""
    within_s: Annotated[float, Field(gt=0, le=120)]


class Hop(BaseModel):
    """What answered packets of one TTL (IPv6: hop limit)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ttl: Ttl
    address: Address | None
    """None: nothing answered."""
    others: Annotated[tuple[Address, ...], Field(max_length=4)] = ()
    """Further addresses that answered this TTL: several ways are in use."""
    kind: Kind | None = None
    rtt_ms: Milliseconds | None = None
    udp: bool = False
    icmp: bool = False
    """Which kind of packet it answered: some answer only one."""
    dscp_seen: Dscp | None = None
    """The code point with which our packet got there: from its header, quoted in the answer (RFC 792), or by the target
    itself (RFC 8972 class of service)."""
    ttl_quoted: Annotated[int, Field(ge=0, le=255)] | None = None
    """The TTL our packet had left there. Above 1, a tunnel on the way hid hops."""


class Gateway(BaseModel):
    """The next hop of our own box, on the network it is plugged into."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address
    answers: bool | None
    """To ARP or neighbour solicitation; None: could not be asked."""


class Target(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address
    answers: Annotated[tuple[Kind, ...], Field(max_length=len(Kind))]
    rtt_ms: Milliseconds | None
    hops: Ttl | None
    """How far away it is; None: it did not answer."""


class DscpFinding(BaseModel):
    """`sent` is what left the box. `changed_at` None: it was the same everywhere it was seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sent: Dscp
    seen_to: Ttl
    """The furthest TTL that told what it saw."""
    changed_at: Address | None = None
    changed_ttl: Ttl | None = None
    intact_to: Address | None = None
    """The last hop before it that saw what was sent: the change is made between the two."""
    became: Dscp | None = None
    bits_lost: Dscp = 0
    bits_gained: Dscp = 0
    came_back: Dscp | None = None
    """Of the answer, where the target was asked to answer with `sent` and its answer reached us; None: not asked."""


class MtuKind(StrEnum):
    CLEAR = "clear"  # packets of the wanted size pass
    TOLD = "told"  # larger ones are refused, and somebody says so, as they should (RFC 1191, RFC 8201)
    BLACK_HOLE = "black_hole"  # larger ones vanish without a word


class MtuFinding(BaseModel):
    """Sizes are of the whole IP packet, in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: MtuKind
    bytes: Annotated[int, Field(ge=1, le=LARGEST_MTU)]
    """The largest that passed and was answered in its own size."""
    wanted: Annotated[int, Field(ge=1, le=LARGEST_MTU)]
    exact: bool
    """False: time or packets ran out in the search, and it may be more."""
    told_by: Address | None = None
    """Who said "too big"; None with `told`: our own interface."""
    told_bytes: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)] | None = None
    passes_to: Address | None = None
    """Black hole: the last hop that a packet too large still reached; None: not even the first."""


class Document(BaseModel):
    """One finished diagnosis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    link: str
    source: Address | None
    interface: str | None
    udp_port: int
    dies_at: DiesAt
    why: Why
    refused: Annotated[str, Field(max_length=40)] | None = None
    """Why nothing was sent, as a code."""
    gateway: Gateway | None
    """None: none is known, or the line has no neighbours."""
    hops: Annotated[tuple[Hop, ...], Field(max_length=MOST_HOPS)]
    """By TTL from 1, to the target or to the first of the silent ones at the end."""
    target: Target
    dscp: DscpFinding | None
    """None: not found out."""
    mtu: MtuFinding | None
    """None: not found out, as where the target does not answer."""
    packets: Annotated[int, Field(ge=0, le=MOST_PACKETS)]
    bytes: Annotated[int, Field(ge=0)]
    took_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    complete: bool
    """False: time or packets ran out before everything was asked."""
    scapy: Annotated[str, Field(max_length=40)]


class Failure(BaseModel):
    """Why there is no diagnosis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trouble: Literal["no_scapy", "not_permitted"]
