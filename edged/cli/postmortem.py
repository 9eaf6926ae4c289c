"""What the record still says while the daemon is dead. The one place where the command line reads past the socket."""

import json
import time
from pathlib import Path
from typing import Any

from edged.cli.words import span
from edged.record.errors import RecordBroken
from edged.record.post_mortem import read_only

SHOWN = 12


def last_words(state_dir: Path) -> dict[str, Any]:
    """The last tier, how long ago, and the last events.

    Raises:
        edged.record.errors.RecordBroken: there is no record, or none that can be read.
    """
    found = read_only(state_dir, limit=SHOWN)
    events = [{"event": json.loads(each.body)} for each in found.recent]
    return {
        "path": str(state_dir),
        "age": span(time.time() - found.written_wall_s),
        "tier": events[-1]["event"]["tier"] if events else None,
        "tier_events_not_acknowledged": found.pending_tier,
        "events": events,
    }


__all__ = ["RecordBroken", "last_words"]
