"""One `resend` of the NOC: a range of a stream read again in pieces, and the truth about what is gone. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from edged.core.events import Json
from edged.record.recorded import Recorded, Stretch, Tombstone
from edged.report.commands import Resend

NEVER = "never"
"""Beyond the head: nothing of that number was recorded."""
SETTLED = "settled"
"""It had arrived, and made way since."""
MAX_HOLES_TOLD = 32
"""Ranges listed one by one in the answer; `missing_rows` counts all of them."""


@dataclass(eq=False)
class ResendJob:
    asked: Resend
    next: int | None = None
    """Where the next piece begins; None when all of the range was read."""
    ready: deque[Recorded] = field(default_factory=deque)
    waiting: int = 0
    """Handed to the broker, not answered yet."""
    sent: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    _expected: int = 0

    def __post_init__(self) -> None:
        self.next = self._expected = self.asked.first

    @property
    def wants(self) -> bool:
        return self.next is not None and not self.ready

    @property
    def done(self) -> bool:
        return self.next is None and not self.ready and not self.waiting

    def offer(self, stretch: Stretch) -> None:
        """What the store holds from `next` on."""
        for row in stretch.rows:
            self._hole_before(row.sequence)
            self._expected = row.sequence + 1
        self.ready.extend(stretch.rows)
        self.next = stretch.after
        if stretch.after is None:
            self._hole_before(self.asked.last + 1)

    def _hole_before(self, sequence: int) -> None:
        if sequence > self._expected:
            self.holes.append((self._expected, sequence - 1))

    def take(self, count: int) -> tuple[Recorded, ...]:
        self.waiting += count
        return tuple(self.ready.popleft() for _ in range(count))

    def answered(self, rows: int, *, taken: bool) -> None:
        self.waiting -= rows
        self.sent += rows if taken else 0

    def answer(self, graves: Sequence[Tombstone], head: int) -> dict[str, Json]:
        """The data of the answer. `missing` says why, by what is known of the range."""
        return {
            "id": self.asked.id,
            "command": "resend",
            "status": "done",
            "stream": self.asked.stream,
            "sent": self.sent,
            "missing_rows": sum(last - first + 1 for first, last in self.holes),
            "missing": [_missing(*part, graves, head) for hole in self.holes for part in _cut(*hole, head)][
                :MAX_HOLES_TOLD
            ],
        }


def _cut(first: int, last: int, head: int) -> list[tuple[int, int]]:
    """A hole that goes beyond the head is two."""
    return [(first, head), (head + 1, last)] if first <= head < last else [(first, last)]


def _missing(first: int, last: int, graves: Sequence[Tombstone], head: int) -> Json:
    reasons = (grave.why.value for grave in graves if grave.first <= last and (grave.last or last) >= first)
    return {"first": first, "last": last, "why": NEVER if first > head else next(reasons, SETTLED)}
