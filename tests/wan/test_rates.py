"""Tables of (second, what the router said, bits per second in and out of it)."""

import pytest

from tests.wan.seen import router, wan
from wan.profile import Counters, RouterSeen, WanSeen
from wan.rates import REPEATS_S, Rates
from wan.reading import WanState

Rows = list[tuple[float, RouterSeen, dict[str, float]]]


def check(rows: Rows) -> None:
    rates = Rates()
    for at_s, seen, expected in rows:
        found = rates.update(seen, at_s)
        assert {name: rate.rx_bps for name, rate in found.items()} == pytest.approx(expected), f"at {at_s} s"


def test_octets_become_bits_per_second_each_way() -> None:
    rates = Rates()
    rates.update(router(WanSeen("0", "0", WanState.CONNECTED, counters=Counters(1000, 500, 1, 0))), 10.0)
    found = rates.update(router(WanSeen("0", "0", WanState.CONNECTED, counters=Counters(3000, 750, 1, 0))), 12.0)
    assert (found["0"].rx_bps, found["0"].tx_bps, found["0"].total_bps) == (8000.0, 1000.0, 9000.0)


def test_the_first_poll_has_no_rate_nor_has_a_wan_without_counters() -> None:
    check([(0, router(wan("0", octets=5), wan("1")), {}), (1, router(wan("0", octets=130), wan("1")), {"0": 1000})])


def test_an_agent_that_repeats_itself_keeps_its_last_rate() -> None:
    check(
        [
            (0, router(wan("0", octets=0)), {}),
            (1, router(wan("0", octets=0)), {}),
            (3, router(wan("0", octets=3000)), {"0": 8000}),
            (4, router(wan("0", octets=3000)), {"0": 8000}),
            (5, router(wan("0", octets=3000)), {"0": 8000}),
            (6, router(wan("0", octets=9000)), {"0": 16000}),
        ]
    )


def test_a_wan_that_stands_still_while_another_moves_is_idle() -> None:
    check(
        [
            (0, router(wan("0", octets=0), wan("1", octets=0)), {}),
            (1, router(wan("0", octets=1000), wan("1", octets=500)), {"0": 8000, "1": 4000}),
            (2, router(wan("0", octets=1000), wan("1", octets=1000)), {"0": 0, "1": 4000}),
        ]
    )


def test_when_nothing_moves_for_long_all_is_idle() -> None:
    check(
        [
            (0, router(wan("0", octets=0)), {}),
            (1, router(wan("0", octets=1000)), {"0": 8000}),
            (REPEATS_S, router(wan("0", octets=1000)), {"0": 8000}),
            (REPEATS_S + 1, router(wan("0", octets=1000)), {"0": 0}),
            (REPEATS_S + 2, router(wan("0", octets=1000)), {"0": 0}),
        ]
    )


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(router(wan("0", octets=10), uptime_s=1002), id="the counter went back"),
        pytest.param(router(wan("0", octets=9000, discontinuity=77), uptime_s=1002), id="ifCounterDiscontinuityTime"),
        pytest.param(router(wan("0", octets=9000, interface=2), uptime_s=1002), id="another interface"),
        pytest.param(router(wan("0", octets=9000), uptime_s=3), id="sysUpTime fell"),
        pytest.param(router(wan("0"), uptime_s=1002), id="no counters"),
    ],
)
def test_a_discontinuity_leaves_no_rate_for_that_poll(broken: RouterSeen) -> None:
    rates = Rates()
    rates.update(router(wan("0", octets=1000), uptime_s=1000), 0)
    assert rates.update(router(wan("0", octets=2000), uptime_s=1001), 1)["0"].rx_bps == 8000
    assert rates.update(broken, 2) == {}


def test_after_a_discontinuity_it_counts_from_there() -> None:
    check(
        [
            (0, router(wan("0", octets=5000)), {}),
            (1, router(wan("0", octets=10)), {}),
            (2, router(wan("0", octets=135)), {"0": 1000}),
        ]
    )


def test_only_the_broken_counter_loses_its_rate() -> None:
    check(
        [
            (0, router(wan("0", octets=0), wan("1", octets=900)), {}),
            (1, router(wan("0", octets=1000), wan("1", octets=800)), {"0": 8000}),
            (2, router(wan("0", octets=2000), wan("1", octets=1800)), {"0": 8000, "1": 8000}),
        ]
    )


def test_silence_is_forgotten() -> None:
    rates = Rates()
    rates.update(router(wan("0", octets=0)), 0)
    rates.forget()
    assert rates.update(router(wan("0", octets=1000)), 60) == {}


def test_two_answers_at_the_same_instant_are_no_rate() -> None:
    check(
        [
            (1, router(wan("0", octets=0)), {}),
            (1, router(wan("0", octets=1000)), {}),
            (2, router(wan("0", octets=2000)), {"0": 16000}),
        ]
    )
