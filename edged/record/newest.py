"""The newest time that was recorded with a clock in sync: whatever the clock shows now, it is at least that late."""

import json
from datetime import datetime

from edged.record.recorded import Recorded
from edged.record.store import Store

LOOKED_AT = 200


async def newest_time(store: Store) -> float | None:
    """Seconds since 1970; None if none of the newest rows was stamped in sync."""
    times = [_time(row) for row in await store.recent(LOOKED_AT)]
    return max((time for time in times if time is not None), default=None)


def _time(row: Recorded) -> float | None:
    envelope = json.loads(row.body)
    return datetime.fromisoformat(envelope["time"]).timestamp() if envelope["clockq"] == "synced" else None
