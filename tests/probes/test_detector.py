"""Tables, and simulations of the chain the tests assume. Seeds are fixed: the same run, always."""

import random
from collections.abc import Iterator
from math import log

import pytest

from probes.detector import GrayLossTest, LossModel, Repeats, SilenceTest, trip_nats

NATS_1E_9 = 20.723  # ln(1e9)


def known(pi: float, q: float) -> LossModel:
    """A model that has seen so much that it is sure."""
    return LossModel(1e15, pi * 1e15, usual=Repeats(1e15, q * 1e15), quick=Repeats(1e15, q * 1e15))


def chain(pi: float, q: float, count: int, seed: int) -> Iterator[bool]:
    """`count` outcomes, True where lost."""
    draw, lost = random.Random(seed).random, False
    for _ in range(count):
        lost = draw() < (q if lost else pi)
        yield lost


def feed(test: SilenceTest, outcomes: Iterator[bool], *, learn: bool = True) -> int:
    """How many times it tripped."""
    trips = 0
    for missed in outcomes:
        if not missed:
            test.answered(learn=learn)
            continue
        before = test.tripped
        test.missed(learn=learn)
        trips += test.tripped and not before
    return trips


# ── silence ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("pi", "q", "misses"), [(0.01, 0.05, 7), (0.01, 0.3, 15), (0.01, 0.5, 25), (0.01, 0.7, 48), (0.0005, 0.05, 6)]
)
def test_how_many_misses_it_takes_follows_from_the_line(pi: float, q: float, misses: int) -> None:
    model = known(pi, q)
    assert model.misses_to_trip(NATS_1E_9) == misses
    test = SilenceTest(NATS_1E_9, model)
    tripped = []
    for _ in range(misses):
        test.missed()
        tripped.append(test.tripped)
    assert tripped == [False] * (misses - 1) + [True]
    assert test.evidence_nats >= NATS_1E_9


@pytest.mark.parametrize(
    ("false_alarms_per_year", "probes_per_s", "nats"),
    [(1, 50, 21.18), (1, 60, 21.36), (12, 60, 18.88), (0.1, 60, 23.66)],
)
def test_the_threshold_follows_from_the_declared_rate_of_false_alarms(
    false_alarms_per_year: float, probes_per_s: float, nats: float
) -> None:
    assert trip_nats(false_alarms_per_year, probes_per_s) == pytest.approx(nats, abs=0.005)


@pytest.mark.parametrize(("pi", "q"), [(0.01, 0.05), (0.01, 0.3), (0.01, 0.5), (0.03, 0.7)])
def test_false_alarms_come_as_often_as_the_formula_says(pi: float, q: float) -> None:
    """At α = 1e-3, where they can be counted: n misses in a row come π·q^(n-1) times a probe, at most α."""
    alpha_nats, probes = 6.908, 300_000
    model = known(pi, q)
    p_answered = (1 - q) / (1 - q + pi)
    expected = probes * p_answered * pi * q ** (model.misses_to_trip(alpha_nats) - 1)
    trips = feed(SilenceTest(alpha_nats, model), chain(pi, q, probes, seed=1), learn=False)
    assert expected <= probes * 1e-3
    assert abs(trips - expected) <= 4 * expected**0.5


@pytest.mark.parametrize(("pi", "q"), [(0.01, 0.01), (0.01, 0.3), (0.01, 0.5), (0.01, 0.7), (0.03, 0.5)])
def test_it_learns_the_line_and_then_never_trips_on_it(pi: float, q: float) -> None:
    test = SilenceTest(21.36, LossModel())
    assert feed(test, chain(pi, q, 300_000, seed=2)) == 0
    assert test.model.pi == pytest.approx(pi, rel=0.35)
    assert max(0.05, q - 0.05) <= test.model.usual.q <= q + 0.15


def test_a_line_that_loses_nothing_leaves_q_as_careful_as_it_began() -> None:
    test = SilenceTest(21.36, LossModel())
    feed(test, iter([False] * 100_000))
    assert test.model.pi == 0.0002
    assert test.model.usual.q == LossModel().usual.q
    assert test.model.misses_to_trip(21.36) <= 15


def test_an_outage_is_never_learnt_as_normal() -> None:
    test = SilenceTest(21.36, LossModel())
    feed(test, iter([False] * 1000))
    before = (test.model.pi, test.model.usual.q)
    for _ in range(50):
        feed(test, iter([True] * 500 + [False]))
    assert (test.model.pi, test.model.usual.q) == before


@pytest.mark.parametrize(("misses", "teaches"), [(16, True), (22, True), (30, False), (500, False)])
def test_a_false_alarm_that_ends_soon_teaches_that_bursts_are_long_here(misses: int, teaches: bool) -> None:
    test = SilenceTest(21.36, LossModel())
    feed(test, iter([False] * 1000))
    before = test.model.usual.q
    assert feed(test, iter([True] * misses + [False])) == 1
    assert (test.model.usual.q > before) is teaches


def test_a_burst_while_the_line_was_not_well_teaches_nothing() -> None:
    test = SilenceTest(21.36, LossModel())
    before = test.model.usual.q
    for _ in range(20):
        test.missed(learn=False)
    test.answered(learn=False)
    assert test.model.usual.q == before


def test_one_answer_ends_a_silence() -> None:
    test = SilenceTest(5.0, known(0.01, 0.3))
    feed(test, iter([True] * 3))
    assert (test.tripped, test.misses) == (True, 3)
    test.answered(learn=True)
    assert (test.tripped, test.misses, test.evidence_nats) == (False, 0, 0.0)


def test_what_is_learnt_in_mid_silence_does_not_untrip_it() -> None:
    test = SilenceTest(5.0, LossModel())
    feed(test, iter([True] * 3))
    test.model = known(0.2, 0.8)
    assert test.evidence_nats < 5.0
    assert test.tripped


def test_what_was_sent_in_doubt_has_a_chance_of_its_own() -> None:
    """Bursts last for a time: closer together, the next probe is lost more often."""
    test, draw = SilenceTest(21.36, LossModel()), random.Random(9).random
    for _ in range(2000):
        for _ in range(50):
            test.answered(learn=True)
        test.missed()
        if draw() < 0.3:
            test.missed()
            while draw() < 0.7:
                test.missed(quickly=True)
            test.answered(learn=True, quickly=True)
    assert test.model.usual.q == pytest.approx(0.3, abs=0.05)
    assert test.model.quick.q == pytest.approx(0.7, abs=0.05)


def test_a_quick_miss_weighs_what_its_own_chance_says() -> None:
    model = LossModel(1e15, 1e13, usual=Repeats(1e15, 3e14), quick=Repeats(1e15, 7e14))
    test = SilenceTest(NATS_1E_9, model)
    test.missed(quickly=True)  # the first of a run is judged by π, however it was sent
    test.missed()
    test.missed(quickly=True)
    assert test.evidence_nats == pytest.approx(log(0.99 / 0.01) + log(0.99 / 0.3) + log(0.99 / 0.7), abs=1e-4)
    assert (test.misses, test.quick) == (3, 1)


def test_the_past_fades() -> None:
    test = SilenceTest(21.36, LossModel())
    feed(test, chain(0.05, 0.6, 100_000, seed=3))
    feed(test, chain(0.005, 0.1, 1_000_000, seed=4))
    assert test.model.pi < 0.008
    assert test.model.usual.q < 0.2


# ── gray loss ──────────────────────────────────────────────────────────────────────────────────────────
def gray_after_a_clean_hour(alarm_nats: float) -> GrayLossTest:
    test = GrayLossTest(alarm_nats)
    for missed in chain(0.01, 0.01, 20_000, seed=5):
        test.feed(missed=missed, learn=True)
    test.reset()
    return test


def mean_probes_to_alarm(loss: float, runs: int) -> float:
    test, total = gray_after_a_clean_hour(18.7), 0
    for seed in range(runs):
        test.reset()
        for missed in chain(loss, loss, 100_000, seed):
            test.feed(missed=missed, learn=True)
            total += 1
            if test.alarmed:
                break
    return total / runs


@pytest.mark.parametrize(("loss", "at_most_s"), [(0.05, 12.0), (0.10, 3.2), (0.20, 1.4)])
def test_more_loss_is_noticed_in_the_mean_within(loss: float, at_most_s: float) -> None:
    """At 20 ms and 30 days between false alarms. The published optimum for a known change is 8.8, 2.6 and 0.86 s."""
    assert mean_probes_to_alarm(loss, runs=60) * 0.020 <= at_most_s


def test_gray_false_alarms_stay_below_the_formula() -> None:
    """At h = 5 nats, where they can be counted: at most e^-h a probe."""
    test, alarms, probes = gray_after_a_clean_hour(5.0), 0, 200_000
    for missed in chain(0.01, 0.01, probes, seed=6):
        test.feed(missed=missed, learn=True)
        if test.alarmed:
            alarms += 1
            test.reset()
    assert 0 < alarms <= probes * 0.0067


def test_loss_that_rises_slowly_is_not_learnt_as_usual() -> None:
    test = GrayLossTest(18.7)
    for percent in range(1, 13):
        for missed in chain(percent / 100, percent / 100, 3000, seed=percent):
            test.feed(missed=missed, learn=True)
    assert test.alarmed


def test_a_line_that_always_lost_three_percent_is_as_it_was() -> None:
    test = GrayLossTest(18.7)
    for missed in chain(0.02, 0.02, 20_000, seed=7):
        test.feed(missed=missed, learn=True)
    for missed in chain(0.03, 0.03, 100_000, seed=8):
        test.feed(missed=missed, learn=True)
        assert not test.alarmed
