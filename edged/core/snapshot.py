"""The state as one JSON document: what `edgectl status` shows, `snap/…` retains and `/metrics` counts.

Ages instead of times, so that a reader needs no clock of ours. null means not known or not configured, never good.
"""

from edged.core import conditions
from edged.core.admission import admission
from edged.core.alarm_snapshot import alarms_doc, incidents_doc, kpi_doc
from edged.core.events import Json
from edged.core.line import NOTHING
from edged.core.line_snapshot import admission_doc, line_doc
from edged.core.link_snapshot import link_doc
from edged.core.plan import LinkPlan, Plan, UpsPlan
from edged.core.room_snapshot import media_doc, mobile_doc, phone_doc, room_doc, session_doc, tier_doc
from edged.core.rounding import rounded
from edged.core.situation import situation
from edged.core.state import State
from qos.reading import ShaperReading

Doc = dict[str, Json]


def snapshot(plan: Plan, state: State, now: float) -> Doc:
    """Keys: tier, rooms, session, admission, links, router, ups, qos, media, phone, mobile, drill, incidents, alarms,
    kpi, tally, conditions, unwatched, blind. `tier`, `session`, `media` and `phone` are the leading room's.
    """
    s = situation(plan, state, now)
    return {
        "tier": tier_doc(plan, state, s),
        "rooms": [room_doc(plan, state, name, now) for name in plan.rooms],
        "session": session_doc(plan, state.room(s.room), now),
        "admission": admission_doc(admission(plan, state, now)),
        "links": [_link(plan, link, state, now) for link in plan.links],
        "router": _router(plan, state, now),
        "ups": [_ups(ups, state, now) for ups in plan.ups],
        "qos": [_shaper(state.shapers[name], now) for name in plan.shapers if name in state.shapers],
        "media": media_doc(state.room(s.room), now),
        "phone": phone_doc(plan, state, s.room, now),
        "mobile": mobile_doc(plan, state, now),
        "drill": None
        if state.drill is None
        else {"for_s": rounded(now - state.drill.started_s), "over": state.drill.over},
        "incidents": incidents_doc(state, now),
        "alarms": alarms_doc(plan, state, now),
        "kpi": kpi_doc(state, now),
        "tally": dict(sorted(state.tally.items())),
        "conditions": _conditions(state, now),
        "unwatched": list(plan.unwatched()),
        "blind": sorted(
            subject for (name, subject), held in state.conditions.items() if name == "source.blind" and held.raised
        ),
    }


def _link(plan: Plan, link: LinkPlan, state: State, now: float) -> Doc:
    held = state.links.get(link.name)
    return {
        "link": link.name,
        "role": link.role.value,
        "carrying": _carrying(plan, state, link.name),
        **link_doc(held.reading if held else None, now),
        **line_doc(state.lines.get(link.name, NOTHING), now),
    }


def _carrying(plan: Plan, state: State, link: str) -> bool | None:
    if state.carrier is not None:
        return link == state.carrier
    return True if len(plan.links) == 1 else None


def _router(plan: Plan, state: State, now: float) -> Doc | None:
    reading = state.router
    if reading is None:
        return None
    return {
        "answering": reading.answering,
        "cause": reading.cause.value,
        "for_s": rounded(now - reading.since_s),
        "age_s": rounded(now - reading.at_s),
        "active": plan.link_of_wan(reading.active),
        "model": reading.model,
        "firmware": reading.firmware,
        "wans": [
            {
                "wan": wan.wan,
                "link": plan.link_of_wan(wan.wan),
                "name": wan.name,
                "state": wan.state.value,
                "healthy": wan.healthy,
                "signal_dbm": wan.signal_dbm,
                "rx_bps": rounded(wan.rx_bps),
                "tx_bps": rounded(wan.tx_bps),
            }
            for wan in reading.wans
        ],
    }


def _ups(ups: UpsPlan, state: State, now: float) -> Doc:
    doc: Doc = {"ups": ups.name, "priority": ups.priority, "covers": list(ups.covers)}
    reading = state.ups.get(ups.name)
    if reading is None:
        return {**doc, **dict.fromkeys(_UPS_KEYS), "contact": "starting", "power": "unknown", "flags": []}
    return {
        **doc,
        "contact": reading.contact.value,
        "power": reading.power.value,
        "for_s": rounded(now - reading.since_s),
        "age_s": rounded(now - reading.at_s),
        "charge_pct": reading.charge_pct,
        "runtime_s": rounded(reading.runtime_s),
        "load_pct": reading.load_pct,
        "flags": list(reading.flags),
    }


_UPS_KEYS = ("for_s", "age_s", "charge_pct", "runtime_s", "load_pct")


def _shaper(reading: ShaperReading, now: float) -> Doc:
    return {
        "interface": reading.interface,
        "direction": reading.direction,
        "state": reading.state.value,
        "cause": reading.cause.value,
        "leaf": reading.leaf,
        "rate_bps": reading.rate_bps,
        "age_s": rounded(now - reading.at_s),
        "classes": [
            {
                "name": each.name,
                "packets": each.packets,
                "bytes": each.bytes,
                "drops": each.drops,
                "backlog_bytes": each.backlog_bytes,
                "rate_bps": rounded(each.rate_bps),
            }
            for each in reading.classes
        ],
    }


def _conditions(state: State, now: float) -> list[Json]:
    return [
        {
            "name": name,
            "at": subject,
            "for_s": rounded(now - latch.raised_s),
            "severity": conditions.BY_NAME[name].severity.value,
        }
        for (name, subject), latch in sorted(state.conditions.items())
        if latch.raised_s is not None and name in conditions.BY_NAME
    ]
