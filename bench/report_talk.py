"""What a site of two links, two UPSes and two shapers says, as the contract (edged.contract) wants it: messages as
large as real ones. Pure.

An event's mark is its `session`: a unique name, by which the bench knows it again.
"""

import random
from collections.abc import Mapping
from typing import Any

from edged.core.events import Channel, Event, Json
from edged.telemetry import COLUMNS, EVERY_S
from qos.settings import CLASS_NAMES

NOISY = ("rtt_min_ms", "rtt_ms", "rtt_p95_ms", "rtt_p99_ms", "jitter_ms", "up_delay_ms", "down_delay_ms")
STILL: dict[str, Json] = {"verdict": "up", "cause": "none", "pace": "calm", "sent": 1, "mos": 4.4}


def tier_event(mark: str, at_s: float) -> Event:
    data: dict[str, Json] = {
        "room": "room-1",
        "previous": 0,
        "previous_lasted_s": 61.5,
        "row": "t2.failover",
        "rows": ["t2.failover"],
        "cause": "link_down",
        "cause_at": "fiber",
        "response": None,
        "session": mark,
        "phase": "injecting",
        "drill": False,
        "av_compliant": True,
        "evidence": {
            "links": {"fiber": _evidence("down", 100.0), "cellular": _evidence("up", 0.0)},
            "carrier": "cellular",
            "router_answering": True,
            "audio": True,
            "video": True,
            "phone": True,
            "power": {"network": "mains", "workstation": "mains"},
            "lost_for_s": None,
        },
    }
    return Event(Channel.TIER, "tier.entered", 2, at_s, data)


def log_event(mark: str, at_s: float) -> Event:
    who: dict[str, Json] = {"actor": "root", "role": "operate", "reason": "procedure"}
    about: dict[str, Json] = {"session": mark, "room": "room-1", "subject": None, "for_s": None}
    data: dict[str, Json] = {"act": "session_opened", **who, **about}
    return Event(Channel.LOG, "act.session_opened", 0, at_s, data)


def mark_of(envelope: Mapping[str, Any]) -> str:
    return str(envelope["data"].get("session"))


def links(chance: random.Random) -> dict[str, Json]:
    """Ten seconds of two calm links: a column in which nothing changes is one value, as `edged.telemetry` folds it."""
    seconds = int(EVERY_S)

    def row(name: str) -> Json:
        noisy = {name: [round(chance.uniform(10, 60), 1) for _ in range(seconds)] for name in NOISY}
        still = {name: STILL.get(name, 0) for name in COLUMNS if name not in noisy}
        return {"link": name, "age_s": 9.5, "every_s": 1, "seconds": seconds, **still, **noisy}

    return {"rows": [row("fiber"), row("cellular")]}


def upses(chance: random.Random) -> dict[str, Json]:
    def row(name: str) -> Json:
        load_pct = chance.randint(20, 40)
        return {"ups": name, "power": "mains", "charge_pct": 100, "runtime_s": 60 * load_pct, "load_pct": load_pct}

    return {"rows": [row("network"), row("workstation")]}


def shapers(chance: random.Random) -> dict[str, Json]:
    def share(name: str) -> Json:
        packets, rate_bps = chance.randint(0, 1 << 24), chance.randint(0, 4_000_000)
        counters: dict[str, Json] = {"packets": packets, "bytes": 900 * packets, "drops": 0, "backlog_bytes": 0}
        return {"name": name, "rate_bps": rate_bps, **counters}

    def row(name: str) -> Json:
        return {"interface": name, "rate_bps": 20_000_000, "classes": [share(each) for each in CLASS_NAMES]}

    return {"rows": [row("wan0"), row("wan1")]}


def _evidence(verdict: str, loss_pct: float) -> Json:
    return {"verdict": verdict, "cause": "none", "rtt_ms": 21.5, "loss_pct": loss_pct, "rests_on": None}
