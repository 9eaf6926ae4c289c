"""What a thing looks like now, retained at the broker: states, no ages and no figures that move by themselves."""

from typing import Annotated, Literal

from edged.contract.judged import (
    LinkCauseCode,
    PowerCode,
    SeverityCode,
    VerdictCode,
)
from edged.contract.lines import (
    DiesAtCode,
    DirectionCode,
    Hops,
    Lacks,
    MeasureTroubleCode,
    MethodCode,
    PathTrouble,
)
from edged.contract.words import (
    Address,
    Asn,
    BitsPerSecond,
    Contents,
    Count,
    Device,
    Dscp,
    Interface,
    KernelWord,
    Link,
    Megabytes,
    Month,
    Name,
    NetworkCode,
    PacketBytes,
    Share,
    SignalDbm,
    Source,
    UpsFlag,
    many,
    one_of,
)
from edged.core.conditions import BY_NAME
from edged.core.plan import LinkRole
from qos.reading import ShaperCause, ShaperState
from ups.reading import Contact
from wan.reading import RouterCause, WanState


# ── links ──────────────────────────────────────────────────────────────────────────────────────────────
class WayNow(Contents):
    """One direction: whether the tests on loss and delay hold it for ill."""

    direction: DirectionCode
    lossy: bool
    slow: bool


class BudgetNow(Contents):
    """What probing a metered link may cost in a calendar month, 10^6 bytes."""

    month: Month | None
    limit_mb: Megabytes
    stretched: bool
    over: bool


class CapacityNow(Contents):
    rate_bps: BitsPerSecond
    low_bps: BitsPerSecond
    high_bps: BitsPerSecond
    confidence: Share
    method: MethodCode


class CapacitiesNow(Contents):
    up: CapacityNow | None
    down: CapacityNow | None


class NotMeasured(Contents):
    method: MethodCode
    why: MeasureTroubleCode


class NotMeasuredNow(Contents):
    up: NotMeasured | None
    down: NotMeasured | None


class ExitNow(Contents):
    mapped: Address | None
    hops: Hops


class StandbyNow(Contents):
    fit: bool | None
    lacks: Lacks
    mtu_bytes: PacketBytes | None
    dscp_sent: Dscp | None
    dscp_arrived: Dscp | None


class PathNow(Contents):
    """Where the path ended when it was last walked; the whole walk is `path.diagnosed`."""

    target: Address
    dies_at: DiesAtCode
    last_hop: Address | None
    dscp_changed_at: Address | None
    mtu_bytes: PacketBytes | None
    trouble: PathTrouble | None


class LinkNow(Contents):
    """One line. null is not known, never good."""

    link: Link
    role: Annotated[str, one_of(LinkRole)]
    carrying: bool | None
    verdict: VerdictCode
    cause: LinkCauseCode
    ways: Annotated[tuple[WayNow, ...], many(2)]
    budget: BudgetNow | None
    capacity: CapacitiesNow | None
    not_measured: NotMeasuredNow
    exit: ExitNow | None
    standby: StandbyNow | None
    path: PathNow | None


class LinksNow(Contents):
    """Every configured line."""

    links: Annotated[tuple[LinkNow, ...], many(4)]


# ── devices ────────────────────────────────────────────────────────────────────────────────────────────
class WanNow(Contents):
    """One WAN as the router tells of it; `link` is ours behind it."""

    wan: Name
    link: Link | None
    name: Device
    state: Annotated[str, one_of(WanState)]
    healthy: bool | None
    signal_dbm: SignalDbm | None


class RouterNow(Contents):
    """The router; `active` is the link that carries the traffic. Null `model`: not told, or told at length."""

    answering: bool
    cause: Annotated[str, one_of(RouterCause)]
    active: Link | None
    model: Device | None
    firmware: Device | None
    wans: Annotated[tuple[WanNow, ...], many(16)]


class UpsNow(Contents):
    """One UPS, what it feeds, and what it says."""

    ups: Name
    priority: Literal["network", "workstation"]
    covers: Annotated[tuple[Device, ...], many(64)]
    contact: Annotated[str, one_of((*Contact, "starting"))]
    power: PowerCode
    flags: Annotated[tuple[UpsFlag, ...], many(32)]


class UpsesNow(Contents):
    """Every configured UPS."""

    ups: Annotated[tuple[UpsNow, ...], many(64)]


class ShaperNow(Contents):
    """Traffic control on one in-line interface. `rate_bps` null: nothing is shaped."""

    interface: Interface
    direction: DirectionCode
    state: Annotated[str, one_of(ShaperState)]
    cause: Annotated[str, one_of(ShaperCause)]
    leaf: KernelWord | None
    rate_bps: Count | None


class ShapersNow(Contents):
    """Every shaped interface."""

    qos: Annotated[tuple[ShaperNow, ...], many(8)]


class MobileNow(Contents):
    """The mobile workstation, by its own heartbeat. `other_carrier`: its network is another than the backup line's.
    null is not known.
    """

    heard: bool | None
    mcc_mnc: NetworkCode | None
    asn: Asn | None
    registered: bool | None
    other_carrier: bool | None


class DrillNow(Contents):
    """The primary line is offline on purpose. `over`: it must come back, and has not yet."""

    over: bool


class ConditionNow(Contents):
    """A condition that holds now."""

    name: Annotated[str, one_of(BY_NAME)]
    at: Name | Source
    severity: SeverityCode


class ConditionsNow(Contents):
    """All of them."""

    conditions: Annotated[tuple[ConditionNow, ...], many(256)]
