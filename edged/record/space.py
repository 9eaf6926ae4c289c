"""How much of a filling disk edged leaves to others.

With less free space than the floor, what is kept shrinks by what is missing; with little more than that, it grows no
further than to the floor. Tier events are not asked.
"""

import os
from collections.abc import Callable
from pathlib import Path

from edged.record.retention import Volume

LOOK_S = 1.0
"""The file system is not asked more often."""
LEAST_BYTES = 1 << 20
"""Kept even on a disk without any room: others would only take what we give."""


def affordable_bytes(kept_bytes: int, free_bytes: int, floor_bytes: int) -> int:
    """What may be kept while so much is kept. Free is also what our own file has and does not use."""
    return max(LEAST_BYTES, kept_bytes + free_bytes - floor_bytes)


def is_low(free_bytes: int, floor_bytes: int, *, before: bool) -> bool:
    """An eighth more than the floor ends it, so that it is not said with every event."""
    return free_bytes < (floor_bytes * 9 // 8 if before else floor_bytes)


class Space:
    """What the file system says, read again after LOOK_S. In between the bound stands: what was evicted for it must not
    lower it again.
    """

    def __init__(self, directory: Path, floor_bytes: int) -> None:
        self._directory, self._floor_bytes = directory, floor_bytes
        self._looked_s: float | None = None
        self._affordable_bytes: int | None = None
        self.low = False

    def look(self, now_s: float, *, kept_bytes: int, unused: Callable[[], int]) -> bool:
        """Whether it was time to. `unused`: bytes of our own file. A file system that cannot be asked is not low."""
        if self._looked_s is not None and now_s - self._looked_s < LOOK_S:
            return False
        self._looked_s = now_s
        try:
            found = os.statvfs(self._directory)
        except OSError:
            self._affordable_bytes, self.low = None, False
            return True
        free_bytes = found.f_bavail * found.f_frsize
        self.low = is_low(free_bytes, self._floor_bytes, before=self.low)
        self._affordable_bytes = affordable_bytes(kept_bytes, free_bytes + unused(), self._floor_bytes)
        return True

    def bound(self, configured: Volume) -> Volume:
        if self._affordable_bytes is None:
            return configured
        return Volume(configured.rows, min(configured.bytes, self._affordable_bytes))
