"""Recorded before acted on; one order; the watchdog fed only by a judged tick; the past taken up again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from edged.clock import ClockQuality
from edged.core.effects import Effect, ShapeFor
from edged.core.events import Event
from edged.core.observations import Act, PersonActed, Reason, RecordReading
from edged.judging import Judging
from tests.edged.core.room import SITE
from wan.reading import ActiveWanChanged


@dataclass
class SetClock:
    now_s: float = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return 1_700_000_000 + self.now_s

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED


@dataclass
class Diary:
    """A recorder that notes in which order things happened."""

    order: list[str] = field(default_factory=list)
    blob: bytes | None = None
    incidents: int = 0

    async def append(self, events: Sequence[Event], checkpoint: bytes | None = None) -> None:
        await asyncio.sleep(0)
        self.blob = checkpoint
        self.order += [f"recorded {event.name}" for event in events]

    async def checkpoint(self) -> bytes | None:
        return self.blob

    async def last_incident(self) -> int:
        return self.incidents


@asynccontextmanager
async def judging(diary: Diary, clock: SetClock) -> AsyncIterator[Judging]:
    def act(effect: Effect) -> None:
        diary.order.append(f"did {type(effect).__name__}")

    house = Judging(SITE, diary, clock, boot_id="b", act=act, ticked=lambda: diary.order.append("ticked"))
    await house.resume()
    task = asyncio.create_task(house.run())
    yield house
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_an_event_is_recorded_before_its_effect_runs() -> None:
    diary = Diary()
    async with judging(diary, SetClock()) as house:
        await house.submit(ActiveWanChanged("router", 100.0, None, "0"))
        diary.order.clear()
        await house.submit(ActiveWanChanged("router", 100.0, "0", "1"))
    assert diary.order.index("recorded wan.failover") < diary.order.index(f"did {ShapeFor.__name__}")


async def test_only_a_judged_tick_feeds_the_watchdog() -> None:
    diary = Diary()
    async with judging(diary, SetClock()) as house:
        await house.submit(PersonActed(100.0, Act.SESSION_OPENED, "t", "operate", Reason.DRILL, "s-1"))
    assert diary.order.count("ticked") == 1  # the tick of the start; the act fed nothing
    assert "recorded act.session_opened" in diary.order


async def test_the_next_daemon_goes_on_where_this_one_was_killed() -> None:
    diary, clock = Diary(), SetClock()
    async with judging(diary, clock) as house:
        await house.submit(PersonActed(100.0, Act.SESSION_OPENED, "t", "operate", Reason.DRILL, "s-1"))
    clock.now_s += 5
    async with judging(diary, clock) as again:
        assert again.state.session is not None
        assert again.state.session.id == "s-1"


async def test_an_unreadable_past_is_left_behind() -> None:
    diary = Diary(blob=b"\x00rubbish")
    async with judging(diary, SetClock()) as house:
        assert house.state.session is None
        assert await house.submit(PersonActed(100.0, Act.SESSION_OPENED, "t", "operate", Reason.DRILL, "s-1"))


@pytest.mark.parametrize("blob", [None, b"\x00rubbish"])
async def test_without_its_past_no_incident_gets_a_number_the_record_has_given_already(blob: bytes | None) -> None:
    async with judging(Diary(blob=blob, incidents=41), SetClock()) as house:
        raised = await house.submit(RecordReading(100.0, durable=False, error="io"))
        assert [event.data["number"] for event in raised if event.name == "incident.opened"] == [42]


async def test_more_facts_than_the_queue_holds_are_dropped_and_not_fatal() -> None:
    house = Judging(SITE, Diary(), SetClock(), boot_id="b", act=lambda _: None, ticked=lambda: None)
    for _ in range(5000):
        house.tell(ActiveWanChanged("router", 100.0, None, "0"))
