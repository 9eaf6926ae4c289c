"""What was found out, and when → fit, what is lacking, and when to look again; on a clock of the tests' own."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from probes.fitness import (
    Mark,
    PathProof,
    Proofs,
    fitness,
    path_due_s,
    proven,
    reading_of,
    sample_due_s,
    sampled,
    stale_at_s,
    unanswered,
)
from probes.line_reading import CapacityReading, MeasureFailed, MeasureTrouble, Method
from probes.reading import Direction
from probes.standby_settings import StandbySettings

HOUR, DAY = 3600.0, 86400.0


def settings(**given: Any) -> StandbySettings:
    return StandbySettings.model_validate({"address": "198.51.100.20", "need_up_mbit": 4, "need_down_mbit": 2} | given)


def path(at_s: float = 0, mtu_bytes: int | None = 1500, mark: Mark = Mark.KEPT) -> PathProof:
    return PathProof(at_s, mtu_bytes, mark, 46 if mark is Mark.KEPT else None)


def rate(direction: Direction, mbit: float, at_s: float = 0) -> CapacityReading:
    return CapacityReading("cellular", at_s, direction, Method.TRAIN, mbit * 1e6, mbit * 9e5, mbit * 11e5, 0.9, 500_000)


UP, DOWN = rate(Direction.UP, 5), rate(Direction.DOWN, 30)
FAILED = MeasureFailed("cellular", 0, Direction.UP, Method.TRAIN, MeasureTrouble.USERS_HURT, 10_000)
ALL = Proofs(0.0, path(), up=UP, down=DOWN, sampled_s=0)


@pytest.mark.parametrize(
    ("now_s", "proofs", "given", "sampling", "fit", "lacks"),
    [
        pytest.param(60, ALL, {}, True, True, (), id="all is well"),
        pytest.param(0, Proofs(0.0), {}, True, None, (), id="nothing was found out yet"),
        pytest.param(3 * HOUR, Proofs(0.0), {}, True, False, ("stale",), id="nothing ever was"),
        pytest.param(60, Proofs(0.0, silent=1), {}, True, False, ("no_answer",), id="nobody answers"),
        pytest.param(60, replace(ALL, silent=1), {}, True, False, ("no_answer",), id="nobody answers any more"),
        pytest.param(60, replace(ALL, path=path(mtu_bytes=1499)), {}, True, False, ("mtu",), id="too small"),
        pytest.param(
            60, replace(ALL, path=path(mtu_bytes=1400)), {"mtu_bytes": 1400}, True, True, (), id="large enough"
        ),
        pytest.param(60, replace(ALL, path=path(mtu_bytes=None)), {}, True, None, (), id="a size that is not known"),
        pytest.param(60, replace(ALL, path=path(mark=Mark.CHANGED)), {}, True, False, ("dscp",), id="mark cleared"),
        pytest.param(60, replace(ALL, path=path(mark=Mark.DROPPED)), {}, True, False, ("dscp",), id="mark dropped"),
        pytest.param(60, replace(ALL, path=path(mark=Mark.UNKNOWN)), {}, True, True, (), id="a reflector without TLVs"),
        pytest.param(
            60,
            replace(ALL, path=path(mark=Mark.CHANGED)),
            {"dscp_needed": False},
            True,
            True,
            (),
            id="mark cleared, not needed",
        ),
        pytest.param(
            60, replace(ALL, up=rate(Direction.UP, 3.9)), {}, True, False, ("up_rate",), id="too slow upstream"
        ),
        pytest.param(
            60, replace(ALL, down=rate(Direction.DOWN, 1)), {}, True, False, ("down_rate",), id="too slow downstream"
        ),
        pytest.param(
            60,
            replace(ALL, up=rate(Direction.UP, 1)),
            {"need_up_mbit": None},
            True,
            True,
            (),
            id="slow where nobody minds",
        ),
        pytest.param(60, replace(ALL, up=None), {}, True, None, (), id="one direction was never measured"),
        pytest.param(60, replace(ALL, up=None, down=None), {}, False, True, (), id="capacity is no part of it"),
        pytest.param(3 * HOUR - 1, ALL, {}, True, True, (), id="just young enough"),
        pytest.param(3 * HOUR, ALL, {}, True, False, ("stale",), id="too old"),
        pytest.param(
            10 * DAY, replace(ALL, path=path(10 * DAY - 60)), {}, True, False, ("stale",), id="the sample is too old"
        ),
        pytest.param(
            10 * DAY, replace(ALL, path=path(10 * DAY - 60)), {}, False, True, (), id="an old sample nobody needs"
        ),
        pytest.param(
            3 * HOUR,
            replace(ALL, path=path(0, 1400, Mark.CHANGED), silent=2, up=rate(Direction.UP, 1), down=None),
            {},
            True,
            False,
            ("no_answer", "mtu", "dscp", "up_rate", "stale"),
            id="everything at once",
        ),
    ],
)
def test_what_a_standby_lacks(
    now_s: float, proofs: Proofs, given: dict[str, Any], sampling: bool, fit: bool | None, lacks: tuple[str, ...]
) -> None:
    judged = fitness(settings(**given), proofs, now_s, sampling=sampling)
    assert (judged.fit, judged.lacks) == (fit, lacks)


@pytest.mark.parametrize(
    ("proofs", "sampling", "proven_s"),
    [
        (Proofs(0.0), True, None),
        (replace(ALL, path=path(50)), True, 0),
        (replace(ALL, path=path(50)), False, 50),
        (replace(ALL, path=path(50), down=None), True, None),
        (replace(ALL, path=path(50), up=rate(Direction.UP, 5, 70), down=rate(Direction.DOWN, 5, 60)), True, 50),
    ],
)
def test_a_proof_is_as_old_as_its_oldest_part(proofs: Proofs, sampling: bool, proven_s: float | None) -> None:
    assert fitness(settings(), proofs, 100, sampling=sampling).proven_s == proven_s


def test_it_grows_stale_by_its_first_part_that_does() -> None:
    assert stale_at_s(settings(), Proofs(100.0), sampling=True) == 100 + 3 * HOUR
    assert stale_at_s(settings(), replace(ALL, path=path(50)), sampling=True) == 50 + 3 * HOUR
    older = replace(ALL, path=path(10 * DAY - HOUR))
    assert stale_at_s(settings(), older, sampling=True) == 10 * DAY
    assert stale_at_s(settings(), older, sampling=False) == 10 * DAY + 2 * HOUR


def test_a_healthy_link_is_proven_again_before_its_proof_is_too_old() -> None:
    due_s = path_due_s(settings(), ALL, 0, 1.0)
    assert due_s == 2 * HOUR < stale_at_s(settings(), ALL, sampling=False)
    assert sample_due_s(settings(), ALL, 1.0) == 7 * DAY < 10 * DAY


def test_a_silent_link_is_asked_ever_later_up_to_every_quarter_of_an_hour() -> None:
    proofs, waits = Proofs(0.0), []
    for _ in range(8):
        proofs = unanswered(proofs)
        waits.append(path_due_s(settings(), proofs, 1000, 1.0) - 1000)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert path_due_s(settings(), proofs, 1000, 0.0) == 1000 + 675
    assert path_due_s(settings(every_s=60), proofs, 1000, 1.0) == 1060


def test_a_poor_link_is_proven_sooner_and_ever_later_up_to_the_ordinary() -> None:
    proofs, waits = ALL, []
    for _ in range(10):
        proofs = proven(settings(), proofs, path(mtu_bytes=1400))
        waits.append(path_due_s(settings(), proofs, 0, 1.0))
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3840, 7200, 7200]
    assert proven(settings(), proofs, path()).poor == 0
    assert path_due_s(settings(), unanswered(proofs), 0, 1.0) == 30


def test_however_often_it_fails_there_is_a_next_time() -> None:
    assert path_due_s(settings(), replace(ALL, silent=10**6, poor=10**6), 0, 0.5) > 0
    assert sample_due_s(settings(), replace(ALL, sample_fails=10**6), 0.5) > 0


@pytest.mark.parametrize(
    ("found", "fails"),
    [((UP, DOWN), 0), ((FAILED, DOWN), 1), ((UP,), 1), ((), 1), ((rate(Direction.UP, 1), DOWN), 1)],
)
def test_a_sample_succeeds_where_it_shows_all_that_is_needed(found: tuple[Any, ...], fails: int) -> None:
    after = sampled(settings(), replace(ALL, up=None, down=None), found, 500)
    assert (after.sample_fails, after.sampled_s) == (fails, 500)


def test_a_failed_sample_leaves_the_older_figure_and_is_taken_again_sooner() -> None:
    after = sampled(settings(), ALL, (FAILED, rate(Direction.DOWN, 20, 500)), 500)
    assert after.up is UP
    assert after.down is not None
    assert after.down.at_s == 500
    assert sample_due_s(settings(), after, 1.0) == 500 + 1800
    assert sample_due_s(settings(), replace(after, sample_fails=30), 1.0) == 500 + 7 * DAY


def test_a_reading_says_all_of_it() -> None:
    reading = reading_of("cellular", settings(), ALL, 60, sampling=True)
    assert (reading.link, reading.at_s, reading.mtu_bytes, reading.dscp_sent, reading.dscp_arrived) == (
        *("cellular", 60, 1500, 46, 46),
    )
    assert (reading.up_bps, reading.down_bps, reading.proven_s) == (5e6, 30e6, 0)
    nothing = reading_of("cellular", settings(), Proofs(0.0), 60, sampling=True)
    assert (nothing.mtu_bytes, nothing.dscp_sent, nothing.up_bps, nothing.proven_s) == (None,) * 4


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"max_age_s": 7201}, "max_age_s 7201"),
        ({"sample_every_s": DAY, "sample_max_age_s": DAY}, "sample_max_age_s 86400"),
        ({"address": "2001:db8::20", "mtu_bytes": 1200}, "mtu_bytes 1200"),
        ({"address": "noc.example.net"}, "address"),
        ({"dscp": 64}, "dscp"),
        ({"need_up_mbit": 0}, "need_up_mbit"),
        ({"key_file": "/nonexistent"}, "key_file"),
        ({"mtu": 1500}, "mtu"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        settings(**given)
