import pytest

from bench.capacity_figures import Packet, Stopped, error_pct, stopped_after, usual_delay_s, worst_pct


@pytest.mark.parametrize(
    ("rate_bps", "line_bps", "error"),
    [(100e6 * 1500 / 1514, 100e6, 0.0), (0.95 * 20e6 * 1500 / 1514, 20e6, -5.0), (100e6, 100e6, 0.933)],
)
def test_a_reading_is_held_against_what_the_line_carries_of_ip(rate_bps: float, line_bps: float, error: float) -> None:
    assert error_pct(rate_bps, line_bps) == pytest.approx(error, abs=0.001)


def test_the_worst_error_has_no_sign() -> None:
    assert worst_pct([1.0, -7.0, 3.0]) == 7.0


def stream(*delays_ms: float | None) -> list[Packet]:
    """A packet every 10 ms from second 100 on."""
    sent = ((100 + n / 100, delay_ms) for n, delay_ms in enumerate(delays_ms))
    return [Packet(sent_s, None if delay_ms is None else sent_s + delay_ms / 1000) for sent_s, delay_ms in sent]


@pytest.mark.parametrize(
    ("packets", "last_load_s", "expected"),
    [
        (stream(10, 11, 30, 40, 10), 100.075, Stopped(55, 75, 2, 30)),
        (stream(10, None, 10), 100.2, Stopped(190, 200, 1, 0)),
        (stream(10, 11, 12), 100.05, Stopped(50, 50, 0, 2)),
        (stream(90, 10, 10), 99.99, Stopped(-10, -10, 1, 80)),
    ],
)
def test_the_time_counts_from_the_first_packet_hurt_to_the_last_load(
    packets: list[Packet], last_load_s: float, expected: Stopped
) -> None:
    after = stopped_after(packets, 0.010, last_load_s)
    assert (after.hurt_ms, after.begin_ms, after.late_most_ms) == pytest.approx(
        (expected.hurt_ms, expected.begin_ms, expected.late_most_ms), abs=0.01
    )
    assert after.hurt == expected.hurt


def test_the_usual_delay_is_the_median_and_a_silent_stream_has_none() -> None:
    assert usual_delay_s(stream(10, 90, 11, None)) == pytest.approx(0.011)
    with pytest.raises(ValueError, match="arrived"):
        usual_delay_s(stream(None, None))
