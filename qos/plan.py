"""The tree an interface should carry, from settings, rate and what the kernel offers; and the way there. Pure.

    tbf ed6e:            the whole rate; cuts offloaded 64 KiB packets into frames (left out if the kernel has none)
    └ htb ed6f:          u32 filters choose the class, unmatched goes to p4
      └ class :1         the rate again
        ├ :10 p1 ┐       guaranteed share, may borrow all that others leave, p1 first
        ├ :20 p2 │       each with a leaf of its own: cake, fq_codel, or a short bfifo
        ├ :30 p3 │
        └ :40 p4 ┘

Only trees whose root handle is ed6e: (or ed6f: without tbf) are ours. Handle 0 is the kernel's default and may be
replaced. Anything else was put there by somebody and stays.

Without tbf one offloaded packet overtakes the rate by its whole length: on a 10 Mbit/s line, saturated by one TCP
upload, the 99th percentile of a p1 packet's delay was 29 ms without it and 1.5 ms with it.

The shares of the classes are the site's, so cake is a leaf here and not the whole tree: its diffserv4 would bring
fixed thresholds (voice 25 %, video 50 %, bulk 6 %) and knows nothing of ports.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from qos.match import CONTROL_CLASS, Rule, rules
from qos.settings import CLASS_NAMES, Direction, QosSettings
from qos.tree import ROOT, Bfifo, Cake, Filter, FqCodel, Htb, HtbClass, Qdisc, QdiscOptions, Tbf, Tree

ROOT_HANDLE = 0xED6E0000
HTB_HANDLE = 0xED6F0000
_TRUNK = HTB_HANDLE | 1
CLASS_IDS = {name: HTB_HANDLE | (n + 1) << 4 for n, name in enumerate(CLASS_NAMES)}
_LEAF_HANDLES = {name: 0xED710000 + (n << 16) for n, name in enumerate(CLASS_NAMES)}

# Seconds of the full rate a leaf without active queue management may hold. p1 is short: late audio is lost audio, and
# it borrows first, so at worst it drains at half the rate. p4 has room for the window of a TCP upload over 50 ms.
_LEAF_DEPTH_S = {"p1": 0.03, "p2": 0.05, "p3": 0.05, "p4": 0.05}
_LEAF_MIN_FRAMES = 10
_OFFLOAD_BYTES = 65536  # the longest packet segmentation offload hands over
_BURST_S = 0.001  # what may leave back to back; the next queue down the line sees no more
_LINK_HEADER_BYTES = 18  # Ethernet and one VLAN tag
_CODEL_TARGET_S = 0.005  # RFC 8289
_CODEL_INTERVAL_S = 0.1
_CAKE_BESTEFFORT = 3

_ETH_ALL, _ETH_IPV4, _ETH_IPV6, _ETH_VLAN = 0x0003, 0x0800, 0x86DD, 0x8100


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the kernel offers. Starts hopeful; each kind it does not know is taken away and the plan is made anew."""

    leaves: tuple[str, ...] = ("cake", "fq_codel", "bfifo")
    """Best first."""
    tbf: bool = True

    def without(self, kind: str) -> "Abilities | None":
        """One ability less; None if nothing works without it."""
        if kind == "tbf":
            return replace(self, tbf=False)
        leaves = tuple(leaf for leaf in self.leaves if leaf != kind)
        return replace(self, leaves=leaves) if leaves and leaves != self.leaves else None


def plan(
    settings: QosSettings, direction: Direction, *, link_bps: int, mtu_bytes: int = 1500, abilities: Abilities
) -> Tree:
    """The wanted tree. `link_bps` is the link's own figure; the margin is taken off here."""
    line = _Line(shaped_bps(settings, link_bps), mtu_bytes + _LINK_HEADER_BYTES, abilities)
    classes = [line.htb_class(_TRUNK, HTB_HANDLE, line.rate_bps, prio=0)]
    leaves = []
    for prio, (name, each) in enumerate(settings.classes()):
        share_bps = _grain(line.rate_bps * each.share_pct / 100)
        classes.append(line.htb_class(CLASS_IDS[name], _TRUNK, share_bps, prio=prio))
        leaves.append(Qdisc(_LEAF_HANDLES[name], CLASS_IDS[name], line.leaf(name, share_bps)))
    return Tree((*line.top(), *leaves), tuple(classes), tuple(_filters(settings, direction)))


def shaped_bps(settings: QosSettings, link_bps: int) -> int:
    return _grain(link_bps * settings.margin)


def is_ours(found: Tree) -> bool:
    return found.root is not None and found.root.handle in (ROOT_HANDLE, HTB_HANDLE)


def is_foreign(found: Tree) -> bool:
    """Somebody's own queue at the root: neither ours nor the kernel's default (which has handle 0)."""
    return found.root is not None and found.root.handle != 0 and not is_ours(found)


def leaf_kind(tree: Tree) -> str | None:
    return next((qdisc.kind for qdisc in tree.qdiscs if qdisc.handle == _LEAF_HANDLES["p1"]), None)


@dataclass(frozen=True, slots=True)
class _Line:
    """The sizes of everything that hangs on one rate."""

    rate_bps: int
    frame_bytes: int
    abilities: Abilities

    @property
    def burst_bytes(self) -> int:
        return max(2 * self.frame_bytes, ceil(self.rate_bps / 8 * _BURST_S))

    def top(self) -> list[Qdisc]:
        htb = Htb(default_minor=CLASS_IDS["p4"] & 0xFFFF, r2q=10)
        if not self.abilities.tbf:
            return [Qdisc(HTB_HANDLE, ROOT, htb)]
        tbf = Tbf(self.rate_bps, _time_ns(self.burst_bytes, self.rate_bps), self._depth_bytes("p4"))
        return [Qdisc(ROOT_HANDLE, ROOT, tbf), Qdisc(HTB_HANDLE, ROOT_HANDLE | 1, htb)]

    def htb_class(self, handle: int, parent: int, guaranteed_bps: int, *, prio: int) -> HtbClass:
        return HtbClass(
            handle,
            parent,
            rate_bps=guaranteed_bps,
            ceil_bps=self.rate_bps,
            burst_ns=_time_ns(self.burst_bytes, guaranteed_bps),
            cburst_ns=_time_ns(self.burst_bytes, self.rate_bps),
            quantum_bytes=self.frame_bytes,
            prio=prio,
        )

    def leaf(self, name: str, guaranteed_bps: int) -> QdiscOptions:
        # One frame and a half at the guaranteed rate, else a slow class would drop every second packet.
        target_s = max(_CODEL_TARGET_S, 1.5 * self.frame_bytes * 8 / guaranteed_bps)
        interval_s = _CODEL_INTERVAL_S - _CODEL_TARGET_S + target_s
        match self.abilities.leaves[0]:
            case "cake":
                return Cake(_CAKE_BESTEFFORT, round(target_s * 1e6), round(interval_s * 1e6))
            case "fq_codel":
                return FqCodel(_codel_us(target_s), _codel_us(interval_s), 1000, quantum_bytes=self.frame_bytes)
            case _:
                # Uncut offloaded packets must fit, or an upload made of them never gets one through.
                least_bytes = 0 if self.abilities.tbf else 2 * _OFFLOAD_BYTES
                return Bfifo(max(least_bytes, self._depth_bytes(name)))

    def _depth_bytes(self, name: str) -> int:
        return max(_LEAF_MIN_FRAMES * self.frame_bytes, int(self.rate_bps / 8 * _LEAF_DEPTH_S[name]))


def _filters(settings: QosSettings, direction: Direction) -> Iterator[Filter]:
    """Tagged frames show as VLAN, with the network header at the IP packet: the same keys, both versions in a row."""
    by_version = rules(settings, direction)
    families = (
        (10, _ETH_IPV4, by_version[4]),
        (11, _ETH_IPV6, by_version[6]),
        (12, _ETH_VLAN, by_version[4] + by_version[6]),
        (13, _ETH_ALL, (Rule(CONTROL_CLASS, ()),)),
    )
    for preference, protocol, tried in families:
        for node, rule in enumerate(tried, start=1):
            yield Filter(preference, protocol, node, rule.keys, CLASS_IDS[rule.class_name], HTB_HANDLE)


def _grain(rate_bps: float) -> int:
    return int(rate_bps) // 8 * 8


def _time_ns(size_bytes: int, rate_bps: int) -> int:
    """How long `size_bytes` take at `rate_bps`, up to the next tick of 64 ns."""
    return ceil(size_bytes * 8e9 / rate_bps / 64) * 64


def _codel_us(time_s: float) -> int:
    """To the next microsecond that survives codel's own unit of 1024 ns."""
    units = ceil(time_s * 1e9 / 1024)
    return ceil(units * 1024 / 1000)
