import random

import pytest

from probes.bursts import WINDOW_S, Bursts, Runs, together


def fed(outcomes: str, *, every_s: float = 0.1) -> Bursts:
    """`x` is a missed probe, `.` an answered one."""
    bursts = Bursts()
    for n, outcome in enumerate(outcomes):
        bursts.feed(n * every_s, outcome == "x")
    return bursts


@pytest.mark.parametrize(
    ("outcomes", "mean", "longest", "loss_pct", "ratio"),
    [
        ("", None, 0, None, 1.0),
        ("....", None, 0, 0.0, 1.0),
        ("x", 1.0, 1, 100.0, 1.0),
        ("..x.", 1.0, 1, 25.0, 1.0),
        ("x..x.x....", 1.0, 1, 30.0, 1.0),
        (".xx...x...", 1.5, 2, 30.0, 1.05),
        ("xxxx......", 4.0, 4, 40.0, 2.4),
        ("......xxxx", 4.0, 4, 40.0, 2.4),
        ("xxxxx", 5.0, 5, 100.0, 1.0),
    ],
)
def test_runs_of_missed_probes(
    outcomes: str, mean: float | None, longest: int, loss_pct: float | None, ratio: float
) -> None:
    seen = fed(outcomes)
    now_s = 0.1 * len(outcomes)
    assert (seen.mean(now_s), seen.longest(now_s)) == (mean, longest)
    assert seen.runs(now_s).loss_pct == loss_pct
    assert seen.runs(now_s).ratio == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("ask_at_s", "expected"),
    [
        (4.9, Runs(50, 3, 1, 3)),
        (9.9, Runs(50, 3, 1, 3)),
        (10.05, Runs(49, 2, 1, 2)),  # the first of the three is too old
        (10.25, Runs(47, 0, 0, 0)),
        (100.0, Runs(0, 0, 0, 0)),
    ],
)
def test_what_is_older_than_ten_seconds_is_forgotten(ask_at_s: float, expected: Runs) -> None:
    assert fed("xxx" + 47 * ".").runs(ask_at_s) == expected


def test_an_outage_is_one_run_as_long_as_the_window() -> None:
    bursts = Bursts()
    for n in range(10_000):
        bursts.feed(n * 0.02, True)
    assert bursts.runs(9_999 * 0.02).longest == pytest.approx(WINDOW_S / 0.02, abs=1)


def test_a_link_has_the_runs_of_its_targets_and_interleaving_does_not_cut_them() -> None:
    targets = [fed("..xx......"), fed("..xxx....."), fed("..........")]
    assert together(target.runs(1.0) for target in targets) == Runs(30, 5, 2, 3)
    assert together([]) == Runs(0, 0, 0, 0)


@pytest.mark.parametrize(("q", "ratio"), [(0.05, 1.0), (0.5, 1.9)])
def test_the_ratio_tells_random_loss_from_bursts(q: float, ratio: float) -> None:
    dice, bursts, lost = random.Random(7), Bursts(), False
    pi = 0.05 if q == 0.05 else 0.0263  # 5 % lost either way
    for n in range(20_000):
        lost = dice.random() < (q if lost else pi)
        bursts.feed(n * WINDOW_S / 20_001, lost)
    assert bursts.runs(WINDOW_S).loss_pct == pytest.approx(5.0, abs=0.8)
    assert bursts.runs(WINDOW_S).ratio == pytest.approx(ratio, abs=0.1)
