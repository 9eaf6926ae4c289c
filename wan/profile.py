"""What a vendor profile is: which subtrees to survey now and then, what to ask in the one GET of each poll, and how
to read one WAN from the answers. All of it pure: a profile sees values, never a socket or a clock.

A profile is one file with an OID table, a `plan` and a `decode`, plus its line in `wan/profiles.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wan.reading import WanState
from wan.varbinds import Oid, Varbinds


@dataclass(frozen=True, slots=True)
class WanHint:
    """What the site's settings say about one WAN; None where they say nothing."""

    name: str | None = None
    interface: str | None = None
    """ifName, ifAlias or ifDescr of the interface whose counters are this WAN's."""
    if_index: int | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """Octets since the counter's last discontinuity, and that discontinuity's sysUpTime (RFC 2863)."""

    rx_bytes: int
    tx_bytes: int
    interface: int
    discontinuity_ticks: int | None


@dataclass(frozen=True, slots=True)
class WanSeen:
    """One WAN in one poll, as the router told it."""

    wan: str
    name: str
    state: WanState
    present: bool = True
    """False if only the settings know it: the router has no such WAN or interface."""
    healthy: bool | None = None
    signal_dbm: int | None = None
    gateway: str | None = None
    counters: Counters | None = None


@dataclass(frozen=True, slots=True)
class RouterSeen:
    """The router in one poll."""

    wans: tuple[WanSeen, ...]
    uptime_s: float | None
    model: str | None
    firmware: str | None


Hints = Mapping[str, WanHint]


@dataclass(frozen=True, slots=True)
class WanRow:
    """One WAN to watch and where its values are."""

    wan: str
    name: str
    branch: Oid = ()
    """Root of the vendor's subtree, where that differs from model to model."""
    index: Oid = ()
    """The row in the vendor's tables."""
    interface: int | None = None
    """ifIndex of the interface that counts its bytes."""
    present: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What a survey led to."""

    wans: tuple[WanRow, ...]
    fast: tuple[Oid, ...]
    """The instances to GET each poll. Some may turn out to be missing."""
    model: str | None
    firmware: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    survey: tuple[Oid, ...]
    """Subtrees walked at the start, after a restart and every `slow_s`: what exists, what it is called."""
    plan: Callable[[Varbinds, Hints], Plan]
    """From all the survey found."""
    decode: Callable[[WanRow, Varbinds], WanSeen]
    """One WAN, from the survey's values overlaid with this poll's."""
    needs_interfaces: bool = False
    """True if every WAN must be named in the settings with its interface, because the router knows no WANs."""
