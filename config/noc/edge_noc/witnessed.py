"""Whether a site's checkpoints keep up with its events: what nobody else holds a signature for could still be changed.
Pure.

A quiet site signs nothing, and owes nothing. Only what is newer than all before counts, so that a replay does not.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Witnessed:
    since_s: float | None = None
    """Since when there are events here that no checkpoint covers; None: there are none."""
    _newest: dict[str, int] = field(default_factory=dict)
    """Of each stream, the newest event that is no checkpoint."""

    def event(self, stream: str, sequence: int, now_s: float) -> None:
        self._newest[stream] = sequence
        self.since_s = now_s if self.since_s is None else self.since_s

    def checkpoint(self, stream: str, at: object, now_s: float) -> None:
        """It covers its stream up to `at`, and what the box recorded in others before."""
        if type(at) is not int:
            return
        later = self._newest.get(stream, 0)
        self._newest = {stream: later}
        self.since_s = now_s if later > at else None
