"""One way through the rows that still have to arrive, oldest first, and again when there is reason. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence

from edged.core.events import Channel
from edged.record.recorded import Recorded
from edged.report.taken import Taken

READ_AT_ONCE = 64
RETRY_FIRST_S = 30.0
RETRY_CAP_S = 600.0
"""Turned-away rows are tried again after 30 s, then 60 s … up to every 10 min."""


class Sweep:
    """Of one channel: the rows above `floor` and, if given, up to `ceiling`."""

    def __init__(self, channel: Channel, *, floor: int = 0, ceiling: int | None = None) -> None:
        self.channel, self._floor, self._ceiling = channel, floor, ceiling
        self.cursor, self.more = floor, True
        self.ready: deque[Recorded] = deque()
        self.taken: dict[int, Recorded] = {}
        """Taken by the broker on this connection: not again before the next one, unless asked."""
        self.turned_away: dict[int, Recorded] = {}
        self.again_at_s: float | None = None
        self._pause_s = RETRY_FIRST_S

    @property
    def wants(self) -> bool:
        return self.more and not self.ready

    def start_over(self) -> None:
        self.cursor, self.more, self.again_at_s = self._floor, True, None
        self.ready.clear()

    def asked(self) -> int:
        """The row after which to read. Whatever is recorded while these rows are read will be wanted anew."""
        self.more = False
        return self.cursor

    def offer(self, rows: Sequence[Recorded], sending: Iterable[int]) -> None:
        mine = [row for row in rows if self._ceiling is None or row.row <= self._ceiling]
        self.more |= len(rows) == len(mine) == READ_AT_ONCE
        if mine:
            self.cursor = mine[-1].row
        skip = {*self.taken, *sending}
        self.ready.extend(row for row in mine if row.row not in skip)

    def take(self, count: int) -> tuple[Recorded, ...]:
        return tuple(self.ready.popleft() for _ in range(count))

    def put_back(self, rows: Sequence[Recorded]) -> None:
        """To be sent next, otherwise."""
        self.ready.extendleft(reversed(rows))

    def answered(self, row: Recorded, taken: Taken, now_s: float) -> None:
        if taken is Taken.YES:
            self.turned_away.pop(row.row, None)
            self.taken[row.row] = row
            if not self.turned_away:
                self._pause_s = RETRY_FIRST_S
            return
        self.turned_away[row.row] = row
        if self.again_at_s is None:
            self.again_at_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, RETRY_CAP_S)

    def forget(self, rows: Iterable[int]) -> None:
        """They arrived for good."""
        for row in rows:
            self.taken.pop(row, None)
            self.turned_away.pop(row, None)
