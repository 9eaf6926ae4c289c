"""One incident for each root cause, from onset to closure, with every symptom under it."""

from edged.core.events import Event
from edged.core.plan import Plan
from edged.core.state import State


def follow(
    plan: Plan, before: State, state: State, events: tuple[Event, ...], now: float
) -> tuple[State, tuple[Event, ...]]:
    """What this step's events mean for the incidents: the events with the incident they belong to, and its own."""
    return state, events
