"""What each row of the containment table sees and when it clears, in words, with the numbers in force.

Not for a site to edit: it says what the code does. A site edits its numbers (edged.toml) and its sentences
(protocol.toml).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edged.core.plan import Plan, Thresholds
from edged.core.protocol import DEADLINES


@dataclass(frozen=True, slots=True)
class Words:
    seen: str
    clears: str


_NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""

_WELL_T1 = "The line is well{clear1}."
_NEVER_ALONE = (
    "Never by itself. On-site supervision is present (edgectl onsite); or sound and picture are live both ways "
    "and somebody acknowledged (edgectl ack)."
)

_WORDS: Mapping[str, Words] = {
    "t1.latency": Words(
        "The line is slow: {spike_samples} of {spike_window} round trips, one a second, took more than {spike_rtt}.",
        "19 of 20 round trips take less than {calm_rtt}{clear1}.",
    ),
    "t1.loss": Words("The line in use still answers, but has been losing data{raise1}.", _WELL_T1),
    "t1.media": Words("Sound or picture has lost {media_loss} of its data or more{raise1}.", "It loses less{clear1}."),
    "t1.video": Words("The picture jerks: fewer than {frame_rate} frames a second{raise1}.", "It moves again{clear1}."),
    "t2.switching": Words(
        "The line in use has been down{raise2}, and another one works.",
        "The line in use works again, or the other one took over.",
    ),
    "t2.failover": Words(
        "The session moved to another line, or back. A drill counts too.",
        "Confirmed at the box (edgectl continuity), and the line is well{clear2}.",
    ),
    "t2.video": Words(
        "The picture has been lost{raise2}, in one direction or both. The sound lives.",
        "The picture is live both ways{clear2}.",
    ),
    "t3.av": Words(
        "Sound and picture have been lost{raise3} ({grace} while the session moves to another line).",
        "The sound is live both ways{clear3}. Without the picture tier 2 stays.",
    ),
    "t3.audio": Words(
        "The sound has been lost{raise3}, in one direction or both. The picture lives.",
        "The sound is live both ways{clear3}.",
    ),
    "t3.unconfirmed": Words(
        "The session moved {confirm} ago, and nobody has confirmed.",
        "Confirmed at the box (edgectl continuity).",
    ),
    "t3.links": Words("Every line has been down{raise3}.", "A line works{clear3}."),
    "t4.phone_dead": Words("The sound, or every line, is lost as in tier 3, and the phone is dead.", _NEVER_ALONE),
    "t4.no_contact": Words("Tier 3 sends to the phone, and nobody answered (edgectl phone failed).", _NEVER_ALONE),
    "t4.two_minutes": Words(
        "The sound has been lost for {phone}, the picture too or not, and nobody was reached (edgectl phone confirm).",
        _NEVER_ALONE,
    ),
    "t5.contrast_given": Words(
        "Tier 4 strikes while contrast is being given, or while the patient is being watched after it.",
        "As tier 4, or the patient need not be watched any longer.",
    ),
}

ROWS: tuple[str, ...] = tuple(_WORDS)

VERDICTS: tuple[str, ...] = (
    "tier: what to do now.",
    "av_compliant: whether live sound and picture existed, both ways, in this second.",
    "Audio alone is not compliance. A voice confirms that somebody is there; direct supervision needs the picture too.",
    "What was not observed is never counted as live.",
)
"""Rule 10: two verdicts a second."""


def words(row: str, plan: Plan) -> Words:
    numbers = _filled(plan)
    raw = _WORDS[row]
    return Words(raw.seen.format_map(numbers), raw.clears.format_map(numbers))


def deadline_s(row: str, plan: Plan) -> float | None:
    """Seconds from the row's onset until its response must be done: the protocol's, or the site's own timer if that is
    shorter. A screen must not promise more time than the judge gives.
    """
    by_s = plan.protocol.responses[row].by_s
    setting = DEADLINES[row].setting if row in DEADLINES else None
    return by_s if by_s is None or setting is None else min(by_s, float(getattr(plan.thresholds, setting)))


def numbers(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The figures in force, each with its name."""
    limits = plan.thresholds
    dwells = [
        (f"Tier {tier} comes after, goes after", f"{span(dwell.raise_s)}, {span(dwell.clear_s)}")
        for tier, dwell in sorted(plan.dwells.items())
        if tier < 4
    ]
    return (
        *dwells,
        ("Tier 4 comes after, goes after", "at once, never by itself"),
        ("A slow round trip", f"more than {_ms(limits.spike_rtt_s)}"),
        ("A calm one (19 of 20)", f"less than {_ms(limits.calm_rtt_p95_s)}"),
        ("Data loss of sound or picture", f"{limits.media_loss_pct:g}{_NBSP}% or more"),
        ("A jerky picture", f"fewer than {limits.least_frame_rate_hz:g} frames/s"),
        ("Grace while the line is switched", span(limits.failover_grace_s)),
        ("Confirm by voice within", span(limits.confirm_within_s)),
        ("Reach somebody by phone within", span(limits.phone_within_s)),
        ("Mobile workstation in session within", span(limits.mobile_within_s)),
        ("Radiologist: best, acceptable, late", _classes(limits)),
    )


def span(seconds: float) -> str:
    """8 s, 90 s, 2 min: minutes only where they are whole, and more than one."""
    return f"{seconds / 60:g}{_NBSP}min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds:g}{_NBSP}s"


def _classes(limits: Thresholds) -> str:
    return f"{limits.answer_best_s:g}, {limits.answer_acceptable_s:g}, {limits.answer_late_s:g} s"


def _filled(plan: Plan) -> dict[str, str]:
    limits = plan.thresholds
    texts = {
        "spike_samples": str(limits.spike_samples),
        "spike_window": str(limits.spike_window),
        "spike_rtt": _ms(limits.spike_rtt_s),
        "calm_rtt": _ms(limits.calm_rtt_p95_s),
        "frame_rate": f"{limits.least_frame_rate_hz:g}",
        "media_loss": f"{limits.media_loss_pct:g}{_NBSP}%",
        "grace": span(limits.failover_grace_s),
        "confirm": span(limits.confirm_within_s),
        "phone": span(limits.phone_within_s),
    }
    for tier, dwell in plan.dwells.items():
        texts |= {f"raise{tier}": _lasting(dwell.raise_s), f"clear{tier}": _lasting(dwell.clear_s)}
    return texts


def _lasting(seconds: float) -> str:
    return f" for {span(seconds)}" if seconds else ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:g}{_NBSP}ms"
