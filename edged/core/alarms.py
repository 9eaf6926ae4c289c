"""Alarms as people meet them: one alarm is one required response."""

from edged.core.events import Event
from edged.core.plan import Plan
from edged.core.state import State


def attend(
    plan: Plan, before: State, state: State, events: tuple[Event, ...], now: float
) -> tuple[State, tuple[Event, ...]]:
    """The alarms after this step, and what is to be told of them."""
    return state, ()
