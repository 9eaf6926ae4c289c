"""Ten refusals a minute are told singly, the rest of the minute as one; what is done is always told."""

import pytest

from edged.control.command_audit import REST, CommandAudit
from edged.core.observations import Commanded

Told = list[tuple[float, str | None]]


def done(at_s: float) -> Commanded:
    return Commanded(at_s, "c", "train", "noc", "operate", None)


def refused(at_s: float) -> Commanded:
    return Commanded(at_s, "c", None, None, None, "bad_signature")


BAD, GOOD = "bad_signature", None

ROWS: list[tuple[str, list[Commanded | float], Told]] = [
    ("what is done is always told", [done(0)] * 30, [(0, GOOD)] * 30),
    ("ten are told", [refused(0)] * 10, [(0, BAD)] * 10),
    ("the eleventh waits", [refused(0)] * 11, [(0, BAD)] * 10),
    ("and is told when the minute is over", [*[refused(0)] * 11, 59.9, 60.0], [*[(0.0, BAD)] * 10, (60, REST)]),
    ("many are told as one", [*[refused(0)] * 500, 60.0, 61.0], [*[(0.0, BAD)] * 10, (60, REST)]),
    ("none were left: nothing is told", [*[refused(0)] * 10, 60.0], [(0, BAD)] * 10),
    ("the next minute begins with its first", [*[refused(0)] * 10, refused(60)], [*[(0.0, BAD)] * 10, (60, BAD)]),
    (
        "the rest comes before what ended the minute",
        [*[refused(0)] * 11, refused(75)],
        [*[(0.0, BAD)] * 10, (75, REST), (75, BAD)],
    ),
    (
        "a minute begins with a refusal, not with midnight",
        [refused(50), *[refused(70)] * 10],
        [(50, BAD), *[(70.0, BAD)] * 9],
    ),
]


@pytest.mark.parametrize(("steps", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_told(steps: list[Commanded | float], expected: Told) -> None:
    told: list[Commanded] = []
    audit = CommandAudit(told.append)
    for step in steps:
        audit.tick(step) if isinstance(step, float) else audit.note(step)
    assert [(each.at_s, each.refused) for each in told] == expected


def test_it_says_when_it_has_something_to_tell() -> None:
    audit = CommandAudit(lambda _: None)
    due: list[float | None] = []
    for _ in range(11):
        audit.note(refused(5))
        due.append(audit.due_s)
    audit.tick(65)
    due.append(audit.due_s)
    assert due == [*[None] * 10, 65, None]
