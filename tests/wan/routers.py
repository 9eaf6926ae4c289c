"""What routers say, as varbinds. The Balance 20X as seen on a real one (8.5.1): six WANs from index 0, no P.200
branch.
"""

from collections.abc import Mapping

from wan.inventory import Inventory
from wan.profile import Hints, Profile, RouterSeen
from wan.varbinds import Oid, Value, oid

PEPLINK = oid("1.3.6.1.4.1.23695")
PEPWAVE = oid("1.3.6.1.4.1.27662")

UPTIME = oid("1.3.6.1.2.1.1.3.0")

WANS = {  # index: name, state, health, signal, gateway
    0: (b"WAN", 3, 1, -9999, "100.64.1.1"),
    1: (b"Cellular", 8, 1, -71, "0.0.0.0"),
    2: (b"Mobile Internet", 2, 0, -9999, "0.0.0.0"),
    3: (b"Wi-Fi WAN on 2.4 GHz", 1, 0, 0, "0.0.0.0"),
    4: (b"Wi-Fi WAN on 5 GHz", 1, 0, 0, "0.0.0.0"),
    5: (b"VLAN WAN 1", 1, 0, -9999, "0.0.0.0"),
}


def state_of(wan: int, branch: Oid = PEPLINK) -> Oid:
    return (*branch, 2, 1, 2, 1, 3, wan)


def health_of(wan: int, branch: Oid = PEPLINK) -> Oid:
    return (*branch, 2, 1, 2, 1, 4, wan)


def gateway_of(wan: int, branch: Oid = PEPLINK) -> Oid:
    return (*branch, 2, 1, 3, 3, 1, 1, wan)


def peplink(wans: Mapping[int, tuple[bytes, int, int, int, str]], branch: Oid = PEPLINK) -> dict[Oid, Value]:
    """The vendor's branch."""
    table: dict[Oid, Value] = {(*branch, 2, 1, 1, 0): len(wans)}
    for index, (name, state, health, signal, gateway) in wans.items():
        row: tuple[Value, ...] = (name, state, health, signal)
        for column, value in enumerate(row, start=2):
            table[(*branch, 2, 1, 2, 1, column, index)] = value
        table[gateway_of(index, branch)] = gateway
    return table


BALANCE_20X = peplink(WANS)


def interfaces(*names: str, octets: int = 1000) -> dict[Oid, Value]:
    """IF-MIB and the system group; ifIndex from 1, octets 1000·ifIndex in and 2000·ifIndex out."""
    view: dict[Oid, Value] = {UPTIME: 508_300, oid("1.3.6.1.2.1.1.1.0"): b"Peplink Balance 20X"}
    for index, name in enumerate(names, start=1):
        view[(*oid("1.3.6.1.2.1.2.2.1.2"), index)] = f"descr of {name}".encode()
        view[(*oid("1.3.6.1.2.1.2.2.1.8"), index)] = 1
        view[(*oid("1.3.6.1.2.1.31.1.1.1.1"), index)] = name.encode()
        view[(*oid("1.3.6.1.2.1.31.1.1.1.6"), index)] = octets * index
        view[(*oid("1.3.6.1.2.1.31.1.1.1.10"), index)] = 2 * octets * index
        view[(*oid("1.3.6.1.2.1.31.1.1.1.18"), index)] = b""
        view[(*oid("1.3.6.1.2.1.31.1.1.1.19"), index)] = 0
    return view


def look(profile: Profile, view: Mapping[Oid, Value], hints: Hints | None = None) -> RouterSeen:
    """One survey and one poll of a router that says `view`."""
    inventory = Inventory(profile, hints or {})
    inventory.learn(dict(view))
    return inventory.decode({at: view.get(at) for at in inventory.fast})
