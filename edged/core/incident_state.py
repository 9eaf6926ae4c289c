"""What the judge remembers of incidents: one for each root cause, with its symptoms under it."""

from dataclasses import dataclass

Key = tuple[str, str]
"""A condition and its subject ("link.down", "fiber"), or a row of the containment table and its room."""


@dataclass(frozen=True, slots=True)
class Incident:
    number: int
    """Counts up for as long as the record lives."""
    onset_s: float
    """When the first of its symptoms began, before any dwell."""
    opened_s: float
    cause: str
    at: str | None
    """The link, UPS, room or part the cause is about."""
    worst_tier: int = 0
    symptoms: tuple[str, ...] = ()
    """Ever seen, "link.down fiber", in the order they came."""
    standing: tuple[Key, ...] = ()
    """Those that are up now."""
    quiet_s: float | None = None
    """Since when none is up: it is over unless one returns."""
    returns: int = 0
    """How often one came back while it was quiet: each time the hold doubles."""


@dataclass(frozen=True, slots=True)
class Incidents:
    last: int = 0
    """The number of the newest one."""
    open: tuple[Incident, ...] = ()
    """Ascending by number."""

    def of(self, name: str, at: str) -> Incident | None:
        """The one that a condition of a subject belongs to: now, or lately, as long as that one is open."""
        holds = [each for each in self.open if (name, at) in each.standing]
        had = [each for each in reversed(self.open) if f"{name} {at}" in each.symptoms]
        return next(iter((*holds, *had)), None)


NO_INCIDENTS = Incidents()
