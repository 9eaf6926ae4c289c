"""The site as data: its nodes, cables, bridges, addresses, routes, and how each wire behaves when nothing is wrong.

    workstation pacs staff power phone        (10.77.0.20 .30 .40 .50 .60)
         └──────┴─────┴─────┴────┴── switch ── edge ── router ═══ fiber ═══ fiber-isp ──┐
                                      (in line: .10 .11 .12)  ═ cellular ═ cellular-isp ─┴ internet (198.51.100.0/24)
                                          │
                                        mobile (192.0.2.2, to the box at 192.0.2.1)

The mobile workstation's heartbeat comes over its own carrier and the site's VPN or a forwarded port, and so, at a real
site, over one of the two lines. Here all that is one wire of its own, which ends in the box: what is heard and what is
not then says something of the workstation alone, also while both lines are cut.

Addresses are fixed: tests, services and the daemon's configuration name them. Every MAC address is derived from its
place in the plan.
"""

import zlib
from dataclasses import dataclass

from lab.wire import WireSettings

NODES = (
    "edge",
    "router",
    "workstation",
    "pacs",
    "staff",
    "power",
    "phone",
    "mobile",
    "switch",
    "fiber",
    "cellular",
    "fiber-isp",
    "cellular-isp",
    "internet",
)
FORWARDING = ("router", "fiber-isp", "cellular-isp")

# ── cables ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Port:
    node: str
    ifname: str

    @property
    def mac(self) -> str:
        """Locally administered: the node's number, and the name's checksum, which tells the names of this plan
        apart."""
        name = zlib.crc32(self.ifname.encode()) & 0xFFFF
        return f"02:77:00:{NODES.index(self.node):02x}:{name >> 8:02x}:{name & 0xFF:02x}"


@dataclass(frozen=True, slots=True)
class Cable:
    a: Port
    b: Port


def _cable(a: str, b: str) -> Cable:
    return Cable(Port(*a.split()), Port(*b.split()))


SWITCHED = ("workstation", "pacs", "staff", "power", "phone")
CABLES = (
    *(_cable(f"{node} lan0", f"switch {node}") for node in SWITCHED),
    _cable("edge lan0", "switch edge"),
    _cable("edge mobile0", "mobile net0"),
    _cable("edge wan0", "router lan0"),
    _cable("router wan0", "fiber room"),
    _cable("fiber net", "fiber-isp access"),
    _cable("router wan1", "cellular room"),
    _cable("cellular net", "cellular-isp access"),
    _cable("fiber-isp core", "internet fiber"),
    _cable("cellular-isp core", "internet cellular"),
)

BRIDGES: dict[Port, tuple[str, ...]] = {
    Port("switch", "sw0"): (*SWITCHED, "edge"),
    Port("edge", "br0"): ("lan0", "wan0"),
    Port("internet", "ix0"): ("fiber", "cellular"),
}

# ── layer 3 ────────────────────────────────────────────────────────────────────────────────────────────
LAN = "10.77.0.0/24"
ROUTER_LAN = "10.77.0.1"
LAN_PORT = Port("router", "lan0")
"""The router's end of the cable to the edge box: the one all links share."""
PIN_FIBER, PIN_CELLULAR = "10.77.0.11", "10.77.0.12"
FAR_HOSTS = ("198.51.100.40", "198.51.100.41")
"""They answer pings: the daemon's, and the router's health checks."""
BOX_FOR_MOBILE, MOBILE = "192.0.2.1", "192.0.2.2"
"""Where the mobile workstation's heartbeat reaches the box, and where it comes from."""
REFLECTOR, PLATFORM = "198.51.100.20", "198.51.100.30"
PLATFORM_NAME = "platform.lab.test"
CA_FILE = "ca.pem"
"""In the lab's directory, once the platform serves: whom to trust for its name."""
MOBILE_KEY_FILE = "mobile.key"
"""There as well, once the mobile workstation is there: what it signs with."""

ADDRESSES: dict[Port, tuple[str, ...]] = {
    LAN_PORT: (f"{ROUTER_LAN}/24",),
    Port("edge", "br0"): ("10.77.0.10/24", f"{PIN_FIBER}/24", f"{PIN_CELLULAR}/24"),
    Port("edge", "mobile0"): (f"{BOX_FOR_MOBILE}/24",),
    Port("mobile", "net0"): (f"{MOBILE}/24",),
    Port("workstation", "lan0"): ("10.77.0.20/24",),
    Port("pacs", "lan0"): ("10.77.0.30/24",),
    Port("staff", "lan0"): ("10.77.0.40/24",),
    Port("power", "lan0"): ("10.77.0.50/24",),
    Port("phone", "lan0"): ("10.77.0.60/24",),
    Port("router", "wan0"): ("100.64.1.2/24",),
    Port("router", "wan1"): ("100.64.2.2/24",),
    Port("fiber-isp", "access"): ("100.64.1.1/24",),
    Port("cellular-isp", "access"): ("100.64.2.1/24",),
    Port("fiber-isp", "core"): ("198.51.100.1/24",),
    Port("cellular-isp", "core"): ("198.51.100.2/24",),
    Port("internet", "ix0"): tuple(f"198.51.100.{host}/24" for host in (10, 20, 30, 40, 41)),
}

TABLE_MAIN, TABLE_ACTIVE = 254, 100


@dataclass(frozen=True, slots=True)
class Route:
    node: str
    to: str
    via: str
    table: int = TABLE_MAIN


@dataclass(frozen=True, slots=True)
class Rule:
    """Policy rule: packets from `source` (None: all) look in `table` (None: they vanish). The lowest priority is asked
    first."""

    priority: int
    source: str | None
    table: int | None


@dataclass(frozen=True, slots=True)
class Wan:
    """One uplink of the router. `index` is what its SNMP agent calls it."""

    index: str
    name: str
    link: str
    ifname: str
    address: str
    provider: str
    table: int
    pin: str

    def enforced_by(self, leaving: "Wan") -> Rule:
        """The rule that sends this WAN's pin out by the WAN `leaving`: itself, unless something is wrong."""
        return Rule(1000 + int(self.index), self.pin, leaving.table)


WANS = (
    Wan("0", "Fiber", "fiber", "wan0", "100.64.1.2", "100.64.1.1", 101, PIN_FIBER),
    Wan("1", "Cellular", "cellular", "wan1", "100.64.2.2", "100.64.2.1", 102, PIN_CELLULAR),
)

ROUTES = (
    *(Route(node, "default", ROUTER_LAN) for node in ("edge", *SWITCHED)),
    Route("internet", "100.64.1.0/24", "198.51.100.1"),
    Route("internet", "100.64.2.0/24", "198.51.100.2"),
    *(Route("router", "default", wan.provider, wan.table) for wan in WANS),
    Route("router", "default", WANS[0].provider, TABLE_ACTIVE),
)

# A pinned source never leaves by the other WAN, so its rule stands before everything. The router's own health checks
# are pinned by their WAN's address. All else: first the connected networks (main, 32766), then the active WAN.
RULES = (
    *(wan.enforced_by(wan) for wan in WANS),
    *(Rule(1100 + i, wan.address, wan.table) for i, wan in enumerate(WANS)),
    Rule(33000, None, TABLE_ACTIVE),
)

# On node internet, when told so: what is probed falls silent as a host does that is off or filtered, without an error
# from anybody. The platform goes on, and so does the other host that the router's health checks ask.
SILENCE = tuple(Rule(100 + i, host, None) for i, host in enumerate((REFLECTOR, FAR_HOSTS[0])))


@dataclass(frozen=True, slots=True)
class Neighbour:
    at: Port
    address: str
    mac: str


# Known for ever on the wires, as on a PPP or PON line: a cut is then a pure black hole, no ARP failure tells anybody,
# and a healed wire carries at once instead of after the next ARP retry.
NEIGHBOURS = tuple(
    neighbour
    for wan in WANS
    for inside, outside in [(Port("router", wan.ifname), Port(f"{wan.link}-isp", "access"))]
    for neighbour in (
        Neighbour(inside, wan.provider, outside.mac),
        Neighbour(outside, wan.address, inside.mac),
    )
)

# ── wires ──────────────────────────────────────────────────────────────────────────────────────────────
LINKS: dict[str, WireSettings] = {
    # 1 MB at 100 Mbit/s is 80 ms, at 20 Mbit/s 400 ms: what home-grade gateways and LTE schedulers really hold back.
    "fiber": WireSettings(delay_s=0.010, rate_bps=100e6, queue_bytes=1_000_000),
    "cellular": WireSettings(delay_s=0.030, jitter_s=0.003, rate_bps=20e6, queue_bytes=1_000_000),
}
"""Each direction of a wire starts so; `lab heal` comes back to it."""
