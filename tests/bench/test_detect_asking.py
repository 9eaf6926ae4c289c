from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from bench.detect_asking import Asking, patience_s, settings
from bench.outcomes import REGIMES, RTT_S, SPACING_S, Line
from probes.pace import Pace
from probes.reading import Verdict

PERFECT = replace(REGIMES[0], mean=1e-12)
DOUBT_SPACING_S = settings().paces.interval_s(Pace.SESSION, in_doubt=True) / 3


def asking() -> Asking:
    return Asking(Line(PERFECT, Random(1)), settings())


def verdicts(its: Asking, until_s: float) -> list[tuple[float, Verdict]]:
    return list(its.go(until_s))


def test_three_targets_are_asked_sixty_times_a_second() -> None:
    its = asking()
    verdicts(its, 10.0)
    assert its.sent == pytest.approx(10 / SPACING_S, abs=2)
    assert its.verdict is Verdict.UP


def test_a_cut_is_called_at_some_tenths_of_a_second_and_a_healed_line_comes_back() -> None:
    its = asking()
    verdicts(its, 30.0)
    its.line.cut_s = 30.0
    ((down_s, verdict),) = verdicts(its, 31.0)
    assert verdict is Verdict.DOWN
    assert 0.05 < down_s - 30.0 < 0.5
    its.line.cut_s = float("inf")
    assert verdicts(its, 40.0)[0][1] is Verdict.DEGRADED


def test_the_run_of_misses_begins_with_what_was_on_its_way_and_quickens_once_it_is_known() -> None:
    its = asking()
    verdicts(its, 29.9)
    its.line.cut_s = 30.0
    next(its.go(31.0))
    run_s = its.run_s
    assert run_s[0] == pytest.approx(30.0 - RTT_S, abs=SPACING_S)
    gaps = [after - before for before, after in pairwise(run_s)]
    assert gaps[0] == pytest.approx(SPACING_S)
    assert gaps[-1] == pytest.approx(DOUBT_SPACING_S)
    # Nothing is quickened before the first miss is overdue.
    quick_from_s = next(sent_s for gap, sent_s in zip(gaps, run_s[1:], strict=True) if gap < SPACING_S * 0.9)
    assert quick_from_s == pytest.approx(run_s[0] + patience_s(), abs=SPACING_S)


def test_a_single_loss_quickens_nothing_as_later_answers_are_known_by_then() -> None:
    class LosesOne(Line):
        def loses(self, sent_s: float) -> bool:
            return 20.0 <= sent_s < 20.0 + SPACING_S

    its = Asking(LosesOne(PERFECT, Random(1)), settings())
    assert [verdict for _, verdict in verdicts(its, 40.0)] == [Verdict.UP]
    assert its.sent == pytest.approx(40 / SPACING_S, abs=2)


def test_going_on_in_pieces_is_going_on() -> None:
    whole, pieces = (Asking(Line(REGIMES[2], Random(7)), settings()) for _ in range(2))
    verdicts(whole, 60.0)
    for second in range(1, 61):
        verdicts(pieces, float(second))
    assert (pieces.sent, pieces.run_s, pieces.verdict) == (whole.sent, whole.run_s, whole.verdict)
    assert pieces.detector.judge(60.0) == whole.detector.judge(60.0)


def test_a_rate_of_false_alarms_no_site_may_ask_for_moves_the_threshold() -> None:
    assert settings(false_alarms_per_year=1e6).rules.trip_nats < settings().rules.trip_nats
