"""What becomes of batches on the disk: tables of (what there is, when) → what is done next."""

from dataclasses import replace

import pytest

from edged.clock import ClockQuality
from edged.record.backlog_settings import BacklogSettings
from edged.record.backlog_steps import (
    RESERVE_BYTES,
    TOGETHER,
    Delete,
    Fold,
    Join,
    Kept,
    Step,
    age_s,
    limit_bytes,
    next_step,
)
from edged.record.envelope import Stamp
from edged.record.recorded import Gone

MIB = 1 << 20
SETTINGS = BacklogSettings()
NOW = Stamp(1_767_225_600.0, 10 * 86_400.0, ClockQuality.SYNCED, "boot")


def ago(age: float) -> Stamp:
    return NOW.at(NOW.monotonic_s - age)


def row(number: int, age: float, *, first: int | None = None, messages: int = 6, stream: str = "a") -> Kept:
    """A minute of six messages, numbered as batches are."""
    first = 6 * number if first is None else first
    at = ago(age)
    return Kept(number, number, "links", stream, first, first + messages - 1, messages, 0, at.monotonic_s - 50, at)


def told(rows: list[Kept], every_s: int) -> list[Kept]:
    return [replace(each, every_s=every_s) for each in rows]


def decided(rows: list[Kept], *, pressed: bool = False, lent: tuple[int, ...] = ()) -> Step | None:
    return next_step(rows, SETTINGS, NOW, 0.0, pressed=pressed, lent=lent)


def minutes(count: int, newest_age: float, begin: int = 0) -> list[Kept]:
    return [row(begin + n, newest_age + 60 * (count - 1 - n)) for n in range(count)]


HOUR = 3600.0
DAY = 24 * HOUR


def test_what_is_fresh_and_together_stays() -> None:
    assert decided([]) is None
    assert decided([row(1, 10.0)]) is None
    assert decided(told(minutes(30, DAY), 60)) is None


def test_what_is_too_old_goes_first() -> None:
    rows = [row(1, 14.1 * DAY), *minutes(30, 8 * HOUR, begin=2)]
    assert decided(rows) == Delete((rows[0],), Gone.EXPIRED)


def test_what_is_not_fresh_is_told_by_the_minute_half_an_hour_in_one_message() -> None:
    rows = minutes(75, 7 * HOUR)
    found = decided(rows)
    assert isinstance(found, Fold)
    assert found.every_s == 60
    assert found.rows == tuple(rows[: len(found.rows)])
    assert 29 <= len(found.rows) <= 30


def test_a_group_waits_until_all_of_it_is_old() -> None:
    rows = [row(n, 6 * HOUR - 240 + 480 * (3 - n), first=48 * n, messages=48) for n in range(4)]
    assert [age_s(each, NOW, 0.0) > 6 * HOUR for each in rows] == [True, True, True, False]
    assert decided(rows) is None
    assert decided(rows[:3]) == Fold(tuple(rows[:3]), 60)


def test_small_batches_are_put_together_once_they_make_a_whole_one() -> None:
    assert decided(minutes(8, 60.0)) is None  # more may come
    rows = minutes(9, 60.0)
    assert decided(rows) == Join(tuple(rows[:8]))
    assert sum(each.messages for each in rows[:8]) == TOGETHER


def test_only_neighbours_of_one_stream_are_put_together() -> None:
    rows = [row(1, 300), row(2, 240), row(3, 180, stream="b", first=18), row(4, 120, first=40), row(5, 60, first=99)]
    assert decided(rows) == Join((rows[0], rows[1]))
    assert decided([row(1, 300), row(2, 240, stream="b"), row(3, 180, first=18), row(4, 120, first=40)]) is None


def test_what_is_being_sent_is_left_alone_while_there_is_room() -> None:
    rows = minutes(75, 7 * HOUR)
    found = decided(rows, lent=(0, 1))
    assert isinstance(found, Fold)
    assert found.rows[0] == rows[2]
    assert decided(rows[:2], lent=(0, 1)) is None
    assert decided(rows[:2], lent=(0, 1), pressed=True) == Fold(tuple(rows[:2]), 60)


def test_without_room_the_oldest_is_told_coarser_then_coarser_still_then_it_goes() -> None:
    rows = minutes(5, 60.0)
    assert decided(rows, pressed=True) == Fold(tuple(rows), 60)
    rows = told(rows[:2], 60) + rows[2:]
    assert decided(rows, pressed=True) == Fold(tuple(rows[2:]), 60)
    rows = told(rows, 60)
    assert decided(rows, pressed=True) == Fold(tuple(rows), 600)
    rows = told(rows, 600)
    assert decided(rows, pressed=True) == Delete((rows[0],), Gone.EVICTED)
    assert decided([], pressed=True) is None


@pytest.mark.parametrize(
    ("at", "now", "age"),
    [
        (ago(100.0), NOW, 100.0),
        (replace(ago(100.0), wall_s=0.0), NOW, 100.0),  # the wall clock was set in between
        (replace(ago(100.0), boot="earlier"), NOW, 100.0),
        (replace(ago(100.0), boot="earlier", wall_s=0.0, quality=ClockQuality.UNSET), NOW, 40.0),  # 1970 says nothing
        (replace(ago(100.0), boot="earlier"), replace(NOW, wall_s=0.0, quality=ClockQuality.UNSET), 40.0),
        (replace(ago(-9e6), boot="earlier"), NOW, 40.0),  # from the future
    ],
)
def test_the_age_is_what_a_clock_can_vouch_for(at: Stamp, now: Stamp, age: float) -> None:
    assert age_s(replace(row(1, 0.0), at=at), now, opened_s=NOW.monotonic_s - 40) == pytest.approx(age)


@pytest.mark.parametrize(
    ("pages", "free", "limit"),
    [
        (0, 9999 * MIB, 64 * MIB - 1),
        (70 * MIB, 9999 * MIB, 64 * MIB - 1),  # the bound was lowered
        (5 * MIB, 70 * MIB, 11 * MIB),
        (5 * MIB, 64 * MIB, 5 * MIB),
        (5 * MIB, 62 * MIB, 3 * MIB),  # gives back
        (5 * MIB, 1 * MIB, RESERVE_BYTES),
        (1000, 1 * MIB, 1000),  # and takes nothing more
    ],
)
def test_the_file_leaves_the_disk_its_floor(pages: int, free: int, limit: int) -> None:
    assert limit_bytes(SETTINGS, page_bytes=pages, log_bytes=1, free_bytes=free) == limit
