"""The containment protocol: REQUIREMENTS.md T1 to T4 and the rules under it, as a table.

A row says when it is up, when it may clear, and the response it demands. The tier in force is the highest row up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edged.core.latch import Dwell, Latch, step
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.situation import Situation
from probes.reading import LinkCause, Verdict

Rule = Callable[[Situation], bool]


@dataclass(frozen=True, slots=True)
class Response:
    """One short imperative sentence, who carries it out, and within how many seconds (None: no deadline)."""

    say: str
    who: str
    by_s: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    tier: int
    source: str
    """Requirement and rule it carries out."""
    trigger: Rule
    clear: Rule
    response: Response
    raise_s: float | None = None
    clear_s: float | None = None
    """Dwells of its own; None: the tier's (plan.dwells)."""

    def dwell(self, plan: Plan) -> Dwell:
        own = plan.dwells[self.tier]
        return Dwell(
            own.raise_s if self.raise_s is None else self.raise_s, own.clear_s if self.clear_s is None else self.clear_s
        )


AT_REST = Latch()
_CALL = Response("Hold contrast and call the radiologist on the direct phone line.", "technologist", 120.0)
_HALT = Response("Halt at once. Follow the on-site protocol or reschedule.", "technologist", 0.0)


def _lossy(s: Situation) -> bool:
    return s.in_session and (s.media_loss_pct or 0.0) >= s.media_loss_limit_pct


def _failover_unsettled(s: Situation) -> bool:
    if s.failover is None:
        return False
    just_now = s.now - s.failover.at_s < 1.0
    return just_now or not (s.confirmed and s.carrier_verdict is Verdict.UP)


def _unconfirmed_too_long(s: Situation) -> bool:
    return s.failover is not None and not s.confirmed and s.now - s.failover.at_s >= s.confirm_within_s


def _session_audio_lost(s: Situation) -> bool:
    return s.in_session and s.audio is False and s.video is True


def _session_video_lost(s: Situation) -> bool:
    return s.in_session and s.audio is True and s.video is False


def _lost_past_grace(s: Situation) -> bool:
    return s.av_lost and s.cut_off


def _two_minutes_without_contact(s: Situation) -> bool:
    return s.av_lost and (s.lost_for_s or 0.0) >= s.phone_within_s and not _contact(s)


def _contact(s: Situation) -> bool:
    return s.did(Act.PHONE_CONFIRMED, s.lost_since_s) or _onsite(s)


def _onsite(s: Situation) -> bool:
    return s.did(Act.ONSITE_PRESENT, s.lost_since_s)


def _never(_: Situation) -> bool:
    return False


ROWS: tuple[Row, ...] = (
    Row(
        "t1.latency",
        1,
        "T1 rule 3",
        trigger=lambda s: s.spiking,
        clear=lambda s: s.calm,
        response=Response("Watch the picture; the line is slow and is being relieved.", "technologist"),
        raise_s=0.0,  # the window of rule 3 is its dwell
    ),
    Row(
        "t1.loss",
        1,
        "T1",
        trigger=lambda s: s.carrier_verdict is Verdict.DEGRADED and s.carrier_cause is LinkCause.GRAY_LOSS,
        clear=lambda s: s.carrier_verdict is Verdict.UP,
        response=Response("Watch for stutter; the line is losing packets.", "technologist"),
    ),
    Row(
        "t1.media",
        1,
        "T1",
        trigger=_lossy,
        clear=lambda s: not s.in_session or (s.media_loss_pct is not None and not _lossy(s)),
        response=Response("Watch for stutter; audio or video is losing packets.", "technologist"),
    ),
    Row(
        "t2.switching",
        2,
        "T2 rule 6",
        trigger=lambda s: s.switching,
        clear=lambda s: s.carrier_verdict in (Verdict.UP, Verdict.DEGRADED),
        response=Response("Hold new injections; the backup line is taking over.", "technologist", 15.0),
        clear_s=1.0,  # t2.failover takes over once the router has moved
    ),
    Row(
        "t2.failover",
        2,
        "T2 rule 4",
        trigger=_failover_unsettled,
        clear=lambda s: not _failover_unsettled(s),
        response=Response("Ask the radiologist to confirm that supervision continues.", "technologist", 30.0),
        raise_s=0.0,
    ),
    Row(
        "t2.video",
        2,
        "T2 rule 10",
        trigger=_session_video_lost,
        clear=lambda s: s.video is True or not s.in_session,
        response=Response("Start no new injection; confirm by voice that supervision continues.", "technologist", 30.0),
    ),
    Row(
        "t3.av",
        3,
        "T3 rules 6 and 7",
        trigger=_lost_past_grace,
        clear=lambda s: s.av_restored,
        response=_CALL,
        raise_s=0.0,  # cut_off carries the dwell, or the grace of rule 6
    ),
    Row(
        "t3.audio",
        3,
        "rule 5",
        trigger=_session_audio_lost,
        clear=lambda s: s.audio is True or not s.in_session,
        response=_CALL,
    ),
    Row(
        "t3.unconfirmed",
        3,
        "rule 4",
        trigger=_unconfirmed_too_long,
        clear=lambda s: s.confirmed,
        response=_CALL,
        raise_s=0.0,
        clear_s=0.0,  # the confirmation is all it waited for
    ),
    Row(
        "t3.links",
        3,
        "T3 rule 17",
        trigger=lambda s: s.no_line,
        clear=lambda s: s.links_usable,
        response=Response("Start nothing; both lines are down. Call the radiologist by phone.", "technologist", 120.0),
        raise_s=0.0,  # no_line carries the dwell
    ),
    Row(
        "t4.phone_dead",
        4,
        "T4 rule 8",
        trigger=lambda s: s.cut_off and s.phone is False and not _onsite(s),
        clear=_never,  # rule 9, in `_t4_clear`: it needs to know when the row went up
        response=_HALT,
    ),
    Row(
        "t4.no_contact",
        4,
        "T4 rule 8",
        trigger=lambda s: s.cut_off and s.did(Act.PHONE_FAILED, s.lost_since_s) and not _contact(s),
        clear=_never,
        response=_HALT,
    ),
    Row(
        "t4.two_minutes",
        4,
        "T4 rule 8",
        trigger=_two_minutes_without_contact,
        clear=_never,
        response=_HALT,
    ),
)

BY_ID: Mapping[str, Row] = {row.id: row for row in ROWS}


def walk(plan: Plan, latches: Mapping[str, Latch], s: Situation) -> dict[str, Latch]:
    """Every row's latch at `s.now`."""
    stepped = {}
    for row in ROWS:
        latch = latches.get(row.id, AT_REST)
        clear = _t4_clear(s, latch) if row.tier == 4 else row.clear(s)
        stepped[row.id] = step(latch, trigger=row.trigger(s), clear=clear, dwell=row.dwell(plan), now=s.now)
    return stepped


CLEARING: Mapping[int, str] = {
    1: "Nothing to do; the line has recovered and is being watched.",
    2: "Carry on and watch; supervision continues.",
    3: "Hold contrast until this clears; the lines are back.",
    4: "Wait; on-site supervision or the restored session takes over.",
}
"""What to do while a row is up but its clear rule already holds."""


def say(row: Row, latch: Latch) -> str:
    """The sentence in force for a row that is up."""
    return row.response.say if latch.quiet_s is None else CLEARING[row.tier]


def tier_of(latches: Mapping[str, Latch]) -> int:
    return max((BY_ID[name].tier for name, latch in latches.items() if latch.raised), default=0)


def leading(latches: Mapping[str, Latch]) -> Row | None:
    """The row whose response is in force: of the highest tier, the one that went up first."""
    up = [(-BY_ID[name].tier, latch.raised_s, BY_ID[name].id) for name, latch in latches.items() if latch.raised]
    return BY_ID[min(up)[2]] if up else None


def needs(row: Row, latch: Latch, s: Situation) -> tuple[str, ...]:
    """What the row still waits for before it may clear: codes for the status and the NOC."""
    if row.tier == 4:
        missing = {"av_restored": s.av_restored, "acknowledged": s.did(Act.ACKNOWLEDGED, latch.raised_s)}
    elif row.id in ("t2.failover", "t3.unconfirmed"):
        missing = {"continuity_confirmed": s.confirmed, "path_stable": s.carrier_verdict is Verdict.UP}
    else:
        missing = {"recovered": row.clear(s) and not row.trigger(s)}
    return tuple(code for code, met in missing.items() if not met)


def _t4_clear(s: Situation, latch: Latch) -> bool:
    """Rule 9: A/V restored and acknowledged after it struck, or on-site supervision attested."""
    acknowledged = s.did(Act.ACKNOWLEDGED, latch.raised_s)
    return (s.av_restored and acknowledged) or s.did(Act.ONSITE_PRESENT, latch.raised_s)
