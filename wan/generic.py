"""Any router with IF-MIB: the settings name its WANs and their interfaces, the router says whether each is up and
what it moved.

What only a vendor's MIB could tell (standby, health, signal) stays unknown. The id of a WAN is its key in the
settings, since an ifIndex may change with a reboot.
"""

from wan import ifmib
from wan.profile import Hints, Plan, Profile, WanHint, WanRow, WanSeen
from wan.reading import WanState
from wan.varbinds import Varbinds, as_int

OPER_STATES = {
    1: WanState.CONNECTED,
    2: WanState.DISCONNECTED,
    5: WanState.STANDBY,  # dormant: up, waiting to be needed (RFC 2863)
    6: WanState.DISCONNECTED,  # notPresent
    7: WanState.DISCONNECTED,  # lowerLayerDown
}
"""3 testing and 4 unknown say nothing: Linux reports 4 for working PPP, WWAN and TUN links."""


def plan(found: Varbinds, hints: Hints) -> Plan:
    rows = [_row(wan, hint, ifmib.interface_of(hint, found)) for wan, hint in hints.items()]
    indices = [row.interface for row in rows if row.interface is not None]
    return Plan(
        wans=tuple(rows),
        fast=(
            ifmib.SYS_UPTIME,
            *((*ifmib.IF_OPER_STATUS, index) for index in indices),
            *ifmib.counter_oids(indices),
        ),
        model=ifmib.description(found),
    )


def decode(row: WanRow, view: Varbinds) -> WanSeen:
    status = None if row.interface is None else as_int(view.get((*ifmib.IF_OPER_STATUS, row.interface)))
    return WanSeen(
        wan=row.wan,
        name=row.name,
        state=WanState.UNKNOWN if status is None else OPER_STATES.get(status, WanState.UNKNOWN),
        counters=ifmib.counters(view, row.interface),
    )


PROFILE = Profile(name="generic", survey=ifmib.SURVEY, plan=plan, decode=decode, needs_interfaces=True)


def _row(wan: str, hint: WanHint, interface: int | None) -> WanRow:
    return WanRow(wan, hint.name or wan, interface=interface, present=interface is not None)
