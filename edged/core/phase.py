"""Where a supervised procedure stands (rule 15)."""

from enum import StrEnum


class Phase(StrEnum):
    PRE = "pre"  # no contrast given yet, or its monitoring window is over
    INJECTING = "injecting"
    MONITORING = "monitoring"  # contrast has been given; the end of contrast includes this window
    CLOSED = "closed"

    @property
    def contrast_given(self) -> bool:
        """A patient may react now."""
        return self in (Phase.INJECTING, Phase.MONITORING)
