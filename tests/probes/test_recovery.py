from dataclasses import replace

import pytest

from probes.recovery import Recovery, RecoveryRules, Stretch

RULES = RecoveryRules(window_s=10, hold_down_s=10, hold_down_max_s=600, flap_memory_s=1800, alive_after=20)
ALLOWED = 0.01


@pytest.mark.parametrize(
    ("outcomes", "at_s", "share"),
    [
        ([(0, "....")], 0, None),  # four speak for nothing
        ([(0, ".....")], 0, 0.0),
        ([(0, "....x")], 0, 0.2),
        ([(0, "xxxxx"), (5, ".....")], 9, 0.5),
        ([(0, "xxxxx"), (5, ".....")], 10.5, 0.0),  # the first are forgotten
        ([(0, ".....")], 30, None),
    ],
)
def test_a_stretch_is_what_was_seen_within_it(
    outcomes: list[tuple[float, str]], at_s: float, share: float | None
) -> None:
    stretch = Stretch(10)
    for now_s, marks in outcomes:
        for mark in marks:
            stretch.add(now_s, missed=mark == "x")
    assert stretch.missed_share(at_s) == share


@pytest.mark.parametrize(
    ("marks", "alive"),
    [
        ("." * 19, False),  # too few yet
        ("." * 20, True),
        ("." * 18 + "xx", True),
        ("." * 17 + "xxx", False),
        ("x" * 500 + "." * 18, True),
        ("x" * 500 + "." * 17, False),
    ],
)
def test_alive_is_eighteen_answers_in_twenty(marks: str, alive: bool) -> None:
    recovery = Recovery(RULES)
    recovery.fell(0.0)
    for mark in marks:
        recovery.outcome(0.0, missed=mark == "x")
    assert recovery.alive is alive


def seconds_until_over(
    recovery: Recovery, began_s: float, *, loss_every: int | None = None, give_up_s: float = 900.0
) -> float:
    """A link that answers again at `began_s`, at 30 probes a second, losing one in `loss_every`."""
    recovery.rose(began_s)
    for n in range(round(30 * give_up_s)):
        now_s = began_s + n / 30
        recovery.outcome(now_s, missed=loss_every is not None and n % loss_every == loss_every - 1)
        recovery.look(now_s, ALLOWED)
        if not recovery.under_way:
            return now_s - began_s
    return float("inf")


def test_ten_good_seconds_and_ten_of_hold_down_after_the_first_outage() -> None:
    recovery = Recovery(RULES)
    recovery.fell(100.0)
    assert seconds_until_over(recovery, 130.0) == pytest.approx(20, abs=0.1)


def test_the_hold_down_doubles_with_each_outage_up_to_its_cap() -> None:
    recovery, now_s, took = Recovery(RULES), 0.0, []
    for _ in range(9):
        recovery.fell(now_s)
        took.append(round(seconds_until_over(recovery, now_s + 5)) - 10)
        now_s += took[-1] + 60
    assert took == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_an_outage_after_a_long_calm_is_the_first_again() -> None:
    recovery = Recovery(RULES)
    for now_s in (0.0, 100.0, 200.0):
        recovery.fell(now_s)
        recovery.rose(now_s + 10)
    assert recovery.hold_down_s == 40
    recovery.fell(210.0 + 1801)
    assert recovery.hold_down_s == 10


def test_an_outage_during_the_hold_down_begins_it_all_again() -> None:
    recovery = Recovery(RULES)
    recovery.fell(0.0)
    recovery.rose(5.0)
    for n in range(30 * 15):
        recovery.outcome(5 + n / 30, missed=False)
        recovery.look(5 + n / 30, ALLOWED)
    recovery.fell(20.0)
    assert (recovery.under_way, recovery.seen) == (False, 0)
    assert seconds_until_over(recovery, 25.0) == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize(("loss_every", "over"), [(101, True), (50, False)])
def test_one_percent_may_be_lost_and_two_may_not(loss_every: int, over: bool) -> None:
    recovery = Recovery(RULES)
    recovery.fell(0.0)
    assert (seconds_until_over(recovery, 1.0, loss_every=loss_every, give_up_s=60) < 60) is over


def test_a_backup_must_be_good_for_longer() -> None:
    recovery = Recovery(replace(RULES, window_s=30))
    recovery.fell(0.0)
    assert seconds_until_over(recovery, 1.0) == pytest.approx(40, abs=0.1)


def test_a_link_never_down_is_not_recovering() -> None:
    recovery = Recovery(RULES)
    recovery.look(1000.0, ALLOWED)
    assert not recovery.under_way


@pytest.mark.parametrize(
    ("marks", "seen", "heard"), [("", 0, False), ("xx", 2, False), ("x.x", 3, True), ("." * 99, 20, True)]
)
def test_it_counts_what_was_seen_and_whether_anything_was_heard(marks: str, seen: int, heard: bool) -> None:
    recovery = Recovery(RULES)
    for mark in marks:
        recovery.outcome(0.0, missed=mark == "x")
    assert (recovery.seen, recovery.heard) == (seen, heard)
