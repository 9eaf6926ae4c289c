"""Figures, regularly. null is not known, never good."""

from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import Field

from edged.contract.judged import LinkCauseCode, PowerCode, VerdictCode
from edged.contract.words import (
    BitsPerSecond,
    Contents,
    Count,
    Few,
    Interface,
    Link,
    LoadPercent,
    Milliseconds,
    Mos,
    Name,
    Percent,
    Seconds,
    SignedMilliseconds,
    many,
    one_of,
)
from qos.settings import CLASS_NAMES

T = TypeVar("T")

MOST_ENTRIES = 1024
"""Of one row. Live ones carry 10 seconds, a minute at most; a week in steps of ten minutes is 1008."""
Column: TypeAlias = T | Annotated[tuple[T | None, ...], many(MOST_ENTRIES)] | None
"""A value for every step of `every_s`, or one that stands for all of them."""
Pace = Literal["calm", "alert", "session"]


class LinkSeconds(Contents):
    """A link in columns, a value for every step of `every_s`: the first one ended `age_s` before the envelope's `time`,
    the next one `every_s` later, and so on for `seconds`. Of a longer step's seconds, `seen_s` were seen.
    """

    link: Link
    age_s: Seconds
    every_s: Literal[1, 60, 600]
    seconds: Annotated[int, Field(ge=0, le=1_000_000)]
    seen_s: Column[Few] = None
    verdict: Column[VerdictCode]
    cause: Column[LinkCauseCode]
    pace: Column[Pace]
    sent: Column[Count]
    rtt_min_ms: Column[Milliseconds]
    rtt_ms: Column[Milliseconds]
    rtt_p95_ms: Column[Milliseconds]
    rtt_p99_ms: Column[Milliseconds]
    jitter_ms: Column[Milliseconds]
    loss_pct: Column[Percent]
    burst_longest: Column[Count]
    mos: Column[Mos]
    up_loss_pct: Column[Percent]
    down_loss_pct: Column[Percent]
    up_delay_ms: Column[SignedMilliseconds]
    down_delay_ms: Column[SignedMilliseconds]


class LinksMeasured(Contents):
    """Every link, ten seconds at a time."""

    rows: Annotated[tuple[LinkSeconds, ...], many(64)]


class UpsFigures(Contents):
    ups: Name
    power: PowerCode
    charge_pct: Percent | None
    runtime_s: Seconds | None
    load_pct: LoadPercent | None


class UpsesMeasured(Contents):
    """Every UPS."""

    rows: Annotated[tuple[UpsFigures, ...], many(64)]


class ClassFigures(Contents):
    """One class of traffic: counters since it was set up, and the rate between the last two readings."""

    name: Annotated[str, one_of(CLASS_NAMES)]
    packets: Count
    bytes: Count
    drops: Count
    backlog_bytes: Count
    rate_bps: BitsPerSecond | None


class ShaperFigures(Contents):
    interface: Interface
    rate_bps: Count | None
    classes: Annotated[tuple[ClassFigures, ...], many(len(CLASS_NAMES))]


class ShapersMeasured(Contents):
    """Every shaped interface."""

    rows: Annotated[tuple[ShaperFigures, ...], many(8)]
