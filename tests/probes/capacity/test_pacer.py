import pytest

from probes.capacity.pacer import Pacer

PACKET_BITS = 12_000


def packets_sent(rate_bps: float, wakes_s: list[float]) -> list[int]:
    pacer = Pacer(PACKET_BITS, 0.0)
    pacer.change(rate_bps, 0.0)
    sent = []
    for now_s in wakes_s:
        due = pacer.due(now_s)
        pacer.sent(due)
        sent.append(due)
    return sent


@pytest.mark.parametrize("rate_bps", [1e6, 20e6, 99.1e6, 300e6])
@pytest.mark.parametrize("every_s", [0.001, 0.0017, 0.010])
def test_the_rate_is_kept_whatever_the_rhythm(rate_bps: float, every_s: float) -> None:
    wakes = round(2 / every_s)
    sent = packets_sent(rate_bps, [every_s * each for each in range(1, wakes + 1)])
    assert sum(sent) * PACKET_BITS == pytest.approx(rate_bps * wakes * every_s, abs=1.01 * PACKET_BITS)


def test_a_long_sleep_is_not_made_good() -> None:
    assert packets_sent(12e6, [0.001, 5.0, 5.001]) == [1, 21, 1]


def test_what_could_not_be_sent_stays_due() -> None:
    pacer = Pacer(PACKET_BITS, 0.0)
    pacer.change(12e6, 0.0)
    assert pacer.due(0.005) == 5
    pacer.sent(2)
    assert pacer.due(0.005) == 3


def test_a_new_rate_holds_from_then_on() -> None:
    pacer = Pacer(PACKET_BITS, 0.0)
    pacer.change(12e6, 0.0)
    pacer.change(0.0, 0.004)
    assert pacer.due(1.0) <= 4
    assert pacer.rate_bps == 0.0
