"""Peplink and Pepwave (Balance, MAX): the vendor's WAN-MIB beside the standard interfaces.

Seen on a real Balance 20X (8.5.1): WAN indices start at 0, six WANs of which half are disabled, no P.200 branch (so
no firmware; the model is in sysDescr), no object that names the active WAN. Some MAX models use 27662 for 23695. So:
the branch is the one that has rows, and nothing is asked that was not found.
"""

from wan import ifmib
from wan.profile import Hints, Plan, Profile, WanHint, WanRow, WanSeen
from wan.reading import WanState
from wan.varbinds import Oid, Value, Varbinds, as_int, as_text, column, oid

BRANCHES = (oid("1.3.6.1.4.1.23695"), oid("1.3.6.1.4.1.27662"))

WAN_ENTRY = oid("2.1.2.1")
NAME = oid("2.1.2.1.2")
STATE = oid("2.1.2.1.3")
HEALTH = oid("2.1.2.1.4")
SIGNAL = oid("2.1.2.1.5")
GATEWAY = oid("2.1.3.3.1.1")
BALANCE_FIRMWARE = oid("1.1.1.1")
DEVICE = oid("200.1.1.1.1")
MODEL, FIRMWARE = (1,), (3,)

SURVEYED = (WAN_ENTRY, GATEWAY, DEVICE, BALANCE_FIRMWARE)
FAST_COLUMNS = (STATE, HEALTH, GATEWAY)

STATES = {
    0: WanState.UNKNOWN,
    1: WanState.DISABLED,
    2: WanState.DISCONNECTED,
    3: WanState.CONNECTED,
    4: WanState.CONNECTING,
    5: WanState.CONNECTING,  # "activating"
    6: WanState.HEALTH_CHECK_FAILED,
    7: WanState.DISCONNECTED,  # by hand
    8: WanState.STANDBY,
}
DISABLED = 1
HEALTHY = {0: False, 1: True}


def plan(found: Varbinds, hints: Hints) -> Plan:
    """State, health, gateway and counters of each WAN that is not switched off; a disabled one wakes up in the next
    survey. The WANs are those the settings list, or all if they list none.
    """
    branch = next((root for root in BRANCHES if column(found, (*root, *STATE))), BRANCHES[0])
    rows = _rows(found, branch, hints)
    awake = [row for row in rows if found.get((*branch, *STATE, *row.index)) != DISABLED]
    wanted = [(*branch, *root, *row.index) for row in awake for root in FAST_COLUMNS]
    lacking = [wan for wan in hints if wan not in {row.wan for row in rows}]
    device = column(found, (*branch, *DEVICE))
    return Plan(
        wans=(*rows, *(WanRow(wan, hints[wan].name or wan, present=False) for wan in lacking)),
        fast=(
            ifmib.SYS_UPTIME,
            *(at for at in wanted if at in found),
            *ifmib.counter_oids(row.interface for row in awake),
        ),
        model=_device_text(device, MODEL) or ifmib.description(found),
        firmware=_device_text(device, FIRMWARE) or as_text(found.get((*branch, *BALANCE_FIRMWARE, 0))),
    )


def decode(row: WanRow, view: Varbinds) -> WanSeen:
    def said(root: Oid) -> Value:
        return view.get((*row.branch, *root, *row.index))

    state, health, signal, gateway = as_int(said(STATE)), as_int(said(HEALTH)), as_int(said(SIGNAL)), said(GATEWAY)
    return WanSeen(
        wan=row.wan,
        name=row.name,
        state=WanState.UNKNOWN if state is None else STATES.get(state, WanState.UNKNOWN),
        healthy=None if health is None else HEALTHY.get(health),
        signal_dbm=signal if signal is not None and -200 < signal < 0 else None,  # -9999: none; 0: Wi-Fi switched off
        gateway=gateway if isinstance(gateway, str) else None,
        counters=ifmib.counters(view, row.interface),
    )


PROFILE = Profile(
    name="peplink",
    survey=(*ifmib.SURVEY, *((*branch, *root) for branch in BRANCHES for root in SURVEYED)),
    plan=plan,
    decode=decode,
)


def _rows(found: Varbinds, branch: Oid, hints: Hints) -> list[WanRow]:
    names = column(found, (*branch, *NAME))
    indices = {".".join(map(str, index)): index for index in column(found, (*branch, *STATE))}
    called = {wan: as_text(names.get(index)) or f"WAN {wan}" for wan, index in indices.items()}
    interfaces = ifmib.assign(called, hints, found)
    return [
        WanRow(wan, hints.get(wan, WanHint()).name or called[wan], branch, index, interfaces[wan])
        for wan, index in indices.items()
        if wan in hints or not hints
    ]


def _device_text(device: Varbinds, which: Oid) -> str | None:
    return as_text(device.get((*which, 0), device.get(which)))
