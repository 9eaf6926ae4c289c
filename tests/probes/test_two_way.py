"""Tables of what two ends would see, on a fake clock."""

from collections.abc import Iterable
from random import Random

import pytest

from probes.two_way import DirectionLoss, OneWayDelay, Way

OUT, BACK, UNKNOWN = Way.OUT, Way.BACK, Way.UNKNOWN
TOP = 2**32


def fed(*steps: tuple[int, int | None] | int) -> dict[int, Way]:
    """(number, reflected) is an answer, a number alone a loss. What was told of each loss, each once."""
    loss, told = DirectionLoss(), {}
    for step in steps:
        for lost in loss.lost(step) if isinstance(step, int) else loss.answered(*step):
            assert lost.number not in told
            told[lost.number] = lost.way
    return told


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, 0), (2, 1), (3, 2), 1], {1: OUT}, id="the reflector never saw it"),
        pytest.param([(0, 0), (2, 2), (3, 3), 1], {1: BACK}, id="the reflector answered it"),
        pytest.param([(0, 0), (2, 1), 1, (3, 2)], {1: OUT}, id="told before the second answer after it"),
        pytest.param([(0, 0), (2, 1), 1], {}, id="one answer after it is not enough"),
        pytest.param([(0, 0), 1, 2, 3, (4, 1), (5, 2)], {1: OUT, 2: OUT, 3: OUT}, id="an outage on the way out"),
        pytest.param([(0, 0), 1, 2, 3, (4, 4), (5, 5)], {1: BACK, 2: BACK, 3: BACK}, id="an outage on the way back"),
        pytest.param([(0, 0), 1, 2, 3, (4, 2), (5, 3)], {1: BACK, 2: OUT, 3: OUT}, id="both in one gap: counts"),
        pytest.param([(0, 0), (3, 2), (4, 3), 1, 2], {1: BACK, 2: OUT}, id="both in one gap, told one by one"),
        pytest.param([(0, 0), (2, 1), (4, 3), (5, 4), 1, 3], {1: OUT, 3: BACK}, id="two gaps"),
        pytest.param([(5, 0), (9, 1), (10, 2), 6], {6: OUT}, id="numbers never sent are no losses"),
        pytest.param([0, (1, 0), (2, 1)], {0: UNKNOWN}, id="before the first answer"),
        pytest.param([(0, 0), (2, 2), (3, 1), (4, 3), 1], {1: OUT}, id="two that overtook each other after a loss"),
        pytest.param([(0, 0), 1, (2, 2), (3, 1)], {1: OUT}, id="likewise, and the loss told first"),
        pytest.param([(0, 1), (2, 0), (3, 2), (4, 3), 1], {1: UNKNOWN}, id="two that overtook each other across it"),
        pytest.param([(0, 0), (2, 1), (1, 2), (3, 3)], {}, id="overtaken, nothing lost"),
        pytest.param([(0, 0), (3, 2), 1, (2, 1), (4, 3)], {1: OUT}, id="the answer before it comes late"),
        pytest.param([(0, 0), (0, 1), (1, 2), (3, 3), (4, 4), 2], {2: OUT}, id="an answer told twice counts once"),
    ],
)
def test_a_loss_is_told_by_its_way(steps: list[tuple[int, int | None] | int], expected: dict[int, Way]) -> None:
    assert fed(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(
            [(500, 500), (501, 501), 502, (503, 0), (504, 1), (506, 2), (507, 3), 505],
            {502: UNKNOWN, 505: OUT},
            id="the reflector, far on",
        ),
        pytest.param([(0, 0), (1, 1), 2, (3, 0), (4, 1), (6, 2), (7, 3), 5], {2: UNKNOWN, 5: OUT}, id="… or early"),
        pytest.param([(0, 0), 1, (2, 900), (3, 901), (5, 902), (6, 903), 4], {1: UNKNOWN, 4: OUT}, id="another one"),
        pytest.param(
            [(500, 500), 501, (0, 0), (1, 1), (3, 3), (4, 4), 2], {501: UNKNOWN, 2: BACK}, id="the sender, answered"
        ),
        pytest.param([(0, 0), (1, 1), 2, 0], {2: UNKNOWN, 0: UNKNOWN}, id="the sender, not answered"),
        pytest.param(
            [(0, 0), 1, (2, None), 3, (4, None)], {1: UNKNOWN, 3: UNKNOWN}, id="a reflector that does not count"
        ),
        pytest.param(
            [(0, None), (1, None), 2, (3, 0), (4, 1), (6, 2), (7, 3), 5], {2: UNKNOWN, 5: OUT}, id="it begins to count"
        ),
    ],
)
def test_around_a_new_beginning_of_either_end_the_way_is_unknown(
    steps: list[tuple[int, int | None] | int], expected: dict[int, Way]
) -> None:
    assert fed(*steps) == expected


@pytest.mark.parametrize(("sender", "reflector"), [(TOP - 3, 0), (0, TOP - 2), (TOP - 3, TOP - 2)])
def test_both_counters_wrap(sender: int, reflector: int) -> None:
    steps: list[tuple[int, int | None] | int] = [
        ((sender + n) % TOP, (reflector + r) % TOP) for n, r in [(0, 0), (1, 1), (3, 2), (4, 3), (6, 5), (7, 6), (8, 7)]
    ]
    two, five = (sender + 2) % TOP, (sender + 5) % TOP
    assert fed(*steps, two, five) == {two: OUT, five: BACK}


def test_an_hour_of_outage_fills_no_memory_and_each_loss_is_told_once() -> None:
    loss = DirectionLoss()
    loss.answered(0, 0)
    told = [lost for number in range(1, 72_001) for lost in loss.lost(number)]
    assert all(lost.way is UNKNOWN for lost in told)
    for number, reflected in ((72_001, 1), (72_002, 2)):
        told += loss.answered(number, reflected)
    assert [lost.number for lost in told] == list(range(1, 72_001))
    assert {lost.way for lost in told[-1000:]} == {OUT}


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_right_whatever_is_lost_where(seed: int) -> None:
    """Losses of both kinds in any mixture, each told a second (20 probes) after its sending, over the sender's wrap."""
    dice, loss = Random(seed), DirectionLoss()
    truth, told = {OUT: 0, BACK: 0}, {OUT: 0, BACK: 0, UNKNOWN: 0}
    reflected = 0
    lost_at: dict[int, int] = {}
    for n in range(5000):
        way = None if n < 2 or n > 4900 else dice.choices([None, OUT, BACK], [0.9, 0.06, 0.04])[0]
        results = [loss.lost(lost_at.pop(n))] if n in lost_at else []
        if way is None:
            results.append(loss.answered((n - 700) % TOP, reflected))
        else:
            truth[way] += 1
            lost_at[n + 20] = (n - 700) % TOP
        reflected += way is not OUT
        for lost in (one for result in results for one in result):
            told[lost.way] += 1
    assert told == {**truth, UNKNOWN: 0}


# ── delay ──────────────────────────────────────────────────────────────────────────────────────────────
MS = 1_000_000
S = 1000 * MS


def above_ms(samples: Iterable[tuple[float, float, float]], *, offset_ns: int = 0) -> list[tuple[int, int]]:
    """Each (now_s, delay out in ms, delay back in ms), seen by clocks `offset_ns` apart."""
    delay = OneWayDelay()
    results = (delay.feed(int(out * MS) + offset_ns, int(back * MS) - offset_ns, now_s) for now_s, out, back in samples)
    return [(round(result.out_s * 1000), round(result.back_s * 1000)) for result in results]


@pytest.mark.parametrize("offset_ns", [0, 37 * S, -90_000 * S], ids=["same clock", "TAI", "a day behind"])
@pytest.mark.parametrize(
    ("out", "back", "expected"),
    [(100, 0, (100, 0)), (0, 100, (0, 100)), (60, 40, (60, 40)), (0, 0, (0, 0)), (3, 0, (3, 0))],
)
def test_more_delay_shows_in_its_direction_with_the_first_answer(
    out: float, back: float, expected: tuple[int, int], offset_ns: int
) -> None:
    quiet = [(n * 0.05, 20.0, 30.0) for n in range(100)]
    busy = [(5 + n * 0.05, 20.0 + out, 30.0 + back) for n in range(100)]
    seen = above_ms(quiet + busy, offset_ns=offset_ns)
    assert seen == [(0, 0)] * 100 + [expected] * 100


@pytest.mark.parametrize("step_ms", [50, -50, 1000, -3_600_000], ids=str)
@pytest.mark.parametrize(("out", "back"), [(0, 0), (80, 0), (0, 80), (30, 50)], ids=str)
def test_a_step_of_either_clock_never_shows(step_ms: float, out: float, back: float) -> None:
    quiet = [(n * 0.05, 20.0, 30.0) for n in range(100)]
    busy = [(5 + n * 0.05, 20.0 + out, 30.0 + back) for n in range(20)]
    stepped = [(6 + n * 0.05, 20.0 + out + step_ms, 30.0 + back - step_ms) for n in range(20)]
    seen = above_ms(quiet + busy + stepped)
    assert seen[100:120] == [(out, back)] * 20
    if abs(step_ms) > out + back:
        assert seen[120:] == [(out, back)] * 20
    # A step smaller than the delay of that hour may be delay that changed sides, and is told so until it is gone.
    assert {sum(ways) for ways in seen[120:]} == {out + back}
    settled = above_ms(quiet + busy + stepped + [(7 + n * 0.05, 20.0 + step_ms, 30.0 - step_ms) for n in range(5)])
    assert settled[-5:] == [(0, 0)] * 5


@pytest.mark.parametrize("ppm", [50, -50, 100])
def test_an_hour_of_drift_and_jitter_shows_no_delay_and_hides_none(ppm: float) -> None:
    dice, delay = Random(1), OneWayDelay()
    worst_s = 0.0
    for n in range(36_000):
        now_s = n * 0.1
        drift_ns = int(now_s * ppm * 1000)
        out, back = (int((20 + dice.expovariate(1)) * MS) for _ in range(2))
        seen = delay.feed(out + drift_ns, back - drift_ns, now_s)
        if n > 100:
            worst_s = max(worst_s, abs(seen.out_s - (out / 1e9 - 0.02)), abs(seen.back_s - (back / 1e9 - 0.02)))
    assert worst_s < 0.003
    seen = delay.feed(120 * MS + drift_ns, 20 * MS - drift_ns, 3600.0)
    assert seen.out_s == pytest.approx(0.1, abs=0.003)


def test_a_longer_way_is_the_usual_one_after_some_minutes_and_a_shorter_one_at_once() -> None:
    longer = [(n * 1.0, 20.0 if n < 60 else 120.0, 20.0) for n in range(600)]
    seen = above_ms(longer)
    assert seen[:60] == [(0, 0)] * 60
    assert seen[60:200] == [(100, 0)] * 140
    assert seen[400:] == [(0, 0)] * 200
    assert above_ms([(n * 0.05, 120.0 if n < 60 else 20.0, 20.0) for n in range(80)])[-10:] == [(0, 0)] * 10


def test_one_answer_that_lies_about_its_time_changes_nothing() -> None:
    quiet = [(n * 0.05, 20.0, 30.0) for n in range(100)]
    for out, back in ((-100.0, 30.0), (20.0, -19.0)):
        assert above_ms([*quiet, (5.0, out, back), (5.05, 120.0, 30.0)])[-1] == (100, 0)


def test_after_a_long_silence_nothing_is_taken_for_known() -> None:
    quiet = [(n * 0.05, 20.0, 30.0) for n in range(100)]
    assert above_ms([*quiet, (1000.0, 80.0, 30.0), (1000.05, 80.0, 30.0)])[-2:] == [(0, 0)] * 2
