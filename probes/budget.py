"""What probing may cost on a metered link: bytes of a calendar month (UTC), both ways, IP header included.

Only the calm pace is ever slowed, evenly over what is left of the month: suspicion and sessions are probed as always,
safety first, and counted. A budget used up leaves the calm pace at its slowest, and the reading says so.

Arithmetic, for a 72-byte probe answered in kind (144 bytes) and 30 days: two targets once a second are 746 MB, three
1120 MB; once in 30 s, the slowest, 25 and 37 MB, so a smaller budget cannot be kept. An hour of a session (three
targets, each every 50 ms) is 31 MB, an hour on the alert (100 ms) 16 MB.

The clock of a small box may be wrong. One that was never set (before 2020) names no month: what is spent then counts in
the month that follows. A month earlier than the one held is treated as the one held, so a clock that steps back, or
starts at the age of the image, never gives the budget back. Only after a day there is the earlier month believed (the
held one came from a clock far ahead and would else last for years), and even then what was used stays used.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, inf, log2

from probes.errors import MisuseError
from probes.reading import BudgetReading

_FIRST_YEAR, _LAST_YEAR = 2020, 2099  # a clock outside was never set
_SET_FROM_S = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()
_SET_UNTIL_S = datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()
_NAME = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_BELIEVED_AFTER_S = 86_400.0
SLOWEST_CALM_S = 30.0
"""A standby must be known to be alive within a minute or two, whatever it costs: for `most_stretch`."""
_LONGEST_MONTH_S = 31 * 86_400.0
_STEPS_AN_OCTAVE = 4  # the pace changes by a fifth or not at all
_RELEASE = 1.5  # and quickens again only once there is this much to spare, or every probe would change it


@dataclass(frozen=True, slots=True)
class Spent:
    """What outlives a restart."""

    month: str | None
    """"2026-11"; None: spent before the clock was ever set."""
    used_bytes: int

    def __post_init__(self) -> None:
        """Raises MisuseError for what no budget can have spent."""
        if self.used_bytes < 0 or (self.month is not None and _month_named(self.month) is None):
            raise MisuseError(f"no budget spent {self.used_bytes} bytes in {self.month!r}")


@dataclass(frozen=True, slots=True)
class _Month:
    name: str
    begin_s: float
    end_s: float


class Budget:
    """Told of every probe and its answer; asked by what factor to stretch the calm pace. Pure: `wall_s` is UTC."""

    def __init__(
        self, limit_bytes: int, *, calm_bps: float, most_stretch: float, spent: Spent = Spent(None, 0)
    ) -> None:
        """`calm_bps`: what the calm pace costs, both ways. `most_stretch`: slowest calm interval over the usual one."""
        self.limit_bytes, self.used_bytes = limit_bytes, spent.used_bytes
        self._calm_bytes_per_s, self._most = calm_bps / 8, max(1.0, most_stretch)
        self._month = None if spent.month is None else _month_named(spent.month)
        self._behind_s: float | None = None
        self._stretch = 1.0

    def spend(self, size_bytes: int, wall_s: float) -> None:
        """A packet of ours was sent, or an answer came."""
        self._turn(wall_s)
        self.used_bytes += size_bytes

    def stretch(self, wall_s: float) -> float:
        """From 1 to `most_stretch`: the calm interval times this lasts until the month ends."""
        self._turn(wall_s)
        wanted = self._wanted(wall_s)
        if not self._stretch / _RELEASE <= wanted <= self._stretch:
            self._stretch = min(self._most, _stepped(wanted))
        return self._stretch

    def reading(self, wall_s: float) -> BudgetReading:
        stretched = self.stretch(wall_s) > 1
        month = "" if self._month is None else self._month.name
        return BudgetReading(month, self.limit_bytes, self.used_bytes, stretched)

    @property
    def over(self) -> bool:
        """Whether it is used up; probing goes on all the same."""
        return self.used_bytes >= self.limit_bytes

    @property
    def spent(self) -> Spent:
        return Spent(None if self._month is None else self._month.name, self.used_bytes)

    def _wanted(self, wall_s: float) -> float:
        if self.over:
            return inf
        return self._calm_bytes_per_s * self._left_s(wall_s) / (self.limit_bytes - self.used_bytes)

    def _left_s(self, wall_s: float) -> float:
        """Of the month; all of it where the clock does not say."""
        month = self._month
        if month is None:
            return _LONGEST_MONTH_S
        return month.end_s - (wall_s if month.begin_s <= wall_s < month.end_s else month.begin_s)

    def _turn(self, wall_s: float) -> None:
        held = self._month
        if held is not None and held.begin_s <= wall_s < held.end_s:
            self._behind_s = None
        elif not _SET_FROM_S <= wall_s < _SET_UNTIL_S:
            return
        elif held is None:
            self._month = _month_at(wall_s)
        elif wall_s >= held.end_s:
            self._month, self._behind_s = _month_at(wall_s), None
            self.used_bytes, self._stretch = 0, 1.0
        else:
            self._step_back(wall_s)

    def _step_back(self, wall_s: float) -> None:
        if self._behind_s is None or wall_s < self._behind_s:
            self._behind_s = wall_s
        if wall_s - self._behind_s >= _BELIEVED_AFTER_S:
            self._month, self._behind_s = _month_at(wall_s), None


def _stepped(factor: float) -> float:
    """The next of 1, 1.19, 1.41, 1.68, 2, … that is not below."""
    if factor <= 1 or factor == inf:
        return max(1.0, factor)
    return float(2 ** (ceil(_STEPS_AN_OCTAVE * log2(factor)) / _STEPS_AN_OCTAVE))


def _month_at(wall_s: float) -> _Month:
    at = datetime.fromtimestamp(wall_s, UTC)
    return _month(at.year, at.month)


def _month_named(name: str) -> _Month | None:
    """None for what is no month of a clock that was set."""
    if not _NAME.fullmatch(name):
        return None
    year, month = int(name[:4]), int(name[5:])
    return _month(year, month) if _FIRST_YEAR <= year <= _LAST_YEAR else None


def _month(year: int, month: int) -> _Month:
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    begin, end = datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)
    return _Month(f"{year}-{month:02}", begin.timestamp(), end.timestamp())
