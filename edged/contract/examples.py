"""One message of each shape, for docs/asyncapi.yaml."""

from collections.abc import Mapping
from typing import Any

from edged.contract.envelopes import type_of
from edged.contract.kinds import MESSAGES, Message, Told

STREAM, BOOT = "f43f8e97-9d6a-46ef-92e4-8fd032032bff", "3624b021-98e6-46f4-aafc-8b5470085929"
_ACTOR = {"actor": "tech", "role": "operate"}
_ACT = {
    **{"act": "session_opened", **_ACTOR, "reason": "procedure", "session": "s-0815", "room": "room-1"},
    **{"subject": None, "for_s": None},
}
_SIGNATURE = f"{'A' * 86}=="
_RESTS_ON = {
    **{"test": "joint", "nats": 21.4, "trip_nats": 20.1, "misses": 14, "pi": 0.00012, "q": 0.311},
    **{"quick": 9, "q_quick": 0.42, "votes": 3, "voters": 3},
}
_LINK = {"verdict": "down", "cause": "loss", "rtt_ms": None, "loss_pct": 100.0, "rests_on": _RESTS_ON}
_HOP = {
    **{"ttl": 1, "address": "10.0.0.1", "others": [], "kind": "time_exceeded", "rtt_ms": 0.4, "udp": True},
    **{"icmp": True, "dscp_seen": 46, "ttl_quoted": 1},
}
_SAY = {
    "say": "Ask the radiologist to confirm aloud that supervision continues.",
    "who": "technologist",
    "by_s": 30.0,
}
_TIER = {
    **{"tier": 2, "room": "room-1", "av_compliant": True, "cause": "link_down", "cause_at": "fiber", **_SAY},
    **{"also_say": None, "script": []},
    "rows": [{"row": "t2.failover", "tier": 2, "needs": ["continuity_confirmed"], **_SAY}],
}
_SESSION = {
    **{"id": "s-0815", "open": True, "phase": "injecting", "joined": True, "response_s": 41.5},
    **{"response_class": "acceptable", "escalated": True},
}
_PHONE = {"reachable": True, "registered": True, "shared_fate": ["ups:network"], "cause": "none"}

DATA: Mapping[str, Mapping[str, Any]] = {
    "tier.entered": {
        "room": "room-1",
        "previous": 0,
        "previous_lasted_s": 5312.25,
        "row": "t2.failover",
        "rows": ["t2.failover"],
        "cause": "link_down",
        "cause_at": "fiber",
        "response": _SAY,
        "session": "s-0815",
        "phase": "injecting",
        "drill": False,
        "av_compliant": True,
        "evidence": {
            "links": {"fiber": _LINK},
            "carrier": "cellular",
            "router_answering": True,
            "audio": True,
            "video": True,
            "phone": True,
            "power": {"network": "mains"},
            "lost_for_s": None,
        },
        "incident": 12,
    },
    "containment": {"room": "room-1", "row": "t2.failover", "row_tier": 2, "incident": 12},
    "response.demanded": {
        **{"room": "room-1", "row": "t3.unconfirmed", "session": "s-0815", "phase": "injecting", "incident": 12},
        "response": {"say": "Hold contrast and call the radiologist.", "who": "technologist", "by_s": 120},
    },
    "av.changed": {"room": "room-1", "av_compliant": False, "audio": False, "video": None},
    "wan": {"previous": "fiber", "active": "cellular", "incident": 12},
    "condition.raised": {"at": "network", "severity": "alarm"},
    "link.raised": {"at": "fiber", "severity": "alarm", "cause": "loss", "evidence": _RESTS_ON},
    "condition.cleared": {"at": "network", "severity": "alarm", "lasted_s": 61.5},
    "session.answered": {
        **{"room": "room-1", "session": "s-0815", "response_s": 41.5, "response_class": "acceptable"},
        "needs_escalation": True,
    },
    "session.unanswered": {"room": "room-1", "session": "s-0815", "waited_s": 90.25},
    "timer": {
        **{"timer": "phone", "room": "room-1", "session": "s-0815", "ran_s": 3.0, "due_in_s": 117.0},
        "incident": 12,
    },
    "av.seconds": {
        **{"room": "room-1", "session": "s-0815", "phase": "injecting", "seconds": 10, "ended_s_ago": 0.25},
        **{"tier": [0, 0, 0, 0, 0, 0, 2, 2, 2, 2], "audio_to": "LLLLLLLLLL", "audio_from": "LLLLLLLLLL"},
        **{"video_to": "LLLLLDDDDD", "video_from": "LLLLLLLLUU", "av": "YYYYYNNNNN", "source": "observer"},
        "protection": "encrypted",
    },
    "drill.aborted": {"why": "contrast_given"},
    "drill.over": {"lasted_s": 412.5},
    "incident.opened": {"number": 12, "cause": "link_down", "at": "fiber", "onset_s_ago": 1.25},
    "incident.recaused": {"number": 12, "cause": "power", "at": "network", "previous": "link_down"},
    "incident.closed": {
        **{"number": 12, "cause": "power", "at": "network", "lasted_s": 611.0, "over_s_ago": 60.0, "worst_tier": 3},
        **{"symptoms": ["link.down fiber", "t3.av room-1", "power.off network"], "into": None},
    },
    "alarm.raised": {"alarm": "link.down fiber", "severity": "alarm", "incident": 12},
    "alarm.cleared": {"alarm": "link.down fiber", "lasted_s": 318.5, "incident": 12},
    "alarm.unshelved": {"alarm": "link.down fiber", "why": "time"},
    "alarm.flapping": {"alarm": "link.down fiber", "raises": 4},
    "act": _ACT,
    "act.refused": {**_ACT, "refused": "another_session_is_open"},
    "errand.accepted": {"errand": "diagnose", "at": "fiber", **_ACTOR},
    "errand.refused": {"errand": "ramp", "at": "fiber", **_ACTOR, "refused": "session_open"},
    "access.refused": {"actor": "guest", "role": "view", "asked": "act"},
    "command.done": {"id": "c-1", "command": "diagnose", "key": "noc-1", "role": "operate", "repeated": False},
    "command.refused": {
        "id": "c-2",
        "command": None,
        "key": None,
        "role": None,
        "refused": "bad_signature",
        "count": 1,
    },
    "daemon": {
        **{"version": "0.1.0", "config_hash": "c0ffee5eed5eed00", "record": "continued"},
        **{"protocol": "2026-11", "protocol_hash": "0123456789abcdef"},
    },
    "source.failed": {"source": "upsd:10.0.0.5:3493", "error": "ConnectionRefusedError", "failures": 1},
    "clock.stepped": {"by_s": -3.25, "clockq": "synced"},
    "clock.leap_announced": {"leap": "insert"},
    "record.coalesced": {"events": 14},
    "ledger.checkpoint": {
        **{"stream": STREAM, "at": 42, "row_hash": "5eed" * 16, "key": "5eed" * 8},
        **{"public_key": f"{'A' * 43}=", "signature": _SIGNATURE},
        **{"version": "0.1.0", "config_hash": "0123456789abcdef", "protocol": "2026-11"},
        "protocol_hash": "0123456789abcdef",
    },
    "capacity.measured": {
        **{"at": "cellular", "direction": "up", "method": "train", "rate_mbit": 19.8, "low_mbit": 18.9},
        **{"high_mbit": 20.6, "confidence": 0.95, "spent_bytes": 412000},
    },
    "capacity.not_measured": {"at": "fiber", "direction": "up", "method": "train", "why": "users_hurt"},
    "exit.seen": {"at": "fiber", "mapped": "192.0.2.7", "hops": ["10.0.0.1", None, "198.51.100.1"]},
    "standby.judged": {
        **{"at": "cellular", "fit": False, "lacks": ["mtu", "dscp"], "mtu_bytes": 1400, "dscp_sent": 46},
        **{"dscp_arrived": 0, "up_mbit": 19.8, "down_mbit": None},
    },
    "path.diagnosed": {
        **{"at": "fiber", "version": 1, "link": "fiber", "source": "10.0.0.2", "interface": "wan0"},
        **{"udp_port": 862, "dies_at": "router", "why": "nothing_behind_router", "refused": None},
        "gateway": {"address": "10.0.0.1", "answers": True},
        "hops": [_HOP],
        "target": {"address": "198.51.100.20", "answers": [], "rtt_ms": None, "hops": None},
        "dscp": None,
        "mtu": None,
        **{"packets": 84, "bytes": 9240, "took_s": 4.1, "complete": True, "scapy": "2.6.1"},
    },
    "snap.tier": _TIER,
    "snap.rooms": {
        "rooms": [
            {
                **{"room": "room-1", "tier": _TIER, "session": _SESSION, "phone": _PHONE},
                "streams": [{"medium": "audio", "way": "to_room", "live": True, "source": "observer"}],
                "media": {
                    **{"observing": True, "far_end": "answering", "protection": "encrypted"},
                    "streams": [{"medium": "audio", "way": "to_room", "live": True}],
                },
                "timers": [{"timer": "confirm", "met": False, "expired": False}],
                "ready": {
                    "level": "red",
                    "reasons": [{"code": "tier_in_force", "say": "Follow the instruction in force first."}],
                },
            }
        ]
    },
    "snap.session": _SESSION,
    "snap.links": {
        "links": [
            {
                **{"link": "cellular", "role": "backup", "carrying": False, "verdict": "up", "cause": "none"},
                "ways": [{"direction": "up", "lossy": False, "slow": False}],
                "budget": {"month": "2026-01", "limit_mb": 2000.0, "stretched": False, "over": False},
                "capacity": None,
                "not_measured": {"up": None, "down": None},
                "exit": {"mapped": "203.0.113.9", "hops": ["10.0.0.1"]},
                "standby": None,
                "path": None,
            }
        ]
    },
    "snap.router": {
        **{"answering": True, "cause": "none", "active": "fiber", "model": "Balance 20X", "firmware": "8.5.1"},
        "wans": [
            {
                **{"wan": "0", "link": "fiber", "name": "WAN 1", "state": "connected", "healthy": True},
                "signal_dbm": None,
            }
        ],
    },
    "snap.ups": {
        "ups": [
            {
                **{"ups": "network", "priority": "network", "covers": ["router", "edge box"], "contact": "ok"},
                **{"power": "mains", "flags": ["OL", "CHRG"]},
            }
        ]
    },
    "snap.qos": {
        "qos": [
            {
                **{"interface": "wan0", "direction": "up", "state": "active", "cause": "none", "leaf": "cake"},
                "rate_bps": 95000000,
            }
        ]
    },
    "snap.phone": _PHONE,
    "snap.mobile": {"heard": True, "mcc_mnc": "310-260", "asn": None, "registered": True, "other_carrier": True},
    "snap.drill": {"over": False},
    "snap.incidents": {
        "incidents": [
            {
                **{"number": 12, "cause": "link_down", "at": "fiber", "worst_tier": 2},
                "symptoms": ["link.down fiber", "t2.failover room-1"],
            }
        ]
    },
    "snap.alarms": {
        "alarms": [
            {
                **{"alarm": "link.down fiber", "condition": "link.down", "at": "fiber", "severity": "alarm"},
                **{"say": "Call the provider of this line.", "who": "NOC", "by_s": 900.0, "acknowledged": False},
                **{"shelved": False, "suppressed": False, "flapping": False, "incident": 12, "symptoms": 2},
            }
        ]
    },
    "snap.conditions": {"conditions": [{"name": "link.down", "at": "fiber", "severity": "alarm"}]},
    "tel.links": {
        "rows": [
            {
                **{"link": "fiber", "age_s": 2.7, "every_s": 1, "seconds": 3, "verdict": "up", "cause": "none"},
                **{"pace": "session", "sent": [60, 60, None], "rtt_min_ms": [19.5, 19.5, None]},
                **{"rtt_ms": [20.0, 20.1, None], "rtt_p95_ms": 21.5, "rtt_p99_ms": 22.1, "jitter_ms": 0.4},
                **{"loss_pct": 0.0, "burst_longest": 0, "mos": 4.4, "up_loss_pct": 0.0, "down_loss_pct": 0.0},
                **{"up_delay_ms": 0.1, "down_delay_ms": -0.1},
            }
        ]
    },
    "tel.ups": {
        "rows": [{"ups": "network", "power": "mains", "charge_pct": 100.0, "runtime_s": 1800.0, "load_pct": 24.0}]
    },
    "tel.qos": {
        "rows": [
            {
                "interface": "wan0",
                "rate_bps": 95000000,
                "classes": [
                    {
                        **{"name": "p1", "packets": 120034, "bytes": 24006800, "drops": 0, "backlog_bytes": 0},
                        "rate_bps": 1520000.0,
                    }
                ],
            }
        ]
    },
    "state": {
        **{"state": "online", "version": "0.1.0", "config_hash": "c0ffee5eed5eed00", "durable": True},
        "heads": [{"stream": STREAM, "last": 42, "acknowledged": 40}],
    },
    "answer": {
        **{"id": "q-1", "command": "resend", "status": "done", "stream": STREAM, "sent": 40, "missing_rows": 8},
        "missing": [{"first": 43, "last": 50, "why": "never"}],
    },
    "tombstone": {"stream": STREAM, "first": 7, "last": 20, "why": "coalesced", "tiers": {"2": 14}},
}

_SIGNED = {
    **{"id": "c-1", "site": "clinic/room-1", "key": "noc-1", "not_before": "2026-01-01T00:00:00Z"},
    **{"expires": "2026-01-01T00:05:00Z", "signature": _SIGNATURE},
}
NOC: Mapping[str, Mapping[str, Any]] = {
    "ack": {"stream": STREAM, "seq": 42},
    "noc.state": {"state": "online"},
    "cmd.resend": {"command": "resend", "id": "q-1", "stream": STREAM, "from": 3, "to": 50},
    "cmd.rebirth": {"command": "rebirth", "id": "q-2"},
    "cmd.signed": {"command": "diagnose", "args": {"link": "fiber"}, **_SIGNED},
}


def messages() -> dict[str, Any]:
    """A whole message of each shape, by its name; a batch is some of them."""
    told: dict[str, Any] = {message.name: _whole(message) for message in MESSAGES}
    return told | {"hist": [told["wan"], told["tombstone"]]} | {name: dict(said) for name, said in NOC.items()}


def _whole(message: Message) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{STREAM}/7/1" if message.told is Told.MOMENT else f"{STREAM}:42",
        "source": "edge/clinic/room-1",
        "type": type_of(message.kinds[0]),
        "time": "2026-01-01T00:00:00.000Z",
        "datacontenttype": "application/json",
        "clockq": "synced",
        "monoms": "100000",
        "bootid": BOOT,
        **_PLACE[message.told],
        "data": DATA[message.name],
    }


_PLACE: Mapping[Told, Mapping[str, Any]] = {
    Told.EVENT: {"stream": STREAM, "sequence": 42, "tier": 2},
    Told.MEASUREMENT: {"stream": STREAM, "sequence": 42},
    Told.MOMENT: {"epoch": 7},
}
