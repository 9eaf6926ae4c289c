"""The status of the lab for a person: `lab status` without --json. Pure; the input is what the lab's `status` command
returns."""

from collections.abc import Callable
from typing import Any

from lab.quantity import show_duration, show_rate, show_share, show_size

_WAN_STATES = {2: "disconnected", 3: "connected", 6: "health check failed", 8: "standby"}
_MEDIA = tuple(
    (f"{medium} {way.replace('_', ' ')}", f"{medium}_{way}")
    for medium in ("audio", "video")
    for way in ("from_room", "to_room")
)
_SWITCHES = (
    ("mains", "mains"),
    ("phone", "phone"),
    ("phone_registered", "its registration"),
    ("mobile", "mobile"),
    ("snmp", "router SNMP"),
)


def render(status: dict[str, Any]) -> str:
    world = status["world"]
    lines = [_link(name, link) for name, link in status["links"].items()]
    for index, wan in world["router"]["wans"].items():
        carries = "carries the traffic" if index == world["router"]["active"] else ""
        lines.append(_row(f"WAN {wan['name']}", _WAN_STATES.get(wan["state"], str(wan["state"])), carries))
    timing = f"failover {show_duration(status['failover_s'])}, failback {show_duration(status['failback_s'])}"
    lines.append(_row("router", "", timing))
    switches = [(name, world[key]) for key, name in _SWITCHES]
    switches += [("LAN cable", status["lan"]), ("reflectors", status["reflectors"])]
    lines.append(_row("site", "", ", ".join(f"{name} {'on' if on else 'OFF'}" for name, on in switches)))
    lines.append(_row("upsd", world["upsd"]))
    flows = [f"{name} {flow if (flow := world[key]) == 'on' else flow.upper()}" for name, key in _MEDIA]
    lines.append(_row("media", status["media"] + (", IN CLEAR TEXT" if world["clear"] else ""), ", ".join(flows)))
    lines += [_row(name, service["state"]) for name, service in status["services"].items()]
    lines.append(_row("edged", status["daemon"]["state"]))
    if status["dead"]:
        lines.append(f"NOT WELL: {', '.join(status['dead'])} ended by itself")
    return "\n".join(lines)


def _link(name: str, link: dict[str, Any]) -> str:
    state = "CUT" if link["cut"] else "UNPLUGGED" if not link["plugged"] else "up"
    up, down = link["up"]["settings"], link["down"]["settings"]
    facts = [f"rtt {show_duration(link['rtt_s'])}", _both(show_rate, "rate_bps", up, down)]
    if up["jitter_s"] or down["jitter_s"]:
        facts.append(f"jitter ± {_both(show_duration, 'jitter_s', up, down)}")
    if up["loss"] or down["loss"]:
        facts.append(f"loss {_both(show_share, 'loss', up, down)}")
    facts.append(f"queue {_both(show_size, 'queue_bytes', up, down)}")
    if up["mtu_bytes"] or down["mtu_bytes"]:
        facts.append(f"MTU {_both(_show_mtu, 'mtu_bytes', up, down)}")
    if up["bleach"] or down["bleach"]:
        facts.append(f"DSCP {_both(_show_bleach, 'bleach', up, down)}")
    if not link["pinned"]:
        facts.append("PIN NOT ENFORCED")
    if link["detoured"]:
        facts.append("pin DETOURED")
    if link["relay_pid"]:
        facts.append(f"relay {link['relay_pid']}")
    sent, received = link["up"]["counts"], link["down"]["counts"]
    if sent and received:
        facts.append(f"carried {show_size(sent['carried_bytes'])} up, {show_size(received['carried_bytes'])} down")
    return _row(f"link {name}", state, " · ".join(facts))


def _show_mtu(mtu_bytes: int | None) -> str:
    return "any" if mtu_bytes is None else f"{mtu_bytes} B"


def _show_bleach(bleach: bool) -> str:
    return "BLEACHED" if bleach else "kept"


def _both(show: Callable[[Any], str], field: str, up: dict[str, Any], down: dict[str, Any]) -> str:
    """Once where both directions are the same."""
    if up[field] == down[field]:
        return show(up[field])
    return f"{show(up[field])} up, {show(down[field])} down"


def _row(name: str, state: str, facts: str = "") -> str:
    return f"{name:18}{state:22}{facts}".rstrip()
