"""The band: every whole second of supervision, four lanes of it, and what became of the two verdicts.

A second no row speaks of was not observed, and an unobserved second never counts as live. Two rows on one second: the
worse one counts.
"""

from dataclasses import dataclass

from edged.core.events import Json
from edged.evidence import forms
from edged.evidence.story import Moment, Story

LANES = ("audio_to", "audio_from", "video_to", "video_from")
UNKNOWN_TIER = "-"
_WORSE = "LUD"
"""From good to bad."""


@dataclass(frozen=True, slots=True)
class Band:
    """One letter a second. Lanes: L live, D dead, U unobserved; `av`: Y, N, U; `tier`: a digit, or "-" where nobody
    looked.
    """

    lanes: dict[str, str]
    av: str
    tier: str
    sources: tuple[str, ...]
    """Who told, each once."""
    protections: tuple[str, ...]

    def document(self, from_s: float) -> dict[str, Json]:
        return {"from_s": from_s, **self.lanes, "av": self.av, "tier": self.tier, "sources": list(self.sources)}


def band(story: Story) -> Band:
    length = story.whole_seconds
    lanes = {name: ["U"] * length for name in LANES}
    told, tier = [False] * length, [UNKNOWN_TIER] * length
    claimed = ["U"] * length
    rows = story.own("av.seconds") if length else []
    for moment in rows:
        _lay(moment, story, lanes, claimed, tier, told)
    letters = {name: "".join(found) for name, found in lanes.items()}
    return Band(
        lanes=letters,
        av="".join(_verdict(said, *second) for said, *second in zip(claimed, *letters.values(), strict=True)),
        tier="".join(tier),
        sources=_codes(rows, "source"),
        protections=_codes(rows, "protection"),
    )


def _lay(
    moment: Moment, story: Story, lanes: dict[str, list[str]], claimed: list[str], tier: list[str], told: list[bool]
) -> None:
    """One row of seconds into its places."""
    data = moment.said.data
    av = forms.compliance(data, "av") or ""
    words = {name: forms.lane(data, name) or "" for name in LANES}
    tiers = _tiers(data.get("tier"), len(av))
    ended_s = moment.at_s - (forms.seconds(data, "ended_s_ago") or 0.0)
    last = round(ended_s - story.grid_s) - 1
    for back in range(len(av)):
        at = last - back
        if not 0 <= at < len(claimed):
            continue
        k = len(av) - 1 - back
        for name, word in words.items():
            letter = word[k] if k < len(word) else "U"
            lanes[name][at] = _worse(lanes[name][at], letter) if told[at] else letter
        claimed[at] = av[k] if not told[at] or claimed[at] == av[k] else min(claimed[at], av[k])  # N before U before Y
        tier[at] = max(tier[at], tiers[k])
        told[at] = True


def _worse(one: str, other: str) -> str:
    return max(one, other, key=_WORSE.index)


def _verdict(claimed: str, *second: str) -> str:
    """Never better than the lanes: two-way audio and video are live if all four are."""
    if claimed == "N" or "D" in second:
        return "N"
    return "Y" if claimed == "Y" and set(second) == {"L"} else "U"


def _tiers(value: object, length: int) -> str:
    found = value if isinstance(value, list) else [value] * length
    digits = "".join(str(tier) if type(tier) is int and 0 <= tier <= 4 else UNKNOWN_TIER for tier in found)
    return (digits * length)[:length] if len(digits) == 1 else digits[:length].ljust(length, UNKNOWN_TIER)


def _codes(rows: list[Moment], name: str) -> tuple[str, ...]:
    return tuple(sorted({found for row in rows if (found := forms.code(row.said.data, name))}))


def runs(letters: str) -> list[tuple[str, int, int]]:
    """(letter, first second, how many), in order."""
    found: list[tuple[str, int, int]] = []
    for at, letter in enumerate(letters):
        if found and found[-1][0] == letter:
            found[-1] = (letter, found[-1][1], found[-1][2] + 1)
        else:
            found.append((letter, at, 1))
    return found
