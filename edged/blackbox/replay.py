"""Makes recorded decisions again and compares: the judge is a function of its arguments, and this proves it.

With another plan than the recorded one the differences say what would have been decided. Pure: no files, no clocks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace

from edged.blackbox.readback import Decision, Step
from edged.blackbox.segment import decisions
from edged.blackbox.spell import Speller
from edged.core.events import Event
from edged.core.judge import Judged, judge
from edged.core.observations import Observation
from edged.core.plan import Plan
from edged.core.state import State

Judge = Callable[[Plan, State, Observation, float], Judged]
FAULTS = (LookupError, StopIteration, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError)
"""What a judge that fails may raise; the daemon ends then, and its last step is recorded as failed."""
FAILED = "the judge failed"


@dataclass(frozen=True, slots=True)
class Difference:
    line: int
    now_s: float
    told: str
    """The observation's class."""
    recorded: tuple[str, ...]
    """What was decided then and not now, by name; FAILED if the judge failed."""
    decided: tuple[str, ...]
    """What is decided now and was not then."""
    events: tuple[Event, ...]
    """The latter in full."""


@dataclass(frozen=True, slots=True)
class Replayed:
    observations: int
    decisions: int
    """Events recorded."""
    differences: tuple[Difference, ...]
    story: tuple[Event, ...]
    """Everything decided now."""
    state: State
    """At the end."""


def replay(plan: Plan, state: State, steps: Iterable[Step], *, judge: Judge = judge) -> Replayed:
    """Judge all of it, from this state on.

    Raises BlackBoxBroken where the steps are read from a file that is broken further on.
    """
    observations = recorded = 0
    differences: list[Difference] = []
    story: list[Event] = []
    for step in steps:
        state, events = _judged(plan, state, step, judge)
        observations += 1
        recorded += len(step.decided or ())
        story += events or ()
        if (found := _difference(step, events)) is not None:
            differences.append(found)
    return Replayed(observations, recorded, tuple(differences), tuple(story), state)


def same_state(one: State, other: State) -> bool:
    """To the last digit; by spelling, since no NaN equals itself."""
    return Speller().line(one) == Speller().line(other)


def other_parts(one: State, other: State) -> tuple[str, ...]:
    """The names of what is not the same in two states."""
    if same_state(one, other):
        return ()
    each_alone = ((field.name, replace(one, **{field.name: getattr(other, field.name)})) for field in fields(State))
    return tuple(name for name, changed in each_alone if not same_state(one, changed))


def _judged(plan: Plan, state: State, step: Step, judge: Judge) -> tuple[State, tuple[Event, ...] | None]:
    try:
        judged = judge(plan, state, step.observation, step.now_s)
    except FAULTS:
        return state, None
    return judged.state, judged.events


def _difference(step: Step, events: Sequence[Event] | None) -> Difference | None:
    now = None if events is None else tuple(decisions(events))
    if now == step.decided:
        return None
    kind = type(step.observation).__name__
    fresh = _beyond(now, step.decided)
    told = tuple(event for event, decision in zip(events or (), now or (), strict=True) if decision in fresh)
    return Difference(step.line, step.now_s, kind, _names(step.decided, now), _names(now, step.decided), told)


def _beyond(these: Sequence[Decision] | None, those: Sequence[Decision] | None) -> list[Decision]:
    """What of these is not among those; all of it where only the order differs."""
    left = list((Counter(these or ()) - Counter(those or ())).elements())
    same = Counter(these or ()) == Counter(those or ())
    return list(these or ()) if same else left


def _names(these: Sequence[Decision] | None, those: Sequence[Decision] | None) -> tuple[str, ...]:
    return (FAILED,) if these is None else tuple(name for name, _ in _beyond(these, those))
