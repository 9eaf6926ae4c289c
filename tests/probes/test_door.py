"""The truth table of doors. 203.0.113/24 and 198.51.100/24 stand for addresses of providers."""

import pytest

from probes.door import moved, same_door
from probes.line_reading import ExitReading

ROUTER, MODEM = "192.168.1.1", "192.168.8.1"
FIBER, FIBER_CORE, FIBER_NAT = "203.0.113.1", "203.0.113.9", "203.0.113.77"
CELL, CELL_CORE, CELL_NAT = "198.51.100.1", "198.51.100.9", "198.51.100.77"
ROUTER_6, ROUTER_6_ALSO = "2001:db8:f::1", "2001:db8:c::1"
FIBER_6, CELL_6 = "2001:db8:f00::1", "2001:db8:c00::1"
US_BY_FIBER_6, US_BY_CELL_6 = "2001:db8:f::11", "2001:db8:c::12"


def seen(mapped: str | None, *hops: str | None) -> ExitReading:
    return ExitReading("any", 0.0, mapped, hops)


TABLE = {
    "two providers": (seen(FIBER_NAT, ROUTER, FIBER), seen(CELL_NAT, ROUTER, CELL), False),
    "one mapped address": (seen(FIBER_NAT, ROUTER, FIBER), seen(FIBER_NAT, ROUTER, CELL), True),
    "one mapped address, nothing else": (seen(FIBER_NAT), seen(FIBER_NAT), True),
    "one mapped address, written twice": (seen("2001:db8::1"), seen("2001:0db8:0::1"), True),
    "a carrier's NAT that maps each flow anew": (
        seen(CELL_NAT, ROUTER, CELL),
        seen("198.51.100.78", ROUTER, CELL),
        True,
    ),
    "no NAT, sources differ": (seen("203.0.113.11", ROUTER, FIBER), seen("203.0.113.12", ROUTER, FIBER), True),
    "one STUN answer missing, two doors": (seen(None, ROUTER, FIBER), seen(CELL_NAT, ROUTER, CELL), False),
    "one STUN answer missing, one door": (seen(None, ROUTER, FIBER), seen(FIBER_NAT, ROUTER, FIBER), True),
    "both STUN answers missing": (seen(None, ROUTER, FIBER), seen(None, ROUTER, CELL), False),
    "both doors hidden, else all differs": (
        seen(FIBER_NAT, ROUTER, None, FIBER_CORE),
        seen(CELL_NAT, ROUTER, None, CELL_CORE),
        False,
    ),
    "one door hidden, else all differs": (
        seen(FIBER_NAT, ROUTER, None, FIBER_CORE),
        seen(CELL_NAT, ROUTER, CELL, CELL_CORE),
        False,
    ),
    "a door hidden and a STUN answer missing": (
        seen(None, ROUTER, None, FIBER_CORE),
        seen(CELL_NAT, ROUTER, CELL, CELL_CORE),
        None,
    ),
    "both doors hidden, one router behind them": (
        seen(FIBER_NAT, ROUTER, None, FIBER_CORE),
        seen(CELL_NAT, ROUTER, None, FIBER_CORE),
        None,
    ),
    "a door hidden on the one, and met later on the other": (
        seen(FIBER_NAT, ROUTER, None, CELL),
        seen(CELL_NAT, ROUTER, CELL),
        True,
    ),
    "one goes through its own door, then the other's": (
        seen(CELL_NAT, ROUTER, CELL, FIBER),
        seen(FIBER_NAT, ROUTER, FIBER, FIBER_CORE),
        True,
    ),
    "two doors, then one router: the far end's": (
        seen(FIBER_NAT, ROUTER, FIBER, "192.0.2.1"),
        seen(CELL_NAT, ROUTER, CELL, "192.0.2.1"),
        False,
    ),
    "only the site's router answers": (seen(FIBER_NAT, ROUTER), seen(CELL_NAT, ROUTER), None),
    "nothing answers on one": (seen(FIBER_NAT, ROUTER, FIBER), seen(None), None),
    "nothing answers": (seen(None), seen(None), None),
    "mapped addresses alone": (seen(FIBER_NAT), seen(CELL_NAT), None),
    "the site's router hides": (seen(FIBER_NAT, None, FIBER), seen(CELL_NAT, None, CELL), False),
    "the site's router hides, one door": (seen(None, None, FIBER), seen(CELL_NAT, None, FIBER), True),
    "the site's router hides once": (seen(FIBER_NAT, None, FIBER), seen(CELL_NAT, ROUTER, FIBER), True),
    "two modems of one make": (seen(FIBER_NAT, ROUTER, MODEM, FIBER), seen(CELL_NAT, ROUTER, MODEM, CELL), False),
    "two modems of one make, no more": (seen(FIBER_NAT, ROUTER, MODEM), seen(CELL_NAT, ROUTER, MODEM), None),
    "a modem on one": (seen(FIBER_NAT, ROUTER, FIBER), seen(CELL_NAT, ROUTER, MODEM, CELL), False),
    "a modem on one, one door": (seen(FIBER_NAT, ROUTER, FIBER), seen(CELL_NAT, ROUTER, MODEM, FIBER), True),
    "a modem of our own beside the router": (seen(FIBER_NAT, ROUTER, FIBER), seen(CELL_NAT, CELL), False),
    "a carrier that uses 10/8 inside": (
        seen(FIBER_NAT, ROUTER, FIBER),
        seen(CELL_NAT, ROUTER, "10.44.0.1", CELL),
        False,
    ),
    "private addresses after the door name nobody": (
        seen(FIBER_NAT, ROUTER, None, "10.0.0.1"),
        seen(CELL_NAT, ROUTER, None, "10.0.0.2"),
        None,
    ),
    "carrier-grade NAT, two routers": (seen(None, ROUTER, "100.64.0.1"), seen(None, ROUTER, "100.65.0.1"), False),
    "carrier-grade NAT, one router": (
        seen(CELL_NAT, ROUTER, "100.64.0.1"),
        seen("198.51.100.78", ROUTER, "100.64.0.1"),
        True,
    ),
    "carrier-grade NAT, one router and one behind it": (
        seen(CELL_NAT, ROUTER, "100.64.0.1", CELL),
        seen("198.51.100.78", ROUTER, "100.64.0.1", CELL),
        True,
    ),
    "two carriers that both call their first router 100.64.0.1": (
        seen(FIBER_NAT, ROUTER, "100.64.0.1", FIBER),
        seen(CELL_NAT, ROUTER, "100.64.0.1", CELL),
        None,
    ),
    "a site's router with a public address": (
        seen(FIBER_NAT, "192.0.2.1", FIBER),
        seen(CELL_NAT, "192.0.2.1", CELL),
        False,
    ),
    "IPv6, two providers": (seen(US_BY_FIBER_6, ROUTER_6, FIBER_6), seen(US_BY_CELL_6, ROUTER_6, CELL_6), False),
    "IPv6, one provider": (seen(US_BY_FIBER_6, ROUTER_6, FIBER_6), seen(US_BY_CELL_6, ROUTER_6, FIBER_6), True),
    "IPv6, the router answers from the network asked": (
        seen(US_BY_FIBER_6, ROUTER_6, FIBER_6),
        seen(US_BY_CELL_6, ROUTER_6_ALSO, FIBER_6),
        True,
    ),
    "IPv6, the router answers from the network asked, no more": (
        seen(US_BY_FIBER_6, ROUTER_6),
        seen(US_BY_CELL_6, ROUTER_6_ALSO),
        None,
    ),
    "IPv6, a unique local router": (seen(None, "fd00::1", FIBER_6), seen(None, "fd00::1", CELL_6), False),
    "IPv4 and IPv6 cannot be told apart": (seen(FIBER_NAT, ROUTER, FIBER), seen(US_BY_CELL_6, ROUTER_6, CELL_6), None),
}


@pytest.mark.parametrize(("a", "b", "expected"), TABLE.values(), ids=TABLE)
def test_one_door_two_doors_or_not_known(a: ExitReading, b: ExitReading, expected: bool | None) -> None:
    assert same_door(a, b) is expected
    assert same_door(b, a) is expected


BY_FIBER, BY_CELL = seen(FIBER_NAT, ROUTER, FIBER), seen(CELL_NAT, ROUTER, CELL)


@pytest.mark.parametrize(
    ("before", "now", "other", "expected"),
    [
        pytest.param(BY_FIBER, BY_CELL, BY_CELL, True, id="the pin follows the failover"),
        pytest.param(BY_FIBER, seen(None, ROUTER, CELL), BY_CELL, True, id="and no STUN server answers"),
        pytest.param(seen(FIBER_NAT), seen(CELL_NAT), seen(CELL_NAT), True, id="and all routers hide"),
        pytest.param(BY_FIBER, BY_FIBER, BY_CELL, False, id="the pin holds, the line lives"),
        pytest.param(BY_FIBER, seen(None, ROUTER), BY_CELL, None, id="the pin holds, the line is dead"),
        pytest.param(BY_FIBER, seen(None), BY_CELL, None, id="nothing answers"),
        pytest.param(BY_FIBER, BY_CELL, seen(None), None, id="of the other link nothing is known"),
        pytest.param(BY_CELL, BY_CELL, BY_CELL, False, id="one door from the beginning"),
        pytest.param(seen(None), BY_CELL, BY_CELL, None, id="it may have been there from the beginning"),
        pytest.param(BY_FIBER, seen("192.0.2.9", ROUTER, "192.0.2.1"), BY_CELL, False, id="to a third door"),
    ],
)
def test_whether_a_link_moved_to_the_door_of_another(
    before: ExitReading, now: ExitReading, other: ExitReading, expected: bool | None
) -> None:
    assert moved(before, now, other) is expected
