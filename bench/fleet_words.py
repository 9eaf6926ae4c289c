"""What a simulated site says: the shapes and sizes of a real one with two links, two UPSes and a router. Pure."""

from random import Random

from edged.core import containment
from edged.core.events import Channel, Event, Json
from edged.core.protocol import DEFAULT

Doc = dict[str, Json]

SECONDS = 10


def tier_event(at_s: float, chance: Random) -> Event:
    """About 1.1 kB once spelled."""
    row = chance.choice((None, *containment.ROWS))
    tier = row.tier if row else 0
    data: Doc = {
        "room": "room-1",
        "previous": (tier + 1) % 5,
        "previous_lasted_s": round(chance.uniform(1, 9000), 3),
        "row": row.id if row else None,
        "rows": [row.id] if row else [],
        "cause": "link_down" if row else "none",
        "cause_at": "fiber" if row else None,
        "response": _response(row.id) if row else None,
        "session": "s-1",
        "phase": "pre",
        "drill": False,
        "av_compliant": tier < 2,
        "evidence": _evidence(chance),
    }
    return Event(Channel.TIER, "tier.entered", tier, at_s, data)


def _response(row: str) -> Doc:
    demanded = DEFAULT.responses[row]
    return {"say": demanded.say, "who": demanded.who, "by_s": demanded.by_s}


def _evidence(chance: Random) -> Doc:
    rests_on: Doc = {
        "test": "joint", "nats": round(chance.uniform(0, 20), 2), "trip_nats": 13.82, "misses": 4, "pi": 0.00123,
        "q": 0.912, "quick": 2, "q_quick": 0.871, "votes": 2, "voters": 3,
    }  # fmt: skip
    links: Doc = {
        name: {"verdict": "up", "cause": "none", "rtt_ms": rtt_ms, "loss_pct": 0.0, "rests_on": rests_on}
        for name, rtt_ms in (("cellular", 41.7), ("fiber", 8.2))
    }
    power: Doc = {"network": "mains", "workstation": "mains"}
    return {
        "links": links, "carrier": "fiber", "router_answering": True, "audio": True, "video": True, "phone": True,
        "power": power, "lost_for_s": None,
    }  # fmt: skip


def things(tier: int) -> Doc:
    """What is retained as `snap/…`: eight things, 1.4 kB of data."""
    return {"tier": _tier(tier)} | _CALM


def _tier(tier: int) -> Doc:
    return {
        "tier": tier, "room": "room-1", "av_compliant": True, "cause": "none", "cause_at": None, "say": None,
        "who": None, "by_s": None, "also_say": None, "script": [], "rows": [],
    }  # fmt: skip


def _link(name: str, role: str) -> Doc:
    ways: list[Json] = [{"direction": way, "lossy": False, "slow": False} for way in ("up", "down")]
    return {
        "link": name, "role": role, "carrying": role == "primary", "verdict": "up", "cause": "none", "ways": ways,
        "budget": {"month": "2026-11", "limit_mb": 200.0, "stretched": False, "over": False}, "capacity": None,
        "not_measured": {"up": None, "down": None}, "exit": None, "standby": None, "path": None,
    }  # fmt: skip


_CALM: Doc = {
    "links": [_link("fiber", "primary"), _link("cellular", "backup")],
    "router": {"answering": True, "cause": "none", "active": "fiber", "model": None, "firmware": None, "wans": []},
    "ups": [
        {"ups": name, "priority": name, "covers": [], "contact": "ok", "power": "mains", "flags": []}
        for name in ("network", "workstation")
    ],
    "qos": [
        {
            "interface": "wan0",
            "direction": "up",
            "state": "active",
            "cause": "none",
            "leaf": "cake",
            "rate_bps": 95_000_000,
        }
    ],
    "session": {
        "id": "s-1",
        "open": True,
        "phase": "pre",
        "joined": True,
        "response_s": 12.5,
        "response_class": "best",
        "escalated": False,
    },
    "phone": {"reachable": True, "registered": True, "shared_fate": [], "cause": "none"},
    "conditions": [],
}


def link_seconds(chance: Random) -> Doc:
    """`tel/links`: ten seconds of two quiet links."""
    rows: list[Json] = [_seconds("fiber", 8.2, chance), _seconds("cellular", 41.7, chance)]
    return {"rows": rows}


def _seconds(link: str, rtt_ms: float, chance: Random) -> Doc:
    def figures(low_ms: float, high_ms: float) -> list[Json]:
        return [round(rtt_ms + chance.uniform(low_ms, high_ms), 1) for _ in range(SECONDS)]

    return {
        "link": link, "age_s": 9.7, "every_s": 1, "seconds": SECONDS, "verdict": "up", "cause": "none", "pace": "calm",
        "sent": 10, "rtt_min_ms": figures(-0.5, 0.0), "rtt_ms": figures(0.0, 0.4), "rtt_p95_ms": figures(0.5, 2.0),
        "rtt_p99_ms": figures(2.0, 3.0), "jitter_ms": figures(-rtt_ms, 0.6 - rtt_ms), "loss_pct": 0.0,
        "burst_longest": 0, "mos": 4.4, "up_loss_pct": 0.0, "down_loss_pct": 0.0, "up_delay_ms": None,
        "down_delay_ms": None,
    }  # fmt: skip
