import pytest

from probes.call_quality import mos, rating, score


@pytest.mark.parametrize(
    ("delay_ms", "loss_pct", "burst_ratio", "expected"),
    [
        # by hand from G.107's formulas
        (0, 0, 1, 4.41),
        (100, 1, 1, 4.26),
        (150, 0, 1, 4.33),
        (177.3, 0, 1, 4.312),
        (300, 0, 1, 3.712),
        (100, 5, 1, 3.823),
        (100, 5, 2, 3.7605),
        (100, 20, 1, 2.505),
    ],
)
def test_the_plain_model(delay_ms: float, loss_pct: float, burst_ratio: float, expected: float) -> None:
    r = rating(delay_s=delay_ms / 1000, loss_pct=loss_pct, burst_ratio=burst_ratio)
    assert score(r) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("r", "expected"), [(-40, 1.0), (0, 1.0), (3, 1.0), (50, 2.575), (93.2, 4.409), (100, 4.5)])
def test_the_score_stays_within_what_people_can_say(r: float, expected: float) -> None:
    assert score(r) == pytest.approx(expected, abs=0.001)


def test_a_call_adds_a_packet_and_a_jitter_buffer_to_half_the_round_trip() -> None:
    by_hand = score(rating(delay_s=0.040 + 2 * 0.005 + 0.020, loss_pct=0.5, burst_ratio=1.2))
    assert mos(rtt_s=0.080, jitter_s=0.005, loss_pct=0.5, burst_ratio=1.2) == pytest.approx(by_hand)


def test_a_dead_line_and_an_endless_queue_are_the_worst_and_no_error() -> None:
    assert mos(rtt_s=60.0, jitter_s=5.0, loss_pct=100.0, burst_ratio=500.0) == 1.0


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_loss_more_regular_than_random_counts_as_random(ratio: float) -> None:
    assert rating(delay_s=0.1, loss_pct=3, burst_ratio=ratio) == rating(delay_s=0.1, loss_pct=3, burst_ratio=1.0)
