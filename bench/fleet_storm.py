"""The broker dies without a word and comes back empty-handed: how long until all sites are there again, and nothing
waits any more.
"""

import asyncio
from dataclasses import dataclass

from bench.fleet_broker import Broker
from bench.fleet_crowd import Crowd

AWAY_S = 8.0
"""Long enough for the sites' pauses to have grown: a broker that is back at once meets them at their shortest."""
WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Storm:
    """Times count from the moment the new broker accepted connections."""

    away_s: float
    raised: int
    half_back_s: float
    most_back_s: float
    """99 of 100."""
    all_back_s: float
    acknowledged_s: float


async def storm(crowd: Crowd, broker: Broker, *, rate_per_s: float, away_s: float = AWAY_S) -> Storm:
    """Raises BenchFailed when it is not over in time."""
    killed_s = crowd.now_s()
    happening = asyncio.create_task(crowd.load(rate_per_s, away_s))
    try:
        await broker.kill()
        await asyncio.sleep(away_s)
        await broker.start()
        up_s = crowd.now_s()
        load = await happening
    finally:
        happening.cancel()
    half_s, most_s, all_s = [await _back(crowd, share) - up_s for share in (0.5, 0.99, 1.0)]
    await crowd.until(lambda: not crowd.waiting, "everything is acknowledged", within_s=WITHIN_S)
    return Storm(up_s - killed_s, len(load.due_s), half_s, most_s, all_s, crowd.now_s() - up_s)


async def _back(crowd: Crowd, share: float) -> float:
    """When so many of the sites were connected again."""
    enough = share * len(crowd.sites)
    await crowd.until(lambda: crowd.connected >= enough, f"{share:.0%} of the sites are back", within_s=WITHIN_S)
    return crowd.now_s()
