"""What the lab's router answers over SNMP: one table OID → value, pure, served by real snmpd and by our double alike.

The shape is a Peplink Balance 20X on firmware 8.5.1: WAN indices start at 0, and the P.200 device branch is absent
unless asked for (older firmware and MAX models have it). Source: PEPLINK WAN MIB (P.2.1), BALANCE MIB (P.1.1.1), IF-MIB
(RFC 2863), SNMPv2-MIB (RFC 3418).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lab.services.world import Router, Wan

Oid = tuple[int, ...]

PEPLINK: Oid = (1, 3, 6, 1, 4, 1, 23695)
SYS_DESCR = "Peplink Balance 20X"
SYS_NAME = "lab-balance-20x"
SERIAL = "0000-1AB0-0020"
FIRMWARE = "8.5.1 build 1"
NO_SIGNAL_DBM = -9999
REACHING_OUT = frozenset({3, 5, 6, 8})  # wanState in which the WAN has an address and so a gateway
USAGE_PERIODS = (0, 1, 3)  # daily, monthly, since reboot: the lab lives for less than a day, so all three are the same


class Kind(StrEnum):
    """Named as net-snmp's pass_persist protocol names them."""

    INTEGER = "integer"
    STRING = "string"
    COUNTER32 = "counter"
    COUNTER64 = "counter64"
    GAUGE = "gauge"
    TICKS = "timeticks"
    ADDRESS = "ipaddress"
    OBJECT_ID = "objectid"


@dataclass(frozen=True, slots=True)
class Value:
    kind: Kind
    value: int | str


@dataclass(frozen=True, slots=True)
class Line:
    """What the wiring of a WAN is like in this lab, beside what the world says of it."""

    gateway: str
    signal_dbm: int = NO_SIGNAL_DBM
    cell_id: str = ""
    pdp: int = 0
    speed_bps: int = 1_000_000_000


LINES: Mapping[str, Line] = {
    "wan0": Line(gateway="100.64.1.1", speed_bps=100_000_000),
    "wan1": Line(gateway="100.64.2.1", signal_dbm=-71, cell_id="0A1B2C03", pdp=1, speed_bps=20_000_000),
}
OTHER_LINE = Line(gateway="0.0.0.0")


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface as the kernel has it."""

    index: int
    ifname: str
    up: bool
    running: bool
    mtu: int
    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_drops: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_drops: int


class Tree:
    """A table of OIDs that can be asked as SNMP asks: exactly, or for what comes next."""

    def __init__(self, rows: Mapping[Oid, Value]) -> None:
        self._rows = dict(rows)
        self._order = sorted(rows)

    def get(self, oid: Oid) -> Value | None:
        return self._rows.get(oid)

    def after(self, oid: Oid) -> tuple[Oid, Value] | None:
        """The first row beyond `oid` in lexicographic order, None at the end."""
        place = bisect_right(self._order, oid)
        if place == len(self._order):
            return None
        found = self._order[place]
        return found, self._rows[found]

    def __iter__(self) -> Iterator[Oid]:
        return iter(self._order)


def peplink(router: Router, interfaces: Iterable[Interface], *, device_branch: bool = False) -> dict[Oid, Value]:
    """The enterprise subtree."""
    traffic = {interface.ifname: interface for interface in interfaces}
    rows = {
        (*PEPLINK, 1, 1, 1, 1, 0): _text(FIRMWARE),
        (*PEPLINK, 1, 1, 1, 2, 0): _text(SERIAL),
        (*PEPLINK, 2, 1, 1, 0): _integer(len(router.wans)),
    }
    for index, wan in router.wans.items():
        rows |= _wan(int(index), wan) | _usage(int(index), traffic.get(wan.ifname))
    if device_branch:
        about = (SYS_DESCR, SERIAL, FIRMWARE)
        rows |= {(*PEPLINK, 200, 1, 1, 1, 1, column, 0): _text(text) for column, text in enumerate(about, 1)}
    return rows


def standard(router: Router, interfaces: Iterable[Interface], uptime_s: float) -> dict[Oid, Value]:
    """The system group and IF-MIB, for the double; snmpd has its own."""
    names = interface_names(router)
    mib2: Oid = (1, 3, 6, 1, 2, 1)
    rows = {
        (*mib2, 1, 1, 0): _text(SYS_DESCR),
        (*mib2, 1, 2, 0): Value(Kind.OBJECT_ID, dotted(PEPLINK)),
        (*mib2, 1, 3, 0): Value(Kind.TICKS, int(uptime_s * 100) % 2**32),
        (*mib2, 1, 4, 0): _text("lab"),
        (*mib2, 1, 5, 0): _text(SYS_NAME),
        (*mib2, 1, 6, 0): _text("lab"),
        (*mib2, 1, 7, 0): _integer(72),
    }
    count = 0
    for interface in interfaces:
        rows |= _interface(mib2, interface, names.get(interface.ifname, interface.ifname))
        count += 1
    return rows | {(*mib2, 2, 1, 0): _integer(count)}


def interface_names(router: Router) -> dict[str, str]:
    """Kernel name → what the router calls it: a Peplink's ifDescr and ifName are the name of the WAN. The kernel's name
    is ifAlias here, so that the lab's own names can be found too.
    """
    return {"lan0": "LAN"} | {wan.ifname: wan.name for wan in router.wans.values()}


def speed_bps(ifname: str) -> int:
    return LINES.get(ifname, OTHER_LINE).speed_bps


def dotted(oid: Oid) -> str:
    return "." + ".".join(map(str, oid))


def _wan(index: int, wan: Wan) -> dict[Oid, Value]:
    line = LINES.get(wan.ifname, OTHER_LINE)
    gateway = line.gateway if wan.state in REACHING_OUT else OTHER_LINE.gateway
    columns = {
        1: _integer(index),
        2: _text(wan.name),
        3: _integer(wan.state),
        4: _integer(wan.health),
        5: _integer(line.signal_dbm),
        6: _text(line.cell_id),
        7: _integer(line.pdp),
    }
    rows = {(*PEPLINK, 2, 1, 2, 1, column, index): value for column, value in columns.items()}
    return rows | {(*PEPLINK, 2, 1, 3, 3, 1, 1, index): Value(Kind.ADDRESS, gateway)}


def _usage(index: int, interface: Interface | None) -> dict[Oid, Value]:
    rows: dict[Oid, Value] = {}
    for period in USAGE_PERIODS:
        base: Oid = (*PEPLINK, 2, 1, 4, 1)
        rows[(*base, 2, index, period)] = _megabytes(interface.tx_bytes if interface else 0)
        rows[(*base, 3, index, period)] = _megabytes(interface.rx_bytes if interface else 0)
    return rows


def _interface(mib2: Oid, interface: Interface, name: str) -> dict[Oid, Value]:
    status = 1 if interface.running else 2
    speed = speed_bps(interface.ifname)
    old = {
        1: _integer(interface.index),
        2: _text(name),
        3: _integer(6),
        4: _integer(interface.mtu),
        5: Value(Kind.GAUGE, speed),
        7: _integer(1 if interface.up else 2),
        8: _integer(status),
        9: Value(Kind.TICKS, 0),
        10: _counter32(interface.rx_bytes),
        11: _counter32(interface.rx_packets),
        13: _counter32(interface.rx_drops),
        14: _counter32(interface.rx_errors),
        16: _counter32(interface.tx_bytes),
        17: _counter32(interface.tx_packets),
        19: _counter32(interface.tx_drops),
        20: _counter32(interface.tx_errors),
    }
    new = {
        1: _text(name),
        6: Value(Kind.COUNTER64, interface.rx_bytes),
        7: Value(Kind.COUNTER64, interface.rx_packets),
        10: Value(Kind.COUNTER64, interface.tx_bytes),
        11: Value(Kind.COUNTER64, interface.tx_packets),
        15: Value(Kind.GAUGE, speed // 1_000_000),
        17: _integer(1),
        18: _text(interface.ifname if name != interface.ifname else ""),
        19: Value(Kind.TICKS, 0),
    }
    rows = {(*mib2, 2, 2, 1, column, interface.index): value for column, value in old.items()}
    return rows | {(*mib2, 31, 1, 1, 1, column, interface.index): value for column, value in new.items()}


def _integer(value: int) -> Value:
    return Value(Kind.INTEGER, value)


def _text(value: str) -> Value:
    return Value(Kind.STRING, value)


def _counter32(value: int) -> Value:
    return Value(Kind.COUNTER32, value % 2**32)


def _megabytes(octets: int) -> Value:
    return Value(Kind.COUNTER64, octets // 1_000_000)
