import json
from pathlib import Path

from edged.clock import ClockQuality
from edged.record.newest import newest_time
from edged.record.store import Store
from tests.edged.record.scene import ORIGIN, SETTINGS, FixedClock, tier_event


class Drifting(FixedClock):
    said = ClockQuality.SYNCED

    def quality(self) -> ClockQuality:
        return self.said


async def test_only_a_clock_in_sync_is_believed(tmp_path: Path) -> None:
    clock = Drifting()
    store = await Store.open(tmp_path, origin=ORIGIN, clock=clock, settings=SETTINGS)
    assert await newest_time(store) is None
    (row,) = await store.append([tier_event()])
    assert json.loads(row.body)["time"] == "2025-12-31T23:59:59.500Z"
    clock.said, clock.wall_s = ClockQuality.HOLDOVER, clock.wall_s + 1e6
    await store.append([tier_event()])
    assert await newest_time(store) == FixedClock.wall_s - 0.5
    await store.close()
