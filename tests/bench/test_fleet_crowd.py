"""A fleet of three, with the real broker."""

from pathlib import Path
from random import Random

from bench.fleet_broker import Broker
from bench.fleet_consumer import light
from bench.fleet_crowd import Crowd
from bench.fleet_figures import matched
from bench.fleet_storm import storm


async def test_what_three_sites_record_the_consumer_holds_also_when_the_broker_dies(tmp_path: Path) -> None:
    async with Broker(tmp_path / "broker") as broker, light(port=broker.port, tenant="fleet") as consumer:
        crowd = Crowd(tmp_path, port=broker.port, chance=Random(1))
        try:
            await crowd.open(3, limit=10_000)
            await crowd.connect(spread_s=0.1, within_s=10)
            load = await crowd.load(40.0, 1.0)
            after = await storm(crowd, broker, rate_per_s=40.0, away_s=0.5)
            held = await consumer.held()
        finally:
            await crowd.close()
    assert len(load.due_s) > 15
    assert len(crowd.due_s) == len(load.due_s) + after.raised
    assert after.half_back_s <= after.all_back_s <= after.acknowledged_s
    assert matched(crowd.due_s, held).missing == ()
    assert matched(crowd.due_s, crowd.acknowledged_s).missing == ()
