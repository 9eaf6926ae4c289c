"""The state as one JSON document: what `edgectl status` shows, `snap/…` retains and `/metrics` counts.

Ages instead of times, so that a reader needs no clock of ours. null means not known or not configured, never good.
"""

from edged.core import conditions, containment, rootcause
from edged.core.admission import admission
from edged.core.events import Json
from edged.core.line import NOTHING
from edged.core.line_snapshot import admission_doc, line_doc
from edged.core.link_snapshot import link_doc
from edged.core.plan import LinkPlan, Plan, UpsPlan
from edged.core.rounding import ms, rounded
from edged.core.situation import Situation, situation
from edged.core.state import State
from qos.reading import ShaperReading

Doc = dict[str, Json]


def snapshot(plan: Plan, state: State, now: float) -> Doc:
    """Keys: tier, session, admission, links, router, ups, qos, media, phone, conditions, unwatched, blind."""
    s = situation(plan, state, now)
    return {
        "tier": _tier(plan, state, s),
        "session": _session(state, now),
        "admission": admission_doc(admission(plan, state, now)),
        "links": [_link(plan, link, state, now) for link in plan.links],
        "router": _router(plan, state, now),
        "ups": [_ups(ups, state, now) for ups in plan.ups],
        "qos": [_shaper(state.shapers[name], now) for name in plan.shapers if name in state.shapers],
        "media": _media(state, now),
        "phone": _phone(state, now),
        "conditions": _conditions(state, now),
        "unwatched": list(plan.unwatched()),
        "blind": sorted(
            subject for (name, subject), held in state.conditions.items() if name == "source.blind" and held.raised
        ),
    }


def _tier(plan: Plan, state: State, s: Situation) -> Doc:
    row = containment.leading(state.tiers)
    found = rootcause.find(plan, state, s)
    due_in_s = None
    latch = state.tiers[row.id] if row else containment.AT_REST
    if row is not None and row.response.by_s is not None and latch.quiet_s is None:
        due_in_s = (latch.raised_s or s.now) + row.response.by_s - s.now
    return {
        "tier": state.tier,
        "for_s": rounded(s.now - state.tier_since_s),
        "av_compliant": s.av_compliant,
        "cause": found.cause.value,
        "cause_at": found.at,
        "say": containment.say(row, latch) if row else None,
        "who": row.response.who if row else None,
        "by_s": row.response.by_s if row else None,
        "due_in_s": rounded(due_in_s),
        "lost_for_s": rounded(s.lost_for_s) if s.av_lost else None,
        "rows": [
            _row(plan, each, state, s)
            for each in containment.ROWS
            if state.tiers.get(each.id, containment.AT_REST).raised
        ],
    }


def _row(plan: Plan, row: containment.Row, state: State, s: Situation) -> Doc:
    latch = state.tiers[row.id]
    return {
        "row": row.id,
        "tier": row.tier,
        "for_s": rounded(s.now - (latch.raised_s or s.now)),
        "clears_in_s": None if latch.quiet_s is None else rounded(latch.quiet_s + row.dwell(plan).clear_s - s.now),
        "needs": list(containment.needs(row, latch, s)),
        "say": containment.say(row, latch),
        "who": row.response.who,
        "by_s": row.response.by_s,
    }


def _session(state: State, now: float) -> Doc:
    held = state.session
    return (
        {"id": held.id, "open": True, "for_s": rounded(now - held.opened_s)}
        if held
        else {"id": None, "open": False, "for_s": None}
    )


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


def _media(state: State, now: float) -> Doc | None:
    reading = state.media
    if reading is None:
        return None
    return {
        "observing": reading.observing,
        "age_s": rounded(now - reading.at_s),
        "streams": [
            {
                "medium": stream.medium.value,
                "way": stream.way.value,
                "live": stream.live,
                "age_s": rounded(stream.age_s),
                "packet_rate_hz": rounded(stream.packet_rate_hz),
                "loss_pct": rounded(stream.loss_pct),
            }
            for stream in reading.streams
        ],
    }


def _phone(state: State, now: float) -> Doc | None:
    reading = state.phone
    if reading is None:
        return None
    return {
        "reachable": reading.reachable,
        "cause": reading.cause.value,
        "for_s": rounded(now - reading.since_s),
        "age_s": rounded(now - reading.at_s),
        "rtt_ms": ms(reading.rtt_s),
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
