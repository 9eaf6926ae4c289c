"""Figures, regularly. null is not known, never good."""

from typing import Annotated, Literal, TypeAlias, TypeVar

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

MOST_SECONDS = 600
"""Of one message; live ones carry 10, a minute at most."""
Column: TypeAlias = T | Annotated[tuple[T | None, ...], many(MOST_SECONDS)] | None
"""A value for every second, or one that stands for all of them."""
Pace = Literal["calm", "alert", "session"]


class LinkSeconds(Contents):
    """A link, second by second in columns: the first ended `age_s` before the envelope's `time`, the next one `every_s`
    later, and so on for `seconds`. Downsampled: each value stands for `every_s` seconds, `seen_s` of which were seen.
    """

    link: Link
    age_s: Seconds
    every_s: Literal[1, 60, 600]
    seconds: Few
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
