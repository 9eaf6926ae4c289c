"""Each rule against what its own documentation, or a measurement of the real program, says it takes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.outcomes import RTT_S
from bench.rivals import (
    DPINGER_SHIPPED,
    DPINGER_TUNED,
    MWAN3,
    PEPLINK,
    Counted,
    CountSettings,
    Misses,
    MissSettings,
    Rounds,
    Rule,
    WindowedLoss,
)

QUICK = MissSettings(send_s=0.1, patience_s=0.05, misses=3, answers=2)


def down_after(rule: Rule, cut_s: float) -> float:
    """Seconds from the cut to the alarm; nothing was ever lost before."""
    while rule.down_s is None:
        rule.sent(lost=rule.due_s + RTT_S > cut_s)
        assert rule.due_s < cut_s + 1000
    return rule.down_s - cut_s


def told(rule: Rule, fates: str) -> list[bool]:
    """`x` lost, `.` answered → down after each."""
    held = []
    for fate in fates:
        rule.sent(lost=fate == "x")
        held.append(rule.down_s is not None)
    return held


@pytest.mark.parametrize(
    ("make", "phases_s", "least_s", "most_s"),
    [
        # Measured of the program itself: 13.6 to 14.0 s; 25 of 117 requests must be lost, and a look is due.
        (lambda: WindowedLoss(DPINGER_SHIPPED), (0.0, 0.3, 0.7), 13.5, 15.5),
        # Measured of the program itself: 0.79 s.
        (lambda: WindowedLoss(DPINGER_TUNED), (0.0, 0.03, 0.07), 0.65, 0.85),
        # Five rounds of four hosts, 4 s each, and four rests of 10 s; the cut may come at any moment of a rest.
        (lambda: Rounds(MWAN3), (0.1, 5.0, 9.9), 120.0, 130.1),
        (lambda: Misses(PEPLINK), (0.1, 2.5, 4.9), 15.0, 20.1),
    ],
)
def test_a_rule_takes_as_long_as_its_makers_say(
    make: Callable[[], Rule], phases_s: tuple[float, ...], least_s: float, most_s: float
) -> None:
    for phase_s in phases_s:
        assert least_s <= down_after(make(), 100 + phase_s) <= most_s


def test_misses_count_only_in_a_row_and_answers_end_it() -> None:
    held = told(Misses(QUICK), "xx.xxx.x..")
    assert held == [False] * 5 + [True, True, True, True, False]


def test_an_alarm_comes_when_the_last_miss_is_overdue() -> None:
    rule = Misses(QUICK)
    told(rule, "xxx")
    assert rule.down_s == pytest.approx(0.2 + 0.05)


def test_a_window_counts_what_it_holds_and_forgets_what_left_it() -> None:
    held = told(Counted(CountSettings(send_s=1, patience_s=1, window=5, lost=2)), "x....x.x.....")
    assert held == [False] * 7 + [True, True, True, False, False, False]


def test_a_windowed_loss_holds_its_alarm_for_ten_good_looks() -> None:
    its = replace(DPINGER_TUNED, look_s=0.1)
    rule = WindowedLoss(its)
    told(rule, "." * 30 + "x" * 10)
    assert rule.down_s is not None
    # The last loss leaves the ring after 20 requests, the share is below 21 % somewhat sooner; ten looks more.
    held = told(rule, "." * 40)
    assert 20 <= held.index(False) <= 30


def test_a_share_of_exactly_a_fifth_is_no_alarm() -> None:
    """Whole per cent, and more than the threshold: 4 of 20 are not, 5 of 20 are."""
    fourth, fifth = (told(WindowedLoss(DPINGER_TUNED), "." * 40 + "x" * lost + "." * 10) for lost in (4, 5))
    assert not any(fourth)
    assert any(fifth)


def test_a_round_ends_as_soon_as_enough_hosts_answered() -> None:
    rule = Rounds(MWAN3)
    told(rule, "..")
    assert rule.due_s == pytest.approx(2 * RTT_S + MWAN3.rest_s)


def test_a_round_with_enough_answers_starts_the_count_anew() -> None:
    bad, good = "x.xx", "x.."
    assert not any(told(Rounds(MWAN3), bad * 4 + good + bad * 4))
    assert told(Rounds(MWAN3), bad * 5)[-1]
    assert not told(Rounds(MWAN3), bad * 5 + ".." * 5)[-1]
