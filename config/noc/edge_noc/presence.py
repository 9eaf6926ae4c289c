"""Is a site there? Its `state`, with late Wills told from true ones. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT = 4
"""Streams whose last epoch is remembered; a box begins a new one once in years."""


@dataclass(slots=True)
class Presence:
    state: str | None = None
    """online, stopped, lost; None: never heard."""
    stream: str = ""
    """Whose epochs are counted; a `state` names it at the head of its id."""
    epochs: dict[str, int] = field(default_factory=dict)
    """The latest connection of each stream."""

    def told(self, state: str, stream: str, epoch: int) -> bool:
        """False: this is about an older connection than the one we know of, and is ignored.

        The broker speaks a Will when it notices, which may be after the site came back: MQTT 5.0 section 3.1.2.5.
        """
        if state == "lost" and (
            epoch < self.epochs.get(stream, 0) or (stream in self.epochs and stream != self.stream)
        ):
            return False
        self.state, self.stream = state, stream
        known = self.epochs.pop(stream, 0)
        self.epochs[stream] = max(known, epoch)
        while len(self.epochs) > KEPT:
            del self.epochs[next(iter(self.epochs))]
        return True

    @property
    def up(self) -> bool:
        return self.state == "online"

    def to_json(self) -> dict[str, Any]:
        return {"state": self.state, "stream": self.stream, "epochs": self.epochs}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Presence":
        return cls(kept["state"], kept["stream"], dict(kept["epochs"]))
