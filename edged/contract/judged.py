"""What the judge says: tiers, rows of the containment table, conditions, failovers."""

from typing import Annotated

from pydantic import Field

from edged.contract.words import (
    By,
    Contents,
    Count,
    Few,
    Link,
    Milliseconds,
    Name,
    Nats,
    OfIncident,
    Percent,
    PhaseCode,
    Room,
    Say,
    Seconds,
    Session,
    Share,
    Source,
    Tier,
    Who,
    many,
    one_of,
)
from edged.core import containment
from edged.core.conditions import Severity
from edged.core.rootcause import Cause
from probes.reading import LinkCause, Verdict
from ups.reading import Power

RowId = Annotated[str, one_of(containment.BY_ID)]
CauseCode = Annotated[str, one_of(Cause)]
VerdictCode = Annotated[str, one_of(Verdict)]
LinkCauseCode = Annotated[str, one_of(LinkCause)]
SeverityCode = Annotated[str, one_of(Severity)]
PowerCode = Annotated[str, one_of(Power)]
TESTS = (
    *("carrier", "route", "permission", "sight", "joint", "votes", "user_bytes"),
    *("witness", "starting", "gray_loss", "delay", "recovery", "none"),
)
Test = Annotated[str, one_of(TESTS)]
"""The rule of probes.verdict that decided."""


class RestsOn(Contents):
    """A link's verdict with paper and pencil: misses, what each of them weighs, and where it trips
    (docs/decisions/0009)."""

    test: Test
    nats: Nats
    trip_nats: Nats
    misses: Count
    pi: Share
    q: Share
    quick: Count
    q_quick: Share
    votes: Few
    voters: Few


# ── tiers ──────────────────────────────────────────────────────────────────────────────────────────────
class Response(Contents):
    """What to do, who does it, and within how many seconds (null: no deadline)."""

    say: Say
    who: Who
    by_s: By | None


class LinkEvidence(Contents):
    verdict: VerdictCode
    cause: LinkCauseCode
    rtt_ms: Milliseconds | None
    loss_pct: Percent | None
    rests_on: RestsOn | None


class Evidence(Contents):
    """The observations that made a tier. null is not known, never good."""

    links: Annotated[dict[Link, LinkEvidence], Field(max_length=4)]
    carrier: Link | None
    router_answering: bool | None
    audio: bool | None
    video: bool | None
    phone: bool | None
    power: Annotated[dict[Name, PowerCode], Field(max_length=64)]
    lost_for_s: Seconds | None


class TierEntered(OfIncident):
    """The tier of a room changed; the envelope's `tier` is this room's new one. `row` is null on the way down to 0."""

    room: Room
    previous: Tier
    previous_lasted_s: Seconds
    row: RowId | None
    rows: Annotated[tuple[RowId, ...], many(len(containment.ROWS))]
    cause: CauseCode
    cause_at: Name | None
    response: Response | None
    session: Session | None
    phase: PhaseCode | None
    drill: bool
    av_compliant: bool | None
    evidence: Evidence


class ContainmentRow(OfIncident):
    """A row of the containment table went up or down in a room."""

    room: Room
    row: RowId
    row_tier: Tier


class ResponseDemanded(OfIncident):
    """Within one tier another row of the containment table leads now: this is what to do from here on."""

    room: Room
    row: RowId
    response: Response
    session: Session | None
    phase: PhaseCode | None


class AvChanged(OfIncident):
    """Whether live two-way audio and video exist in a room. null is not known; `av_compliant`: no session."""

    room: Room
    av_compliant: bool | None
    audio: bool | None
    video: bool | None


class WanMoved(OfIncident):
    """The router moved the traffic from one link to another."""

    previous: Link
    active: Link


# ── conditions ─────────────────────────────────────────────────────────────────────────────────────────
class ConditionRaised(OfIncident):
    """Something is wrong. `at` is the link, UPS, interface, room or part it is about; "box" is the box itself."""

    at: Name | Source
    severity: SeverityCode


class LinkConditionRaised(OfIncident):
    """Something is wrong with a link. `evidence` is what its verdict rests on."""

    at: Link
    severity: SeverityCode
    cause: LinkCauseCode
    evidence: RestsOn | None


class ConditionCleared(OfIncident):
    """It is over, and lasted so long."""

    at: Name | Source
    severity: SeverityCode
    lasted_s: Seconds
