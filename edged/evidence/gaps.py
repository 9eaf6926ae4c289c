"""Where supervision was not live two-way audio and video: how long, at which tier, why, what was demanded, and done.

A gap is a run of seconds none of which was known to be live, at least one of them known to be dead. Runs that nobody
observed are told apart from it: what is not known is neither good nor bad. A tier that still stands from before belongs
to a gap, with what it demanded: tiers fall slowly.
"""

from edged.core.events import Json
from edged.evidence import forms
from edged.evidence.seconds import LANES, UNKNOWN_TIER, Band, runs
from edged.evidence.story import Moment, Story

FELT_S = 3.0
"""A tier that rose within so many seconds after a gap's end still belongs to it: tiers dwell before they rise."""


def gaps(story: Story, band: Band) -> list[dict[str, Json]]:
    stretches = [(at, length) for letter, at, length in runs(band.av.replace("U", "N")) if letter == "N"]
    dead = [(at, length) for at, length in stretches if "N" in band.av[at : at + length]]
    starts_s = [story.grid_s + at for at, _ in dead]
    next_s = [*starts_s[1:], story.end_s + FELT_S]
    return [_gap(story, band, at, length, end_s) for (at, length), end_s in zip(dead, next_s, strict=False)]


def unobserved(story: Story, band: Band) -> list[Json]:
    return [
        {"from_s": round(story.grid_s + at, 3), "time": story.clock(story.grid_s + at), "seconds": length}
        for letter, at, length in runs(band.av)
        if letter == "U"
    ]


def _gap(story: Story, band: Band, at: int, length: int, next_s: float) -> dict[str, Json]:
    from_s, to_s = story.grid_s + at, story.grid_s + at + length
    over_s = _settled_s(story, to_s, next_s)
    entered = story.of("tier.entered")
    standing = [m for m in entered if m.at_s < from_s - 1.0][-1:]
    felt = [m for m in entered if from_s - 1.0 <= m.at_s <= max(to_s + FELT_S, over_s)]
    risen = [m for m in (*standing, *felt) if m.tier > 0]
    worst = max(risen, key=lambda m: m.tier, default=None)
    cause, cause_at, incident = _blamed(story, standing, [m for m in felt if m.tier > 0], from_s, to_s)
    letters = band.av[at : at + length]
    return {
        "from_s": round(from_s, 3),
        "time": story.clock(from_s),
        "seconds": length,
        "dead_s": letters.count("N"),
        "unobserved_s": letters.count("U"),
        "streams": [name for name in LANES if "D" in band.lanes[name][at : at + length]],
        "tier": _tier(band.tier[at : at + length], worst),
        "phase": _phase(story, from_s),
        "cause": cause,
        "cause_at": cause_at,
        "drill": any(forms.truth(m.said.data, "drill") for m in risen),
        "incident": incident,
        "demanded": [
            response
            for m in sorted((*risen, *_anew(story, risen, over_s)), key=lambda m: m.at_s)
            if (response := demanded(m, from_s)) is not None
        ],
        "given": [given(m, from_s) for m in _acts(story, from_s, over_s)],
    }


_Blamed = tuple[str | None, str | None, int | None]
"""Cause, what it is about, and the incident's number."""


def _blamed(story: Story, standing: list[Moment], felt: list[Moment], from_s: float, to_s: float) -> _Blamed:
    """By the worst tier the gap raised; where it raised none, by the incident of the row it raised within the tier that
    stood already; else that tier's.
    """
    worst = max(felt or standing, key=lambda m: m.tier, default=None)
    within = [m for m in story.of("containment.raised") if from_s - 1.0 <= m.at_s <= to_s + FELT_S]
    numbers = [number for m in within if (number := forms.whole(m.said.data, "incident")) is not None]
    if not felt and numbers:
        named = [m for m in story.of("incident.") if _names_cause(m, numbers[0]) and m.at_s <= to_s + FELT_S]
        if named:
            data = named[-1].said.data
            return forms.code(data, "cause"), forms.named(data, "at"), numbers[0]
    if worst is None or worst.tier == 0:
        return None, None, None
    data = worst.said.data
    return forms.code(data, "cause"), forms.named(data, "cause_at"), forms.whole(data, "incident")


def _names_cause(moment: Moment, number: int) -> bool:
    told = moment.said.kind in ("incident.opened", "incident.recaused")
    return told and forms.whole(moment.said.data, "number") == number


def _anew(story: Story, risen: list[Moment], over_s: float) -> list[Moment]:
    """What was demanded later within one of these tiers."""
    began_s = min((m.at_s for m in risen), default=over_s)
    return [m for m in story.of("response.demanded") if began_s <= m.at_s <= over_s]


def demanded(moment: Moment, since_s: float) -> dict[str, Json] | None:
    """The response a tier event demanded; None for none."""
    response = forms.inner(moment.said.data, "response")
    if not response:
        return None
    return {
        "after_s": round(moment.at_s - since_s, 3),
        "tier": moment.tier,
        "row": forms.code(moment.said.data, "row"),
        "say": forms.sentence(response, "say"),
        "who": forms.who(response, "who"),
        "by_s": forms.seconds(response, "by_s"),
    }


def given(moment: Moment, since_s: float) -> dict[str, Json]:
    data = moment.said.data
    return {
        "after_s": round(moment.at_s - since_s, 3),
        "act": forms.code(data, "act"),
        "actor": forms.named(data, "actor"),
        "role": forms.code(data, "role"),
        "reason": forms.code(data, "reason"),
    }


def _settled_s(story: Story, to_s: float, next_s: float) -> float:
    """When the tier was back at 0 after the gap, or when the next gap began."""
    calm = (m.at_s for m in story.of("tier.entered") if m.at_s >= to_s - 1.0 and m.tier == 0)
    return min(next(calm, next_s), next_s)


def _acts(story: Story, from_s: float, over_s: float) -> list[Moment]:
    acts = (m for m in story.of("act.") if m.said.kind not in ("act.refused", "act.repeated"))
    return [m for m in acts if from_s <= m.at_s <= over_s and m.said.kind not in _COURSE]


_COURSE = frozenset(
    {"act.session_requested", "act.session_joined", "act.session_opened", "act.session_closed", "act.contrast_started"}
    | {"act.contrast_ended", "act.monitoring_ended", "act.escalated", "act.reaction_marked"}
)
"""The course of the procedure, no answer to a gap."""


def _tier(digits: str, worst: Moment | None) -> int | None:
    seen = [int(digit) for digit in digits if digit != UNKNOWN_TIER] + ([worst.tier] if worst else [])
    return max(seen, default=None)


def _phase(story: Story, at_s: float) -> str | None:
    steps = (m for m in story.own("av.seconds") if m.at_s > at_s)
    return next((phase for m in steps if (phase := forms.code(m.said.data, "phase"))), None)
