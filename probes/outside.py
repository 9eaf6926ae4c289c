"""What others know of a link: the daemon's hand on it, beside its pace. A prober cannot know it and would like to."""

from collections.abc import Callable
from dataclasses import dataclass

from probes.budget import Budget


def _nobody_knows() -> int | None:
    return None


@dataclass(slots=True)
class Outside:
    far_carrier: bool = True
    """False while the router says that its port of this link is down (ifOperStatus, RFC 2863)."""
    user_bytes: Callable[[], int | None] = _nobody_knows
    """Bytes that arrived for users by this link so far; None while nobody can tell them from another link's. Costs some
    30 µs a call.
    """
    budget: Budget | None = None
    """Charged with every probe; None on a link that is not metered."""
