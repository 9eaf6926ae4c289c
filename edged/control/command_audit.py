"""Every signed command leaves a trace, and none can flood the record: refused and repeated ones are told singly up to
SINGLY a minute, the rest of that minute as one.

What is carried out is always told: only the owner of a key can cause it, and only once an id.
"""

from collections.abc import Callable

import structlog

from edged.core.observations import Commanded

_log = structlog.get_logger()

SINGLY = 10
MINUTE_S = 60.0
REST = "more_refused"
"""Stands as the reason of those that were not told singly."""


class CommandAudit:
    def __init__(self, tell: Callable[[Commanded], None]) -> None:
        self._tell = tell
        self._until_s = float("-inf")
        self._told = self._rest = 0

    def note(self, done: Commanded) -> None:
        """`done.at_s` is now."""
        self.tick(done.at_s)
        if done.refused is None and not done.repeated:
            self._tell(done)
            return
        if self._told == 0:
            self._until_s = done.at_s + MINUTE_S
        if self._told < SINGLY:
            self._told += 1
            self._tell(done)
        else:
            self._rest += 1

    def tick(self, now_s: float) -> None:
        """Ends the minute when it is over."""
        if now_s < self._until_s:
            return
        if self._rest:
            _log.warning("more commands refused or repeated", commands=self._rest)
            self._tell(Commanded(now_s, None, None, None, None, REST, count=self._rest))
        self._told = self._rest = 0
        self._until_s = float("inf")

    @property
    def due_s(self) -> float | None:
        """When `tick` will have something to tell; None: nothing waits."""
        return self._until_s if self._rest else None
