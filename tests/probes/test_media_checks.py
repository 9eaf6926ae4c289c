import pytest

from probes.media_checks import Checks
from probes.reading import FarEnd

ANSWERING, SILENT, UNKNOWN = FarEnd.ANSWERING, FarEnd.SILENT, FarEnd.UNKNOWN

Event = tuple[float, str, int]


def asked(*times_s: float) -> list[Event]:
    return [(t_s, "ask", n) for n, t_s in enumerate(times_s)]


def answered(*times_s: float) -> list[Event]:
    """Each after 50 ms."""
    return [event for n, t_s in enumerate(times_s) for event in ((t_s, "ask", n), (t_s + 0.05, "answer", n))]


def far_end(events: list[Event], now_s: float, heard_s: float | None) -> FarEnd:
    checks = Checks()
    for t_s, what, number in events:
        if what == "ask":
            checks.asked(number.to_bytes(12, "big"), t_s)
        else:
            checks.answer(number.to_bytes(12, "big"), t_s)
    return checks.far_end(now_s, heard_s)


@pytest.mark.parametrize(
    ("events", "now_s", "heard_s", "expected"),
    [
        pytest.param([], 5.0, 5.0, UNKNOWN, id="no checks"),
        pytest.param(answered(0, 5), 9.0, 9.0, ANSWERING, id="consent, and media come"),
        pytest.param(answered(0, 5), 9.0, 2.0, ANSWERING, id="answered after everything else stopped: application"),
        pytest.param(answered(0, 5), 9.0, 7.0, UNKNOWN, id="silent since the last answer: it says nothing of now"),
        pytest.param([*answered(0, 5), (10.0, "ask", 9)], 10.9, 5.5, UNKNOWN, id="a check is on its way"),
        pytest.param([*answered(0, 5), (10.0, "ask", 9)], 11.1, 5.5, SILENT, id="overdue, and nothing else comes"),
        pytest.param([*answered(0, 5), (6.0, "ask", 9)], 7.1, 5.5, UNKNOWN, id="overdue, silent for 1.6 s only"),
        pytest.param([*answered(0, 5), (6.0, "ask", 9)], 7.6, 5.5, SILENT, id="overdue, silent for 2.1 s"),
        pytest.param([*answered(0, 5), (10.0, "ask", 9)], 11.1, 11.0, ANSWERING, id="one lost check, media come"),
        pytest.param(
            [*answered(0), (5.0, "ask", 8), (10.0, "ask", 9)], 11.1, 11.0, SILENT, id="two lost: the way up is gone"
        ),
        pytest.param(
            [*answered(0), *((5 + n / 10, "ask", 50 + n) for n in range(20))],
            7.5,
            7.5,
            ANSWERING,
            id="a burst of lost checks within 3 s, media come",
        ),
        pytest.param(
            [*answered(0), (5.0, "ask", 8), *[(10.0, "ask", 9), (10.1, "answer", 9)]],
            11.2,
            11.2,
            ANSWERING,
            id="a later answer settles the earlier check",
        ),
        pytest.param([*answered(0), (5.0, "ask", 8), (8.0, "answer", 77)], 9.0, 5.0, SILENT, id="an answer to nobody"),
        pytest.param(asked(0, 5), 7.0, None, SILENT, id="never answered, never heard"),
        pytest.param(asked(0), 0.5, None, UNKNOWN, id="just asked"),
        pytest.param(answered(0, 5), 20.5, 20.5, UNKNOWN, id="nobody asks any more"),
        pytest.param(
            [*answered(0), (5.0, "ask", 7), (5.5, "ask", 7), (6.5, "ask", 7)],
            7.1,
            4.0,
            SILENT,
            id="a request sent again keeps its first time",
        ),
    ],
)
def test_t6_the_far_end_answers_is_silent_or_is_not_known(
    events: list[Event], now_s: float, heard_s: float | None, expected: FarEnd
) -> None:
    assert far_end(events, now_s, heard_s) is expected


@pytest.mark.parametrize("phase_s", [0.0, 1.0, 2.0, 3.0, 4.0, 4.9])
def test_t6_a_path_that_is_cut_is_known_a_second_after_the_next_check(phase_s: float) -> None:
    """Consent every 5 s, everything cut at 10 s; the next check `phase_s` later."""
    events = [*answered(phase_s, 5 + phase_s), (10 + phase_s, "ask", 9)]
    told_s = next(t / 10 for t in range(100, 200) if far_end(events, t / 10, 10.0) is SILENT)
    assert told_s == pytest.approx(max(12.0, 11.0 + phase_s), abs=0.11)


def test_unanswered_checks_are_forgotten_beyond_a_bound() -> None:
    assert far_end(asked(*(n / 100 for n in range(5000))), 51.5, 51.4) is UNKNOWN
