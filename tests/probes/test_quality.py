import pytest

from probes.quality import Jitter, Sample, figures


def samples(*rtts_ms: float | None) -> list[Sample]:
    return [Sample(0.0, None if rtt is None else rtt / 1000) for rtt in rtts_ms]


@pytest.mark.parametrize(
    ("rtts_ms", "median_min_p95_p99_ms", "lost", "loss_pct"),
    [
        ([], None, 0, None),
        ([None], None, 1, 100.0),
        ([20], (20, 20, 20, 20), 0, 0.0),
        ([30, None, 10, 20], (20, 10, 30, 30), 1, 25.0),
        ([10, 20], (15, 10, 20, 20), 0, 0.0),
        ([*range(1, 21)], (10.5, 1, 19, 20), 0, 0.0),
        ([*range(1, 101)], (50.5, 1, 95, 99), 0, 0.0),
        ([*range(200, 0, -1)], (100.5, 1, 190, 198), 0, 0.0),
    ],
)
def test_figures_of_a_second(
    rtts_ms: list[float | None], median_min_p95_p99_ms: tuple[float, ...] | None, lost: int, loss_pct: float | None
) -> None:
    seen = figures(samples(*rtts_ms))
    assert (seen.sent, seen.lost, seen.loss_pct) == (len(rtts_ms), lost, loss_pct)
    rtts = seen.rtt_s, seen.rtt_min_s, seen.rtt_p95_s, seen.rtt_p99_s
    if median_min_p95_p99_ms is None:
        assert rtts == (None, None, None, None)
    else:
        assert rtts == pytest.approx([ms / 1000 for ms in median_min_p95_p99_ms])


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
