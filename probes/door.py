"""Do two links leave by one door? Read from what each found of its exit; pure, and "not known" rather than a guess.

A door is the first router behind the site. Equal doors prove one provider, and so does one mapped address. Different
mapped addresses alone prove nothing: a carrier's NAT may give each flow another one (RFC 4787, pooling "arbitrary"),
and without a NAT they differ because our sources do. Addresses that anybody may use name nobody: private ones are taken
for the site's own (RFC 1918: router, modem) or ignored, and one of 100.64.0.0/10 (RFC 6598) counts unless what is
behind it speaks against it.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from probes.line_reading import ExitReading

_Hop = IPv4Address | IPv6Address | None

# Not `is_private`: its meaning changed between Python 3.11 and 3.13, and it takes in the addresses of documentation.
_PRIVATE = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        "192.0.0.0/24",  # between a phone and its NAT (RFC 7335)
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
_CARRIERS = ip_network("100.64.0.0/10")


def same_door(a: ExitReading, b: ExitReading) -> bool | None:
    """Whether two links leave by the same provider's router, or are seen as the same address. None: not known."""
    if a.mapped is not None and b.mapped is not None and ip_address(a.mapped) == ip_address(b.mapped):
        return True
    behind_a, behind_b = _behind_site(a, b), _behind_site(b, a)
    if not behind_a or not behind_b:
        return None
    if _leads_through(behind_a, behind_b[0]) or _leads_through(behind_b, behind_a[0]):
        return True
    if behind_a[0] is None or behind_b[0] is None:
        # Second routers may differ by chance of the flow, and be the same at the far end: a hidden door needs more.
        later_differ = _first_pair_differs(behind_a, behind_b)
        return False if later_differ and a.mapped is not None and b.mapped is not None else None
    if behind_a[0].version != behind_b[0].version:  # one router has an address of each kind
        return None
    if behind_a[0] != behind_b[0]:
        return False
    return None if _first_pair_differs(behind_a[1:], behind_b[1:]) else True


def moved(before: ExitReading, now: ExitReading, other: ExitReading) -> bool | None:
    """Whether a link now leaves by the door of another link and did not before: its pin does not hold.

    `before` and `now` are of the link itself, `other` is the other link's last known exit. False where it leaves by the
    same door as ever, also if that is the other link's. None: not known.
    """
    joined = same_door(now, other)
    if not joined or (before.mapped is None and not before.hops):
        return None if joined else joined
    return same_door(before, other) is not True


def _behind_site(own: ExitReading, other: ExitReading) -> list[_Hop]:
    """The hops from the door on, None for what is hidden or names nobody."""
    hops = [None if hop is None else ip_address(hop) for hop in own.hops]
    first = 1 if hops and _is_the_sites_router(hops[0], own, other) else 0
    while first < len(hops) and _is_private(hops[first]):
        first += 1
    return [None if _is_private(hop) else hop for hop in hops[first:]]


def _is_the_sites_router(hop: _Hop, own: ExitReading, other: ExitReading) -> bool:
    """The first hop: hidden, the same for both links, or (IPv6, without NAT) in the network of our own address."""
    if hop is None or _is_private(hop) or str(hop) == (other.hops[0] if other.hops else None):
        return True
    if own.mapped is None or hop.version != 6:
        return False
    ours = ip_address(own.mapped)
    return ours.version == 6 and hop in ip_network((int(ours) >> 64 << 64, 64))


def _leads_through(hops: Sequence[_Hop], door: _Hop) -> bool:
    return door is not None and door not in _CARRIERS and door in hops


def _first_pair_differs(a: Sequence[_Hop], b: Sequence[_Hop]) -> bool:
    """At the first place where both are known by an address of their own."""
    for one, another in zip(a, b, strict=False):
        if one is not None and another is not None and one not in _CARRIERS and another not in _CARRIERS:
            return one.version == another.version and one != another
    return False


def _is_private(hop: _Hop) -> bool:
    return hop is not None and any(hop in network for network in _PRIVATE)
