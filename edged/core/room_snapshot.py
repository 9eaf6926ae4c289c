"""One procedure room as part of the status document: tier and response, session, streams, deadlines, readiness.

Ages instead of times; null means not known or not configured, never good.
"""

from edged.core import containment, demands, rootcause, sessions
from edged.core.events import Json
from edged.core.fallback import mobile_is_diverse, phone_of, shares
from edged.core.liveness import STREAMS
from edged.core.plan import Plan
from edged.core.protocol import BY_PHONE
from edged.core.readiness import readiness
from edged.core.rooms import RoomState
from edged.core.rounding import ms, rounded
from edged.core.situation import Situation, situation
from edged.core.state import State

Doc = dict[str, Json]


def room_doc(plan: Plan, state: State, name: str, now: float) -> Doc:
    s = situation(plan, state, now, name)
    room = state.room(name)
    ready = readiness(plan, state, s)
    return {
        "room": name,
        "tier": tier_doc(plan, state, s),
        "session": session_doc(plan, room, now),
        "streams": _streams(s),
        "media": media_doc(room, now),
        "phone": phone_doc(plan, state, name, now),
        "timers": _timers(room, now),
        "ready": {"level": ready.level.value, "reasons": [_reason(plan, code) for code in ready.reasons]},
    }


def tier_doc(plan: Plan, state: State, s: Situation) -> Doc:
    room = state.room(s.room)
    row = demands.leading(room.tiers, s)
    found = rootcause.find(plan, state, s)
    latch = room.tiers[row.id] if row else containment.AT_REST
    demanded = demands.response(plan, row) if row else None
    calls = row is not None and row.id in BY_PHONE and latch.quiet_s is None
    return {
        "tier": room.tier,
        "room": s.room,
        "for_s": rounded(s.now - room.tier_since_s),
        "av_compliant": s.av_compliant,
        "cause": found.cause.value,
        "cause_at": found.at,
        "say": demands.say(plan, row, latch, s) if row else None,
        "who": demanded.who if demanded else None,
        "by_s": demanded.by_s if demanded else None,
        "due_in_s": _due_in_s(plan, row, room, s) if row else None,
        "lost_for_s": rounded(s.lost_for_s) if s.undirected else None,
        "also_say": _meanwhile(plan, room, s) or (plan.protocol.phone_prompt if calls else None),
        "script": _script(plan, room, s),
        "rows": [
            _row(plan, each, room, s)
            for each in containment.ROWS
            if room.tiers.get(each.id, containment.AT_REST).raised
        ],
    }


def _meanwhile(plan: Plan, room: RoomState, s: Situation) -> str | None:
    row = demands.meanwhile(room.tiers, s)
    return demands.say(plan, row, room.tiers[row.id], s) if row else None


def _row(plan: Plan, row: containment.Row, room: RoomState, s: Situation) -> Doc:
    latch = room.tiers[row.id]
    return {
        "row": row.id,
        "tier": row.tier,
        "for_s": rounded(s.now - (latch.raised_s or s.now)),
        "clears_in_s": None if latch.quiet_s is None else rounded(latch.quiet_s + row.dwell(plan).clear_s - s.now),
        "needs": list(containment.needs(row, latch, s)),
        "say": demands.say(plan, row, latch, s),
        "who": demands.response(plan, row).who,
        "by_s": demands.response(plan, row).by_s,
    }


def _due_in_s(plan: Plan, row: containment.Row, room: RoomState, s: Situation) -> float | None:
    """Seconds left for the row's response. Never more than the timer gives that runs from the onset (rules 4 and 8)."""
    latch, by_s = room.tiers[row.id], demands.response(plan, row).by_s
    if by_s is None or demands.is_answered(row, latch, s):
        return None
    timer = room.timers.get("phone" if row.id in BY_PHONE else "confirm")
    due_s = (latch.raised_s or s.now) + by_s
    return rounded((due_s if timer is None or timer.met else min(due_s, timer.due_s)) - s.now)


def _script(plan: Plan, room: RoomState, s: Situation) -> list[Json]:
    """T5: what to do, step by step, while tier 4 stands in this phase."""
    if room.tier < 4 or s.phase is None:
        return []
    return [{"say": each.say, "who": each.who, "by_s": each.by_s} for each in plan.protocol.script.get(s.phase, ())]


def session_doc(plan: Plan, room: RoomState, now: float) -> Doc:
    held = room.session
    if held is None:
        return {**dict.fromkeys(_SESSION_KEYS), "open": False}
    joined = held.joined_s is not None
    return {
        "id": held.id,
        "open": True,
        "for_s": rounded(now - held.opened_s),
        "phase": held.phase.value,
        "joined": joined,
        "response_s": rounded(sessions.response_s(held)),
        "response_class": sessions.answer(held, plan.thresholds).value if joined else None,
        "escalated": held.escalated,
    }


_SESSION_KEYS = ("id", "open", "for_s", "phase", "joined", "response_s", "response_class", "escalated")


def _streams(s: Situation) -> list[Json]:
    """The best word on each, and whose it is."""
    return [
        {
            "medium": medium.value,
            "way": way.value,
            "live": s.words[medium, way].live,
            "source": s.words[medium, way].source.value,
            "age_s": rounded(s.words[medium, way].age_s),
            "confidence": round(s.words[medium, way].confidence, 2),
        }
        for medium, way in STREAMS
    ]


def _timers(room: RoomState, now: float) -> list[Json]:
    return [
        {
            "timer": name,
            "for_s": rounded(now - timer.started_s),
            "due_in_s": rounded(timer.due_s - now),
            "met": timer.met,
            "expired": timer.expired,
        }
        for name, timer in sorted(room.timers.items())
    ]


def _reason(plan: Plan, code: str) -> Json:
    return {"code": code, "say": plan.protocol.readiness.get(code, code.replace("_", " "))}


def media_doc(room: RoomState, now: float) -> Doc | None:
    reading = room.media
    if reading is None:
        return None
    return {
        "observing": reading.observing,
        "far_end": reading.far_end.value,
        "protection": reading.protection.value,
        "age_s": rounded(now - reading.at_s),
        "streams": [
            {
                "medium": stream.medium.value,
                "way": stream.way.value,
                "live": stream.live,
                "age_s": rounded(stream.age_s),
                "packet_rate_hz": rounded(stream.packet_rate_hz),
                "loss_pct": rounded(stream.loss_pct),
                "frame_rate_hz": rounded(stream.frame_rate_hz),
                "frozen_for_s": rounded(stream.frozen_for_s),
                "confidence": round(stream.confidence, 2),
            }
            for stream in reading.streams
        ],
    }


def phone_doc(plan: Plan, state: State, room: str, now: float) -> Doc | None:
    reading = phone_of(plan, state, room)
    if reading is None:
        return None
    return {
        "reachable": reading.reachable,
        "registered": reading.registered,
        "shared_fate": list(shares(plan, room)),
        "cause": reading.cause.value,
        "for_s": rounded(now - reading.since_s),
        "age_s": rounded(now - reading.at_s),
        "rtt_ms": ms(reading.rtt_s),
    }


def mobile_doc(plan: Plan, state: State, now: float) -> Doc | None:
    """The mobile workstation: heard, and on whose network."""
    reading = state.mobile
    if reading is None:
        return None
    return {
        "heard": reading.heard,
        "for_s": rounded(now - reading.since_s),
        "age_s": rounded(now - reading.at_s),
        "mcc_mnc": reading.mcc_mnc,
        "asn": reading.asn,
        "registered": reading.registered,
        "other_carrier": mobile_is_diverse(plan, state),
    }
