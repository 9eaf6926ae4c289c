"""The containment protocol: REQUIREMENTS.md T1 to T5 and the rules under it, as a table, walked for each room.

A row says when it is up and when it may clear; the response it demands is in the protocol file under the row's id. The
tier in force is the highest row up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from edged.core.latch import Dwell, Latch, step
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.situation import Situation
from probes.reading import LinkCause, Verdict

Rule = Callable[[Situation], bool]


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    tier: int
    source: str
    """Requirement and rule it carries out."""
    trigger: Rule
    clear: Rule
    raise_s: float | None = None
    clear_s: float | None = None
    """Dwells of its own; None: the tier's (plan.dwells)."""
    leads: bool = False
    """Its response comes before that of others of its tier."""

    def dwell(self, plan: Plan) -> Dwell:
        own = plan.dwells[self.tier]
        return Dwell(
            own.raise_s if self.raise_s is None else self.raise_s, own.clear_s if self.clear_s is None else self.clear_s
        )


AT_REST = Latch()


def _failover_unsettled(s: Situation) -> bool:
    if s.failover is None:
        return False
    just_now = s.now - s.failover.at_s < 1.0
    return just_now or not (s.confirmed and s.carrier_verdict is Verdict.UP)


def _unconfirmed_too_long(s: Situation) -> bool:
    return s.asked_s is not None and not s.confirmed and s.now - s.asked_s >= s.confirm_within_s


def _session_audio_lost(s: Situation) -> bool:
    return s.in_session and s.audio is False and s.video is True


def _session_video_lost(s: Situation) -> bool:
    return s.in_session and s.audio is True and s.video is False


def _lost_past_grace(s: Situation) -> bool:
    return s.av_lost and s.cut_off


def _two_minutes_without_contact(s: Situation) -> bool:
    return s.undirected and (s.lost_for_s or 0.0) >= s.phone_within_s and not s.contact(s.lost_since_s)


def _nobody_answers(s: Situation) -> bool:
    since_s = _calling_since_s(s)
    return s.did(Act.PHONE_FAILED, since_s) and not s.contact(since_s)


def _calling_since_s(s: Situation) -> float | None:
    """Since when there is a reason to call: the loss, or a move of the traffic that nobody confirmed in time."""
    if s.cut_off:
        return s.lost_since_s
    return s.asked_s if _unconfirmed_too_long(s) else None


def _phone_is_dead_too(s: Situation) -> bool:
    return s.cut_off and s.phone is False and not s.did(Act.ONSITE_PRESENT, s.lost_since_s)


def _never(_: Situation) -> bool:
    return False


ROWS: tuple[Row, ...] = (
    Row(
        "t1.latency",
        1,
        "T1 rule 3",
        trigger=lambda s: s.spiking,
        clear=lambda s: s.calm,
        raise_s=0.0,  # the window of rule 3 is its dwell
    ),
    Row(
        "t1.loss",
        1,
        "T1",
        trigger=lambda s: s.carrier_verdict is Verdict.DEGRADED and s.carrier_cause is LinkCause.GRAY_LOSS,
        clear=lambda s: s.carrier_verdict is Verdict.UP,
    ),
    Row(
        "t1.media",
        1,
        "T1",
        trigger=lambda s: s.media_poor,
        clear=lambda s: not s.in_session or (s.media_loss_pct is not None and not s.media_poor),
    ),
    Row(
        "t1.video",
        1,
        "T1",
        trigger=lambda s: s.video_jerky,
        clear=lambda s: not s.in_session or (s.frame_rate_hz is not None and not s.video_jerky),
    ),
    Row(
        "t2.switching",
        2,
        "T2 rule 6",
        trigger=lambda s: s.switching,
        clear=lambda s: s.carrier_verdict in (Verdict.UP, Verdict.DEGRADED),
        clear_s=1.0,  # t2.failover takes over once the router has moved
    ),
    Row(
        "t2.failover",
        2,
        "T2 rule 4",
        trigger=_failover_unsettled,
        clear=lambda s: not _failover_unsettled(s),
        raise_s=0.0,
    ),
    Row(
        "t2.video",
        2,
        "T2 rule 10",
        trigger=_session_video_lost,
        clear=lambda s: s.video is True or not s.in_session,
    ),
    Row(
        "t3.av",
        3,
        "T3 rules 6 and 7",
        trigger=_lost_past_grace,
        clear=lambda s: s.sound_restored,  # t2.video holds what is still missing
        raise_s=0.0,  # cut_off carries the dwell, or the grace of rule 6
    ),
    Row(
        "t3.audio",
        3,
        "rule 5",
        trigger=_session_audio_lost,
        clear=lambda s: s.audio is True or not s.in_session,
    ),
    Row(
        "t3.unconfirmed",
        3,
        "rule 4",
        trigger=_unconfirmed_too_long,
        clear=lambda s: s.confirmed,
        raise_s=0.0,
        clear_s=0.0,  # the confirmation is all it waited for
    ),
    Row(
        "t3.links",
        3,
        "T3 rule 17",
        trigger=lambda s: s.no_line,
        clear=lambda s: s.links_usable,
        raise_s=0.0,  # no_line carries the dwell
    ),
    Row(
        "t4.phone_dead",
        4,
        "T4 rules 5 and 8",
        trigger=_phone_is_dead_too,
        clear=_never,  # rule 9, in `_t4_clear`: it needs to know when the row went up
    ),
    Row(
        "t4.no_contact",
        4,
        "T4 rules 4, 5 and 8",
        trigger=_nobody_answers,
        clear=_never,
    ),
    Row(
        "t4.two_minutes",
        4,
        "T4 rules 5 and 8",
        trigger=_two_minutes_without_contact,
        clear=_never,
    ),
    Row(
        "t5.contrast_given",
        4,
        "T5 rule 15",
        trigger=lambda s: s.halted and s.contrast_given,
        clear=_never,
        leads=True,
    ),
)

BY_ID: Mapping[str, Row] = {row.id: row for row in ROWS}


def walk(plan: Plan, latches: Mapping[str, Latch], s: Situation) -> dict[str, Latch]:
    """Every row's latch at `s.now`, in the order of the table: T5 needs to know of T4, and T4 of T3."""
    stepped: dict[str, Latch] = {}
    for row in ROWS:
        latch = latches.get(row.id, AT_REST)
        clear = _t4_clear(row, s, latch) if row.tier == 4 else row.clear(s)
        stepped[row.id] = step(latch, trigger=row.trigger(s), clear=clear, dwell=row.dwell(plan), now=s.now)
        if stepped[row.id].raised:
            s = replace(s, silenced=s.silenced or row.id == "t3.audio", halted=s.halted or row.tier == 4)
    return stepped


def tier_of(latches: Mapping[str, Latch]) -> int:
    return max((BY_ID[name].tier for name, latch in latches.items() if latch.raised and name in BY_ID), default=0)


def needs(row: Row, latch: Latch, s: Situation) -> tuple[str, ...]:
    """What the row still waits for before it may clear: codes for the status and the NOC."""
    if row.tier == 4:
        missing = {"av_restored": s.av_restored, "acknowledged": s.did(Act.ACKNOWLEDGED, latch.raised_s)}
    elif row.id in ("t2.failover", "t3.unconfirmed"):
        missing = {"continuity_confirmed": s.confirmed, "path_stable": s.carrier_verdict is Verdict.UP}
    else:
        missing = {"recovered": row.clear(s) and not row.trigger(s)}
    return tuple(code for code, met in missing.items() if not met)


def _t4_clear(row: Row, s: Situation, latch: Latch) -> bool:
    """Rule 9: A/V restored and acknowledged after it struck, or on-site supervision attested. T5's script also ends
    with the monitoring window.
    """
    if row.leads and not s.contrast_given:
        return True
    acknowledged = s.did(Act.ACKNOWLEDGED, latch.raised_s)
    return (s.av_restored and acknowledged) or s.did(Act.ONSITE_PRESENT, latch.raised_s)
