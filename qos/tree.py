"""The parts traffic control is made of, as plain data, both wanted and read back.

Everything is kept in the kernel's own grain (rates in multiples of 8 bit/s, bucket depths in multiples of 64 ns), so
that what is read back equals what was asked to the last bit and "as planned" is plain equality.
"""

from dataclasses import dataclass, field

from qos.match import Key

ROOT = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Tbf:
    """Token bucket over the whole tree. Cuts offloaded packets of up to 64 KiB into frames before they are queued."""

    rate_bps: int
    burst_ns: int
    """Depth of the bucket as time at `rate_bps`."""
    limit_bytes: int
    """Only of the built-in queue, until the classes are in place."""


@dataclass(frozen=True, slots=True)
class Htb:
    default_minor: int
    r2q: int


@dataclass(frozen=True, slots=True)
class Bfifo:
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class FqCodel:
    target_us: int
    interval_us: int
    limit_packets: int
    quantum_bytes: int


@dataclass(frozen=True, slots=True)
class Cake:
    """As a leaf: no rate of its own, one tin."""

    diffserv: int
    target_us: int
    interval_us: int
    """What cake calls rtt."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A queue we do not build."""

    kind: str


QdiscOptions = Tbf | Htb | Bfifo | FqCodel | Cake | Foreign

KINDS: dict[type[QdiscOptions], str] = {Tbf: "tbf", Htb: "htb", Bfifo: "bfifo", FqCodel: "fq_codel", Cake: "cake"}


@dataclass(frozen=True, slots=True)
class Qdisc:
    handle: int
    """major << 16; 0 is the kernel's own default."""
    parent: int
    options: QdiscOptions

    @property
    def kind(self) -> str:
        return self.options.kind if isinstance(self.options, Foreign) else KINDS[type(self.options)]


@dataclass(frozen=True, slots=True)
class HtbClass:
    handle: int
    parent: int
    rate_bps: int
    ceil_bps: int
    burst_ns: int
    cburst_ns: int
    quantum_bytes: int
    prio: int


@dataclass(frozen=True, slots=True)
class Filter:
    """One u32 node. Nodes of one (preference, protocol) are tried in rising order."""

    preference: int
    protocol: int
    """Ethertype, or 3 for all."""
    node: int
    """1–4095; 0 stands for a whole filter of another kind than u32."""
    keys: tuple[Key, ...]
    class_id: int
    parent: int
    kernel_handle: int = field(default=0, compare=False)
    """What the kernel calls it once it exists."""


Node = Qdisc | HtbClass | Filter


@dataclass(frozen=True, slots=True)
class Tree:
    """Queues and classes parents first."""

    qdiscs: tuple[Qdisc, ...] = ()
    classes: tuple[HtbClass, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def root(self) -> Qdisc | None:
        return next((qdisc for qdisc in self.qdiscs if qdisc.parent == ROOT), None)
