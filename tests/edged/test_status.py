"""What is retained at the broker changes with states, not with every figure."""

from dataclasses import replace
from pathlib import Path

from edged.config import load
from edged.core.events import Json
from edged.core.observations import Act
from edged.core.state import LinkState
from edged.record.recorded import DiskCause, Head, RecordStatus
from edged.status import Status
from probes.reading import BudgetReading, LinkReading, Verdict
from tests.edged.core.room import SITE, Room, calm_room
from tests.edged.core.test_link_snapshot import FULL
from tests.edged.record.scene import FixedClock

EXAMPLE = Path(__file__).parents[2] / "config" / "edged.toml"
RECORD = RecordStatus(True, DiskCause.NONE, (Head("s", 42, 40),), 2, 0, 0, 42, 0, 0, 0, 0)


def links(reading: LinkReading) -> Json:
    room = calm_room()
    state = replace(room.state, links={**room.state.links, reading.link: LinkState(reading)})
    status = Status(load(EXAMPLE), FixedClock(), "b00t", plan=SITE, state=lambda: state, record=lambda: RECORD)
    return status.things()["links"]


def test_figures_that_move_by_themselves_change_no_snapshot() -> None:
    assert FULL.evidence is not None
    later = replace(
        FULL,
        at_s=101.5,
        rtt_s=0.030,
        rtt_min_s=0.029,
        rtt_p95_s=0.031,
        rtt_p99_s=0.032,
        jitter_s=0.001,
        loss_pct=0.0,
        sent=59,
        lost=0,
        burst_mean=None,
        burst_longest=0,
        mos=4.4,
        pace="alert",
        ways=tuple(replace(way, loss_pct=0.0, delay_above_s=0.0, jitter_s=0.001) for way in FULL.ways),
        evidence=replace(FULL.evidence, nats=0.0, misses=0, pi=0.01, q=0.3),
        budget=BudgetReading("2026-11", 20_000_000, 3_200_000, stretched=True),
    )
    assert links(later) == links(FULL)


def test_a_direction_that_begins_to_lose_and_a_budget_used_up_do() -> None:
    well = replace(FULL, ways=tuple(replace(way, lossy=False) for way in FULL.ways))
    over = replace(FULL, budget=BudgetReading("2026-11", 20_000_000, 20_000_000, stretched=True))
    assert links(well) != links(FULL) != links(over)


def things(room: Room) -> dict[str, Json]:
    clock = FixedClock(room.now)
    status = Status(load(EXAMPLE), clock, "b00t", plan=SITE, state=lambda: room.state, record=lambda: RECORD)
    return status.things()


def test_a_room_that_only_grows_older_looks_the_same() -> None:
    room = calm_room().link("fiber", Verdict.DOWN).router("1")
    room.wait(20)
    looks = things(room)
    room.media(loss_pct=0.4).phone(True).wait(5)
    assert things(room) == looks
    assert {"rooms", "session", "incidents", "alarms"} <= looks.keys()


def test_of_a_shelved_alarm_it_is_told_that_it_is_and_not_for_how_long() -> None:
    room = calm_room().link("fiber", Verdict.DOWN)
    room.wait(2)
    before = things(room)["alarms"]
    room.act(Act.SHELVED, subject="link.down fiber", for_s=60.0).wait(1)
    after = things(room)["alarms"]
    told = [{(each["alarm"], each["shelved"]) for each in alarms} for alarms in (before, after)]  # type: ignore
    assert told == [{("link.down fiber", False)}, {("link.down fiber", True)}]
    assert "shelved_for_s" not in str(after)


def test_what_is_not_there_is_not_retained() -> None:
    assert not {"drill", "mobile"} & things(calm_room()).keys()
    assert "drill" in things(drilling())


def drilling() -> Room:
    return calm_room(session=False).act(Act.DRILL_STARTED)
