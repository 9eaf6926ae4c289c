"""The band as a picture: four lanes, the verdict, the tier, second by second. Seconds nobody observed are hatched.

Without colours it still reads: live is light, dead is dark, unobserved is hatched, tiers carry their number.
"""

from typing import Any

from edged.evidence.page_words import LANE, since
from edged.evidence.reading import Doc
from edged.evidence.seconds import runs

WIDTH, LEFT, RIGHT = 1000, 170, 6
ROW_S = 600
"""Ten minutes a row: on A4 a second is a quarter of a millimetre wide."""
HIGH, GAP, AXIS = 16, 4, 24
LIVE, DEAD = "#bfe3cf", "#9b1c2e"
TIER = {"0": "#eef1f4", "1": "#f6dd7d", "2": "#f0a640", "3": "#d9482f", "4": "#5b1a6b", "-": "url(#unseen)"}
FILL = {"L": LIVE, "D": DEAD, "U": "url(#unseen)", "Y": LIVE, "N": DEAD}
PHASE = {"pre": "#e6e9ed", "injecting": "#7fa7d8", "monitoring": "#bcd2ec"}

DEFS = (
    '<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>'
    '<pattern id="unseen" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" fill="#fff"/><rect width="1.6" height="5" fill="#8a8f98"/></pattern></defs></svg>'
)


def picture(found: Doc) -> str:
    """Of the whole of supervision, ten minutes a row, and what its colours mean."""
    band = found["band"]
    length = len(band["av"])
    if not length:
        return "<p>No second of supervision is in the record.</p>"
    wide_s = min(ROW_S, -(-length // 60) * 60)
    parts = [_row(found, at, min(at + wide_s, length), wide_s) for at in range(0, length, wide_s)]
    return DEFS + "".join(parts) + _legend()


def _row(found: Doc, first: int, end: int, wide_s: int) -> str:
    band = found["band"]
    lanes = [(label, band[name]) for name, label in LANE.items()] + [("Two-way audio and video", band["av"])]
    x = _Scale(first, wide_s)
    drawn = [_phases(found, first, end, x)]
    top = HIGH + GAP
    for label, letters in lanes:
        if label.startswith("Two-way"):
            top += GAP
        drawn.append(_lane(label, letters[first:end], FILL, x, top))
        top += HIGH + GAP
    drawn.append(_lane("Tier", band["tier"][first:end], TIER, x, top, numbered=True))
    top += HIGH + GAP
    drawn.append(_axis(band["from_s"], first, wide_s, x, top))
    size = f'viewBox="0 0 {WIDTH} {top + AXIS}"'
    return f'<svg class="band" {size} role="img" aria-label="Every second of supervision">{"".join(drawn)}</svg>'


class _Scale:
    def __init__(self, first: int, wide_s: int) -> None:
        self.first, self._each = first, (WIDTH - LEFT - RIGHT) / wide_s

    def __call__(self, second: float) -> float:
        return LEFT + (second - self.first) * self._each


def _lane(label: str, letters: str, fill: dict[str, str], x: _Scale, top: float, *, numbered: bool = False) -> str:
    drawn = [f'<text x="{LEFT - 10}" y="{top + 12}" class="label">{label}</text>']
    for letter, at, length in runs(letters):
        left, width = x(x.first + at), x(x.first + at + length) - x(x.first + at)
        drawn.append(f'<rect x="{left:.2f}" y="{top}" width="{width:.2f}" height="{HIGH}" fill="{fill[letter]}"/>')
        if numbered and letter not in "0-" and width > 9:
            ink = "digit light" if letter in "34" else "digit"
            drawn.append(f'<text x="{left + width / 2:.2f}" y="{top + 12}" class="{ink}">{letter}</text>')
    return "".join(drawn)


def _phases(found: Doc, first: int, end: int, x: _Scale) -> str:
    drawn = [f'<text x="{LEFT - 10}" y="12" class="label">Phase</text>']
    for phase in found["session"]["phases"]:
        low = max(first, phase["from_s"] - found["band"]["from_s"])
        high = min(end, phase["to_s"] - found["band"]["from_s"])
        if low < high:
            width = x(high) - x(low)
            drawn.append(
                f'<rect x="{x(low):.2f}" y="0" width="{width:.2f}" height="{HIGH}" fill="{PHASE[phase["phase"]]}"/>'
            )
            if width > 60:
                drawn.append(f'<text x="{x(low) + 4:.2f}" y="12" class="phase">{_PHASE_WORD[phase["phase"]]}</text>')
    return "".join(drawn)


_PHASE_WORD = {"pre": "no contrast", "injecting": "contrast", "monitoring": "monitoring"}


def _axis(from_s: float, first: int, wide_s: int, x: _Scale, top: float) -> str:
    every_s = 60 if wide_s > 180 else 15
    drawn = []
    for told_s in range(-(-round(from_s + first) // every_s) * every_s, round(from_s + first + wide_s) + 1, every_s):
        at = x(told_s - from_s)
        anchor = "end" if at > WIDTH - 20 else "middle"
        drawn.append(f'<line x1="{at:.2f}" y1="{top - 2}" x2="{at:.2f}" y2="{top + 3}" class="tick"/>')
        drawn.append(
            f'<text x="{at:.2f}" y="{top + 15}" class="tickword" text-anchor="{anchor}">{since(told_s)}</text>'
        )
    return "".join(drawn)


CLOSE_WIDTH, AROUND_S = 300, 10


def close_up(found: Doc, gap: Doc) -> str:
    """One gap and ten seconds around it: the four lanes as thin lines."""
    band: Any = found["band"]
    start = round(gap["from_s"] - band["from_s"])
    first, end = max(0, start - AROUND_S), min(len(band["av"]), start + gap["seconds"] + AROUND_S)
    each = CLOSE_WIDTH / max(1, end - first)
    drawn = []
    for line, name in enumerate(LANE):
        for letter, at, length in runs(band[name][first:end]):
            place = f'x="{at * each:.2f}" y="{line * 8}" width="{length * each:.2f}" height="6"'
            drawn.append(f'<rect {place} fill="{FILL[letter]}"/>')
    label = "audio to, audio from, video to, video from the room"
    return f'<svg class="close" viewBox="0 0 {CLOSE_WIDTH} 30" role="img" aria-label="{label}">{"".join(drawn)}</svg>'


def _legend() -> str:
    def box(fill: str, word: str) -> str:
        return f'<span><svg width="22" height="12"><rect width="22" height="12" fill="{fill}"/></svg> {word}</span>'

    boxes = [box(LIVE, "live"), box(DEAD, "not live"), box("url(#unseen)", "not observed: neither good nor bad")]
    tiers = [box(TIER[digit], f"tier {digit}") for digit in "1234"]
    return f'<p class="legend">{"".join(boxes + tiers)}</p>'
