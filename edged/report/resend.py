"""One `resend` of the NOC: a range of a stream read again in pieces, and the truth about what is gone. Pure."""

from collections import deque
from dataclasses import dataclass, field

from edged.core.events import Json
from edged.record.recorded import Recorded, Stretch
from edged.report.commands import Resend

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

    def take(self) -> Recorded:
        self.waiting += 1
        return self.ready.popleft()

    def answered(self, *, taken: bool) -> None:
        self.waiting -= 1
        self.sent += taken

    def answer(self) -> dict[str, Json]:
        """The data of the answer. `missing` also names what was never recorded: the range asked for went beyond the
        head.
        """
        return {
            "id": self.asked.id,
            "command": "resend",
            "status": "done",
            "stream": self.asked.stream,
            "sent": self.sent,
            "missing_rows": sum(last - first + 1 for first, last in self.holes),
            "missing": [[first, last] for first, last in self.holes[:MAX_HOLES_TOLD]],
        }
