"""What the judge remembers of incidents: one for each root cause, with its symptoms under it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Incident:
    number: int
    """Counts up for as long as the record lives."""
    onset_s: float
    """When the first of its symptoms began, before any dwell."""
    opened_s: float
    cause: str
    at: str | None
    """The link, UPS or part the cause is about."""
    worst_tier: int = 0
    symptoms: tuple[str, ...] = ()
    """Ever seen, "link.down fiber", in the order they came."""


@dataclass(frozen=True, slots=True)
class Incidents:
    last: int = 0
    """The number of the newest one."""
    open: tuple[Incident, ...] = ()


NO_INCIDENTS = Incidents()
