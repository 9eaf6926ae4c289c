"""Tables of packets offered to a wire, and what became of them."""

from itertools import groupby
from random import Random

import pytest

from lab.wire import Fate, Wire, WireSettings

# 1000 bytes take 1 ms at 8 Mbit/s: the tables below can be checked in the head.
PLAIN = WireSettings(delay_s=0.010, rate_bps=8e6, queue_bytes=3000)


def wire(settings: WireSettings = PLAIN, seed: int = 1) -> Wire:
    return Wire(settings, Random(seed))


def settings(**fields: float | int | bool | None) -> WireSettings:
    return WireSettings(**{"delay_s": 0.010, "rate_bps": 8e6, "queue_bytes": 3000} | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ([(1000, 0.0)], [0.011]),  # its own sending time and the delay
        ([(1000, 0.0), (1000, 0.0)], [0.011, 0.012]),  # the second waits for the first
        ([(1000, 0.0), (1000, 0.5)], [0.011, 0.511]),  # an idle wire keeps nobody waiting
        ([(1000, 0.0)] * 4, [0.011, 0.012, 0.013, Fate.QUEUE_FULL]),  # three frames fill the queue
        (
            [(1000, 0.0)] * 4 + [(1000, 0.001)],
            [0.011, 0.012, 0.013, Fate.QUEUE_FULL, 0.014],
        ),  # one was sent: room again
        ([(1500, 0.0), (1500, 0.0), (1, 0.0)], [0.0115, 0.013, Fate.QUEUE_FULL]),  # room is counted in bytes
    ],
)
def test_the_queue_delays_and_then_drops_at_the_tail(
    offered: list[tuple[int, float]], expected: list[float | Fate]
) -> None:
    under_test = wire()
    for (length, now), outcome in zip(offered, expected, strict=True):
        result = under_test.offer(length, now)
        assert result == (pytest.approx(outcome) if isinstance(outcome, float) else outcome)


def test_a_saturated_wire_carries_its_rate_and_no_more() -> None:
    under_test = wire(settings(rate_bps=10e6, queue_bytes=100_000))
    arrived = [out for n in range(20_000) if isinstance(out := under_test.offer(1250, n * 0.0005), float)]
    bits = len(arrived) * 1250 * 8
    assert bits / (arrived[-1] - arrived[0]) == pytest.approx(10e6, rel=0.001)  # 20 Mbit/s were offered


def test_a_full_queue_is_the_delay_that_its_size_and_the_rate_say() -> None:
    under_test = wire(settings(rate_bps=20e6, queue_bytes=1_000_000))
    outs = [under_test.offer(1250, 0.0) for _ in range(1000)]
    assert max(out for out in outs if isinstance(out, float)) == pytest.approx(0.010 + 0.400)
    assert under_test.backlog_bytes(0.0) == 1_000_000
    assert under_test.backlog_bytes(0.2) == 500_000
    assert under_test.backlog_bytes(9.0) == 0


def test_a_cut_wire_loses_everything_and_a_healed_one_nothing() -> None:
    under_test = wire()
    under_test.change(settings(cut=True))
    assert [under_test.offer(100, now) for now in (0.0, 1.0)] == [Fate.CUT, Fate.CUT]
    under_test.change(PLAIN)
    assert isinstance(under_test.offer(100, 2.0), float)


def test_what_is_larger_than_the_mtu_vanishes_and_takes_no_time_of_the_wire() -> None:
    under_test = wire(settings(mtu_bytes=986))  # and 14 bytes of Ethernet header: frames of 1000
    assert under_test.offer(1001, 0.0) is Fate.TOO_LONG
    assert under_test.offer(1000, 0.0) == pytest.approx(0.011)
    under_test.change(settings(mtu_bytes=986, cut=True))
    assert [under_test.offer(length, 1.0) for length in (1, 1001)] == [Fate.CUT, Fate.CUT]
    under_test.change(PLAIN)
    assert under_test.offer(1001, 2.0) == pytest.approx(2.011, abs=1e-5)


def test_jitter_moves_the_delay_both_ways_and_never_the_order() -> None:
    under_test = wire(settings(jitter_s=0.004, rate_bps=1e9, queue_bytes=1_000_000))
    sent = [n * 0.001 for n in range(20_000)]
    outs = [out for now in sent if isinstance(out := under_test.offer(100, now), float)]
    delays = [out - now for now, out in zip(sent, outs, strict=True)]
    assert outs == sorted(outs)
    assert 0.006 <= min(delays) < 0.0065
    assert 0.0135 < max(delays) <= 0.0141
    assert sum(delays) / len(delays) == pytest.approx(0.010, abs=0.0006)


def test_less_delay_from_now_on_does_not_let_packets_overtake() -> None:
    under_test = wire(settings(delay_s=0.500))
    first = under_test.offer(100, 0.0)
    under_test.change(PLAIN)
    assert under_test.offer(100, 0.001) == first


def losses(loss: float, burst: float | None, count: int = 60_000) -> list[bool]:
    under_test = wire(settings(loss=loss, burst=burst, rate_bps=10e9, queue_bytes=1 << 30))
    return [under_test.offer(100, n * 0.001) is Fate.LOST for n in range(count)]


@pytest.mark.parametrize(
    ("loss", "burst", "mean_run"),
    [
        (0.01, None, 1 / 0.99),  # independent losses: a run of n has the chance pⁿ⁻¹(1 − p)
        (0.30, None, 1 / 0.70),
        (0.05, 4.0, 4.0),
        (0.05, 1.0, 1.0),
        (0.50, 10.0, 10.0),
    ],
)
def test_losses_have_the_mean_and_the_burst_length_asked_for(loss: float, burst: float | None, mean_run: float) -> None:
    lost = losses(loss, burst)
    runs = [sum(1 for _ in run) for is_lost, run in groupby(lost) if is_lost]
    assert sum(lost) / len(lost) == pytest.approx(loss, rel=0.1)
    assert sum(runs) / len(runs) == pytest.approx(mean_run, rel=0.08)


def test_loss_of_nothing_and_of_everything_are_exact() -> None:
    assert not any(losses(0.0, None, 1000))
    assert all(losses(1.0, None, 1000))
    assert all(losses(1.0, 3.0, 1000))


def test_a_lost_packet_has_used_the_transmitter() -> None:
    under_test = wire(settings(loss=1.0))
    under_test.offer(1000, 0.0)
    under_test.change(PLAIN)
    assert under_test.offer(1000, 0.0) == pytest.approx(0.012)


@pytest.mark.parametrize(
    "fields",
    [
        {"delay_s": -0.001},
        {"jitter_s": -0.001},
        {"loss": 1.01},
        {"loss": -0.01},
        {"rate_bps": 0},
        {"rate_bps": 1e12},
        {"queue_bytes": 1000},
        {"mtu_bytes": 67},
        {"mtu_bytes": 65536},
        {"loss": 0.05, "burst": 0.5},
        {"loss": 0.9, "burst": 2.0},  # nine losses for one arrival: their runs cannot be two long
    ],
)
def test_what_no_wire_can_be_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        settings(**fields)
