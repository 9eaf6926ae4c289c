from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import pytest

import probes.budget
from probes.budget import SLOWEST_CALM_S, Budget, Spent
from probes.errors import MisuseError
from probes.reading import BudgetReading

DAY_S = 86_400.0
PROBE_BYTES = 144  # 72 each way
CALM_BPS = 3 * PROBE_BYTES * 8.0  # three targets once a second: 37.3 MB a day
MB = 1_000_000


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def budget(limit_mb: float = 2000, *, used_mb: float = 0, month: str | None = None) -> Budget:
    spent = Spent(month, int(used_mb * MB))
    return Budget(int(limit_mb * MB), calm_bps=CALM_BPS, most_stretch=SLOWEST_CALM_S / 1.0, spent=spent)


@pytest.mark.parametrize(
    ("targets", "every_s", "for_s", "mb"),
    [
        (2, 1.0, 30 * DAY_S, 746),
        (3, 1.0, 30 * DAY_S, 1120),
        (2, SLOWEST_CALM_S, 30 * DAY_S, 25),
        (3, SLOWEST_CALM_S, 30 * DAY_S, 37),
        (3, 0.050, 3600, 31),
        (3, 0.100, 3600, 16),
    ],
)
def test_the_arithmetic_of_the_docstring(targets: int, every_s: float, for_s: float, mb: int) -> None:
    assert round(targets * PROBE_BYTES * for_s / every_s / MB) == mb
    assert str(mb) in str(probes.budget.__doc__)


@pytest.mark.parametrize(
    ("when", "limit_mb", "used_mb", "stretch"),
    [
        ("2026-11-01", 1200, 0, 1.0),  # 1120 MB are wanted
        ("2026-11-01", 1120, 0, 1.0),
        ("2026-11-01", 1000, 0, 1.189),  # 1.12 wanted: the next step
        ("2026-11-01", 560, 0, 2.0),
        ("2026-11-01", 50, 0, 22.627),
        ("2026-11-01", 20, 0, 30.0),  # cannot be kept: the slowest
        ("2026-11-16", 1000, 440, 1.0),
        ("2026-11-16", 1000, 800, 2.828),
        ("2026-11-30", 1000, 960, 1.0),  # a day is left, and enough for it
        ("2026-11-30", 1000, 999, 30.0),
        ("2026-11-30", 1000, 1000, 30.0),
        ("2026-11-30", 1000, 3000, 30.0),
        ("2026-02-01", 1100, 0, 1.0),  # 28 days
        ("2028-02-01", 1100, 0, 1.0),  # 29
        ("2026-12-31T23:59:59", 1000, 999.999, 1.0),
    ],
)
def test_the_calm_pace_is_stretched_so_that_the_month_suffices(
    when: str, limit_mb: float, used_mb: float, stretch: float
) -> None:
    held = budget(limit_mb, used_mb=used_mb, month=when[:7])
    assert held.stretch(at(when)) == pytest.approx(stretch, abs=0.001)


@dataclass
class Month:
    """A line probed at the stretched calm pace, hour by hour."""

    held: Budget
    wall_s: float

    def hours(self, count: float, *, extra_mb: float = 0) -> list[float]:
        paces = []
        for _ in range(int(count)):
            stretch = self.held.stretch(self.wall_s)
            paces.append(stretch)
            self.held.spend(int(CALM_BPS / 8 * 3600 / stretch + extra_mb * MB), self.wall_s)
            self.wall_s += 3600
        return paces


@pytest.mark.parametrize("limit_mb", [60, 100, 300, 800, 1100])
def test_a_month_at_the_stretched_pace_keeps_within_the_limit_and_uses_most_of_it(limit_mb: float) -> None:
    month = Month(budget(limit_mb), at("2026-11-01"))
    month.hours(30 * 24 - 1)
    assert 0.6 * limit_mb * MB < month.held.used_bytes <= limit_mb * MB


def test_the_pace_changes_a_few_times_a_month_and_not_with_every_probe() -> None:
    paces = Month(budget(400), at("2026-11-01")).hours(30 * 24 - 1)
    assert sum(before != after for before, after in pairwise(paces)) < 12


def test_sessions_are_counted_and_the_rest_of_the_month_pays_for_them() -> None:
    month = Month(budget(1200), at("2026-11-01"))
    assert month.hours(24) == 24 * [1.0]
    month.hours(10, extra_mb=31)
    assert 1 < month.hours(1)[0] <= 2
    month.hours(28 * 24)
    assert not month.held.over


def test_a_budget_used_up_is_told_and_nothing_stops() -> None:
    held = budget(10, used_mb=9.9, month="2026-11")
    now_s = at("2026-11-20")
    before = held.over
    held.spend(MB, now_s)
    assert (before, held.over) == (False, True)
    assert held.reading(now_s) == BudgetReading("2026-11", 10 * MB, 10_900_000, stretched=True)
    held.spend(MB, now_s)
    assert held.used_bytes == 11_900_000


def test_a_calm_pace_that_is_the_slowest_already_is_not_stretched() -> None:
    held = Budget(1, calm_bps=CALM_BPS, most_stretch=0.5)
    assert held.stretch(at("2026-11-20")) == 1.0
    assert not held.reading(at("2026-11-20")).stretched


@pytest.mark.parametrize(
    ("walls", "month", "used_mb"),
    [
        (["2026-11-30T23:59:59", "2026-12-01T00:00:00"], "2026-12", 1),
        (["2026-12-31T23:59:59", "2027-01-01T00:00:00"], "2027-01", 1),
        (["2026-11-10", "2027-03-10"], "2027-03", 1),  # switched off for months
        (["2026-11-10", "2026-11-01", "2026-11-30"], "2026-11", 3),
        # the clock was not set yet
        (["1970-01-01", "1970-01-02"], None, 2),
        (["1970-01-01", "2026-11-10"], "2026-11", 2),
        (["2026-11-10", "1970-01-01", "2026-11-11"], "2026-11", 3),
        (["2026-11-10", "2155-01-01", "2026-11-11"], "2026-11", 3),
        # it steps back over the month's end, and forward again
        (["2026-12-01T00:00:01", "2026-11-30T23:59:50", "2026-12-01T00:00:02"], "2026-12", 3),
        # it starts at the age of the image, then is set
        (["2026-11-10", "2025-03-01", "2025-03-01T05:00", "2026-11-10T05:00"], "2026-11", 4),
        (["2026-11-10", "2025-03-01", "2025-03-01T05:00", "2026-12-01T05:00"], "2026-12", 1),
        # it was far ahead: after a day the earlier month is believed, and nothing is given back
        (["2036-02-10", "2026-11-10", "2026-11-10T23:00"], "2036-02", 3),
        (["2036-02-10", "2026-11-10", "2026-11-10T23:00", "2026-11-11T00:01"], "2026-11", 4),
        (["2036-02-10", "2026-11-10", "2026-11-10T23:00", "2026-11-11T00:01", "2026-12-01"], "2026-12", 1),
        # a clock that steps back again and again is never believed
        (["2026-11-10", "2025-03-01", "2025-03-01T23:00", "2025-02-01", "2025-02-01T23:00"], "2026-11", 5),
    ],
)
def test_months_turn_forward_and_usage_is_never_given_back_by_a_wrong_clock(
    walls: list[str], month: str | None, used_mb: int
) -> None:
    held = budget()
    for wall in walls:
        held.spend(MB, at(wall))
    assert held.spent == Spent(month, used_mb * MB)
    assert held.reading(at(walls[-1])).month == (month or "")


def test_a_clock_without_a_month_plans_for_a_whole_one() -> None:
    held = budget(600)
    assert held.stretch(0.0) == pytest.approx(2.0)  # 31 days want 1157 MB
    held = budget(600, month="2026-11")
    assert held.stretch(0.0) == pytest.approx(2.0)


def test_a_new_month_begins_at_the_usual_pace() -> None:
    held = budget(1200, used_mb=1200, month="2026-11")
    assert held.stretch(at("2026-11-30")) == 30.0
    assert held.stretch(at("2026-12-01")) == 1.0
    assert held.used_bytes == 0


@pytest.mark.parametrize("wall_s", [float("nan"), float("inf"), -1e18, 1e18])
def test_no_clock_is_an_error(wall_s: float) -> None:
    held = budget(600, month="2026-11")
    held.spend(PROBE_BYTES, wall_s)
    assert held.spent == Spent("2026-11", PROBE_BYTES)
    assert held.stretch(wall_s) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("month", "used_bytes"), [("2026-13", 0), ("1970-01", 0), ("26-1", 0), ("", 0), ("2026-11", -1), (None, -1)]
)
def test_what_cannot_have_been_spent_is_refused(month: str | None, used_bytes: int) -> None:
    with pytest.raises(MisuseError):
        Spent(month, used_bytes)
