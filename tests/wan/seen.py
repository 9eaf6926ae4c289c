"""Routers seen in one poll, built briefly."""

from wan.profile import Counters, RouterSeen, WanSeen
from wan.reading import WanState


def wan(
    name: str,
    state: WanState = WanState.CONNECTED,
    octets: int | None = None,
    *,
    healthy: bool | None = None,
    gateway: str | None = None,
    present: bool = True,
    interface: int = 1,
    discontinuity: int | None = 0,
) -> WanSeen:
    """`octets` both ways; None: no counters."""
    counters = None if octets is None else Counters(octets, octets, interface, discontinuity)
    return WanSeen(name, name, state, present=present, healthy=healthy, gateway=gateway, counters=counters)


def router(*wans: WanSeen, uptime_s: float | None = 1000.0) -> RouterSeen:
    return RouterSeen(wans, uptime_s, model="Balance 20X", firmware=None)
