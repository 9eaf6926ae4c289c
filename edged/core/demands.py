"""What the rows of the containment table that are up demand of people: which of them leads, what it says, and whether
that has been done. The sentences are the protocol's.
"""

from collections.abc import Mapping
from dataclasses import replace

from edged.core.containment import BY_ID, Row
from edged.core.latch import Latch
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.protocol import BY_PHONE, Response
from edged.core.protocol_words import deadline_s
from edged.core.situation import Situation


def leading(latches: Mapping[str, Latch], s: Situation) -> Row | None:
    """The row whose response is in force: of the highest tier, the one that leads, else of those that demand something
    the one that went up first.
    """
    up = [_rank(BY_ID[name], latch, s) for name, latch in latches.items() if latch.raised and name in BY_ID]
    return BY_ID[min(up)[-1]] if up else None


def meanwhile(latches: Mapping[str, Latch], s: Situation) -> Row | None:
    """The row that still demands something while the leading one does not, or wants a word said on the phone."""
    first = leading(latches, s)
    called = first is not None and first.id == "t3.unconfirmed" and is_answered(first, latches[first.id], s)
    if first is None or not (called or demands_nothing(first, latches[first.id], s)):
        return None
    known = {name: latch for name, latch in latches.items() if name in BY_ID}
    return leading({name: latch for name, latch in known.items() if not is_answered(BY_ID[name], latch, s)}, s)


def told_last(before: str | None, latches: Mapping[str, Latch], s: Situation, *, entered: bool) -> str | None:
    """The row whose response is told: whichever leads into a tier, then whatever leads in it and demands something."""
    row = leading(latches, s)
    rests = row is not None and not entered and demands_nothing(row, latches[row.id], s)
    return before if rests or row is None else row.id


def response(plan: Plan, row: Row) -> Response:
    """What the protocol in force demands, within the site's own time where that is shorter."""
    return replace(plan.protocol.responses[row.id], by_s=deadline_s(row.id, plan))


def say(plan: Plan, row: Row, latch: Latch, s: Situation) -> str:
    """The sentence in force for a row that is up: what to do meanwhile where its clear rule already holds, or where
    somebody was reached by the phone it sends people to.
    """
    if demands_nothing(row, latch, s):
        return plan.protocol.clearing[row.tier]
    on_the_phone = row.id in BY_PHONE and s.reached(_called_since_s(row, latch, s))
    return plan.protocol.on_the_phone if on_the_phone else response(plan, row).say


def demands_nothing(row: Row, latch: Latch, s: Situation) -> bool:
    """It only waits out its time, for the line to settle, or for the picture after the sound."""
    rests = {"t2.failover": s.confirmed, "t3.av": s.audio is True}
    return latch.quiet_s is not None or rests.get(row.id, False)


def is_answered(row: Row, latch: Latch, s: Situation) -> bool:
    """What somebody had to do within the row's time has been done; what it forbids goes on."""
    if demands_nothing(row, latch, s):
        return True
    if row.id in BY_PHONE:
        return s.contact(_called_since_s(row, latch, s))
    return row.id == "t2.video" and s.did(Act.CONTINUITY_CONFIRMED, latch.raised_s)


def _rank(row: Row, latch: Latch, s: Situation) -> tuple[int, bool, bool, float, str]:
    return -row.tier, not row.leads, demands_nothing(row, latch, s), latch.raised_s or 0.0, row.id


def _called_since_s(row: Row, latch: Latch, s: Situation) -> float | None:
    """A call made since the loss began stands for as long as the loss does."""
    since_s = s.asked_s if row.id == "t3.unconfirmed" else s.lost_since_s
    return latch.raised_s if since_s is None else since_s
