"""What the judge remembers of alarms beyond the conditions behind them: who knows, what is shelved, what flaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Key = tuple[str, str]
"""A condition and its subject: ("link.down", "fiber")."""

FLAPPING_RAISES = 3
FLAPPING_WITHIN_S = 600.0
"""Three times in ten minutes: nobody answers an alarm that often."""
STANDING_S = 86_400.0
"""A day: whoever was to answer it has gone home since."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition of one subject, as a person has to deal with it."""

    raised_s: float
    acknowledged: bool = False
    told: bool = False
    """Announced: its end is told too."""
    leads_s: float | None = None
    """Since when it speaks for its line."""
    quiet_s: float | None = None
    """Since when its condition is gone: the alarm goes after its hold."""


@dataclass(frozen=True, slots=True)
class Flaps:
    """How often an alarm came lately, and how long it is held once its condition is gone."""

    raises_s: tuple[float, ...]
    hold_s: float
    told: bool = False


@dataclass(frozen=True, slots=True)
class RaisedInHour:
    """Announced alarms by condition, from `began_s` on."""

    began_s: float
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Alarms:
    standing: Mapping[Key, Alarm] = field(default_factory=dict)
    """By (condition, subject)."""
    flaps: Mapping[Key, Flaps] = field(default_factory=dict)
    shelves_s: Mapping[Key, float] = field(default_factory=dict)
    """Until when each shelved alarm is out of sight."""
    hours: tuple[RaisedInHour, ...] = ()
    """Of the last 24, those in which an alarm was announced."""

    def flapping(self, now: float) -> tuple[Key, ...]:
        """What came so often lately that it is one fault, not many. Not the alarms about alarms themselves."""
        return tuple(key for key, held in self.flaps.items() if is_flapping(held, now) and not about_alarms(key))

    def standing_long(self, now: float) -> tuple[Key, ...]:
        return tuple(
            key for key, each in self.standing.items() if now - each.raised_s > STANDING_S and not about_alarms(key)
        )

    def a_day(self, now: float) -> dict[str, int]:
        """Alarms announced in the last 24 hours, by condition."""
        counts: dict[str, int] = {}
        for hour in self.hours:
            for name, count in hour.counts.items() if now - hour.began_s < DAY_S else ():
                counts[name] = counts.get(name, 0) + count
        return counts


def is_flapping(held: Flaps, now: float) -> bool:
    return sum(now - raised_s <= FLAPPING_WITHIN_S for raised_s in held.raises_s) >= FLAPPING_RAISES


def about_alarms(key: Key) -> bool:
    return key[0].startswith("alarms.")


NO_ALARMS = Alarms()
