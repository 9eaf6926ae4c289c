"""Rates and the slot they are left in."""

import asyncio

import pytest

from qos.errors import QosMisuseError
from qos.rates import Rates, WantedRates


def test_each_direction_has_its_own_rate() -> None:
    rates = Rates(up_bps=20_000_000, down_bps=None)
    assert rates.toward("up") == 20_000_000
    assert rates.toward("down") is None


@pytest.mark.parametrize("rate_bps", [0, -1, 99_999, 10_000_000_001])
def test_a_rate_no_link_has_is_refused_by_its_value(rate_bps: int) -> None:
    with pytest.raises(QosMisuseError, match=str(rate_bps)):
        Rates(down_bps=rate_bps)


async def test_another_rate_wakes_at_once_and_the_same_rate_does_not() -> None:
    wanted = WantedRates()
    waiter = asyncio.create_task(wanted.changed(timeout_s=10))
    await asyncio.sleep(0)
    wanted.set(Rates(up_bps=5_000_000))
    assert await waiter
    wanted.set(Rates(up_bps=5_000_000))
    assert not await wanted.changed(timeout_s=0)
