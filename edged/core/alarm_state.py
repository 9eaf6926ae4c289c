"""What the judge remembers of alarms beyond the conditions behind them: who knows, what is shelved, what flaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition of one subject, as a person has to deal with it."""

    raised_s: float
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Alarms:
    standing: Mapping[tuple[str, str], Alarm] = field(default_factory=dict)
    """By (condition, subject)."""


NO_ALARMS = Alarms()
