"""How many sessions fit: N1, N2 and rule 1 as a table."""

from dataclasses import replace

import pytest

from edged.core.admission import FRESH_S, Basis, Limit, admission, needed_bps
from probes.line_reading import CapacityReading, Method
from probes.reading import Direction, Verdict
from tests.edged.core.room import SITE, calm_room


@pytest.mark.parametrize(("sessions", "mbit"), [(0, 0), (1, 6), (2, 24), (3, 36), (8, 96)])
def test_rule1_n1_n2_need_is_5_for_one_and_10_each_for_more_with_a_fifth_of_headroom(
    sessions: int, mbit: float
) -> None:
    assert needed_bps(SITE, sessions) == pytest.approx(mbit * 1e6)


@pytest.mark.parametrize(
    ("up_mbit", "down_mbit", "sessions", "limit"),
    [
        (5, 100, 0, Limit.UP),
        (6, 100, 1, Limit.UP),
        (100, 23.9, 1, Limit.DOWN),
        (24, 24.5, 2, Limit.UP),
        (95, 96, 7, Limit.UP),
    ],
)
def test_n2_the_tighter_direction_of_the_carrying_line_decides(
    up_mbit: float, down_mbit: float, sessions: int, limit: Limit
) -> None:
    room = calm_room(session=False)
    for direction, mbit in ((Direction.UP, up_mbit), (Direction.DOWN, down_mbit)):
        rate = mbit * 1e6
        room._hear(CapacityReading("fiber", room.now, direction, Method.RAMP, rate, rate, rate, 0.9, 0))
    found = admission(SITE, room.state, room.now)
    assert (found.link, found.sessions, found.limit, found.basis) == ("fiber", sessions, limit, Basis.MEASURED)
    assert found.next_needs_bps == needed_bps(SITE, sessions + 1)


def test_a_figure_too_old_gives_way_to_the_configured_rate_and_says_so() -> None:
    room = calm_room(session=False)
    for direction in Direction:
        room._hear(CapacityReading("fiber", room.now, direction, Method.TRAIN, 7e6, 7e6, 7e6, 0.9, 0))
    assert admission(SITE, room.state, room.now).sessions == 1
    later = admission(SITE, room.state, room.now + FRESH_S + 1)
    assert (later.sessions, later.basis) == (8, Basis.CONFIGURED)


def test_after_a_failover_the_backup_is_asked() -> None:
    found = admission(SITE, (room := calm_room(session=False).router("1")).state, room.now)
    assert (found.link, found.sessions) == ("cellular", 1)


def test_a_dead_line_takes_nobody_and_an_unknown_rate_promises_nothing() -> None:
    room = calm_room(session=False).link("fiber", Verdict.DOWN)
    assert admission(SITE, room.state, room.now).limit is Limit.LINE
    bare = replace(SITE, links=tuple(replace(link, up_bps=None, down_bps=None) for link in SITE.links))
    room = calm_room(bare, session=False)
    found = admission(bare, room.state, room.now)
    assert (found.sessions, found.limit) == (0, Limit.UNKNOWN)
