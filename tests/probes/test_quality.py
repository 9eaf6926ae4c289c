import pytest

from probes.quality import Figures, Jitter, Sample, figures


def samples(*rtts_ms: float | None) -> list[Sample]:
    return [Sample(0.0, None if rtt is None else rtt / 1000) for rtt in rtts_ms]


@pytest.mark.parametrize(
    ("rtts_ms", "expected", "loss_pct"),
    [
        ([], Figures(0, 0, None, None), None),
        ([None], Figures(1, 1, None, None), 100.0),
        ([20], Figures(1, 0, 0.020, 0.020), 0.0),
        ([30, None, 10, 20], Figures(4, 1, 0.020, 0.030), 25.0),
        ([10, 20], Figures(2, 0, 0.015, 0.020), 0.0),
        ([*range(1, 21)], Figures(20, 0, 0.0105, 0.019), 0.0),
        ([*range(1, 101)], Figures(100, 0, 0.0505, 0.095), 0.0),
    ],
)
def test_figures_of_a_second(rtts_ms: list[float | None], expected: Figures, loss_pct: float | None) -> None:
    seen = figures(samples(*rtts_ms))
    assert (seen.sent, seen.lost) == (expected.sent, expected.lost)
    assert seen.rtt_s == pytest.approx(expected.rtt_s)
    assert seen.rtt_p95_s == pytest.approx(expected.rtt_p95_s)
    assert seen.loss_pct == loss_pct


@pytest.mark.parametrize(
    ("rtts_ms", "jitter_ms"),
    [
        ([], None),
        ([20], None),
        ([20, 20], 0.0),
        ([20, 36], 1.0),
        ([20, 36, 20], 1.0 + 15 / 16),
        ([20, 36, 36], 15 / 16),
    ],
)
def test_jitter_follows_rfc_3550(rtts_ms: list[float], jitter_ms: float | None) -> None:
    jitter = Jitter()
    for rtt in rtts_ms:
        jitter.feed(rtt / 1000)
    assert jitter.jitter_s == (None if jitter_ms is None else pytest.approx(jitter_ms / 1000))


def test_jitter_settles_at_the_mean_change() -> None:
    jitter = Jitter()
    for n in range(500):
        jitter.feed(0.020 if n % 2 else 0.028)
    assert jitter.jitter_s == pytest.approx(0.008, rel=0.01)
