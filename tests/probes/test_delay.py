import random

import pytest

from probes.delay import DelayTest, TargetDelay

TIMEOUT_S = 1.0


def settled(
    rtt_s: float, *, jitter_s: float = 0.0, every_s: float = 0.05, for_s: float = 120.0
) -> tuple[TargetDelay, float]:
    """A target that answered so for a while, and the time it is now."""
    delay, draw = TargetDelay(), random.Random(1)
    now_s = 0.0
    while now_s < for_s:
        delay.learn(rtt_s + draw.uniform(0, jitter_s), now_s)
        now_s += every_s
    return delay, now_s


def seconds_to_notice(rise_s: float, *, every_s: float, jitter_s: float = 0.0, give_up_s: float = 30.0) -> float | None:
    delay, began_s = settled(0.020, jitter_s=jitter_s, every_s=every_s)
    test, draw, now_s = DelayTest(), random.Random(2), began_s
    while now_s < began_s + give_up_s:
        test.feed(delay.learn(0.020 + rise_s + draw.uniform(0, jitter_s), now_s), now_s)
        if test.slow:
            return now_s - began_s
        now_s += every_s
    return None


# ── patience ───────────────────────────────────────────────────────────────────────────────────────────
def test_before_the_first_answer_patience_is_the_timeout() -> None:
    delay = TargetDelay()
    assert (delay.known, delay.patience_s(TIMEOUT_S)) == (False, TIMEOUT_S)


@pytest.mark.parametrize(
    ("rtt_s", "jitter_s", "least_s", "most_s"),
    [(0.0001, 0.0, 0.020, 0.022), (0.020, 0.0, 0.040, 0.042), (0.060, 0.020, 0.090, 0.160), (3.0, 0.0, 1.0, 1.0)],
)
def test_patience_follows_the_line(rtt_s: float, jitter_s: float, least_s: float, most_s: float) -> None:
    delay, _ = settled(rtt_s, jitter_s=jitter_s)
    assert least_s <= delay.patience_s(TIMEOUT_S) <= most_s


def test_one_late_answer_makes_it_patient_at_once() -> None:
    delay, now_s = settled(0.020)
    delay.learn(0.220, now_s)
    assert delay.patience_s(TIMEOUT_S) > 0.220


# ── slow ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("every_s", [0.0167, 0.05, 0.1, 0.167, 0.5])
@pytest.mark.parametrize(("rise_s", "at_most_s"), [(0.300, 1.0), (0.100, 1.0), (0.060, 1.6)])
def test_a_step_in_delay_is_noticed_at_any_pace(rise_s: float, at_most_s: float, every_s: float) -> None:
    noticed_s = seconds_to_notice(rise_s, every_s=every_s)
    assert noticed_s is not None
    assert 0.2 <= noticed_s <= at_most_s


@pytest.mark.parametrize("every_s", [0.0167, 0.5])
def test_what_nobody_would_feel_is_no_step(every_s: float) -> None:
    assert seconds_to_notice(0.020, every_s=every_s) is None


def test_the_usual_jitter_of_a_cellular_line_is_not_slow() -> None:
    delay, now_s = settled(0.060, jitter_s=0.040, every_s=0.1)
    test, draw = DelayTest(), random.Random(3)
    for _ in range(36_000):
        now_s += 0.1
        spike_s = 0.4 if draw.random() < 0.01 else 0.0  # one in a hundred stands out
        test.feed(delay.learn(0.060 + draw.uniform(0, 0.040) + spike_s, now_s), now_s)
        assert not test.slow


def test_back_at_the_baseline_it_clears_within_three_seconds() -> None:
    delay, now_s = settled(0.020)
    test = DelayTest()
    for count in range(103):
        now_s += 0.05
        test.feed(delay.learn(0.120 if count < 40 else 0.020, now_s), now_s)
        if count == 39:
            assert test.slow
    assert not test.slow


def test_a_path_that_stays_slower_is_believed_after_some_minutes() -> None:
    delay, now_s = settled(0.020)
    excess = [delay.learn(0.070, now_s + n * 0.1) for n in range(9000)]
    assert excess[0] >= 2
    assert excess[600] > 1
    assert excess[-1] < 1


def test_a_faster_path_is_the_new_baseline_at_once() -> None:
    delay, now_s = settled(0.100)
    for n in range(20):
        delay.learn(0.020, now_s + n * 0.1)
    assert delay.learn(0.120, now_s + 2.0) > 3


def test_after_a_pause_one_slow_answer_speaks_for_half_a_second_at_most() -> None:
    test = DelayTest()
    test.feed(0.0, 0.0)
    test.feed(100.0, 3600.0)
    assert test.slow
    test.reset()
    test.feed(0.0, 0.0)
    test.feed(2.0, 3600.0)
    assert not test.slow
