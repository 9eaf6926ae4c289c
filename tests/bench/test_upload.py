import pytest

from bench.upload import arrived_bps


@pytest.mark.parametrize(
    ("figures", "bps"),
    [
        ({"seconds": 9, "tcp_bps": 3_000_000, "udp_bps": 17_000_000, "udp_sent_bps": 30_000_000}, 20e6),
        ({"seconds": 9, "tcp_bps": 3_000_000}, 3e6),
        ({"seconds": 9, "udp_bps": 17_000_000, "errors": {"tcp": "timed out"}}, 17e6),
        ({"seconds": 9, "errors": {"tcp": "timed out"}}, 0.0),
    ],
)
def test_what_arrived_is_counted_and_not_what_was_offered(figures: dict[str, object], bps: float) -> None:
    assert arrived_bps(figures) == bps
