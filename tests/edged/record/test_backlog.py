from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from edged.record import backlog as room
from edged.record import batch
from edged.record.backlog import LIVE_S, MEMORY_FULL, MEMORY_S, Backlog, BacklogSettings, Measurement
from edged.record.errors import RecordMisused
from edged.record.recorded import Gone, Tombstone
from tests.edged.record.backlog_scene import SETTINGS, Accounts, open_backlog, passed, shapers, upses
from tests.edged.record.scene import ORIGIN, FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


async def measured(backlog: Backlog, clock: FixedClock, count: int, kind: str = "ups") -> None:
    """One every ten seconds, the first at once; given to the disk as far as it is due."""
    for n in range(count):
        backlog.put(kind, upses(n) if kind == "ups" else shapers())
        await backlog.batches(0)
        passed(clock, 10)


def taken(backlog: Backlog, clock: FixedClock) -> list[Measurement]:
    return [found[0] for found in iter(lambda: backlog.take(clock.monotonic()), None)]


async def numbers(backlog: Backlog) -> list[list[int]]:
    return [[member["sequence"] for member in batch.unpack(each.body)] for each in await backlog.batches(1000)]


# ── live ───────────────────────────────────────────────────────────────────────────────────────────────
async def test_what_is_taken_and_delivered_never_sees_the_disk(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    for n in range(1, 100):
        backlog.put("ups", upses(n))
        await backlog.batches(0)
        (measurement,) = taken(backlog, clock)
        assert (measurement.kind, measurement.sequence, measurement.at.monotonic_s) == ("ups", n, clock.monotonic_s)
        backlog.delivered(measurement)
        passed(clock, 10)
    assert await backlog.batches(10) == []
    assert backlog.status().waiting == 0
    await backlog.close()


async def test_a_message_is_spelled_once_with_its_name_in_it(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    backlog.put("ups", upses(1))
    backlog.put("qos", shapers())
    backlog.put("ups", upses(3))
    await backlog.batches(0)
    found = taken(backlog, clock)
    assert [(each.kind, each.sequence) for each in found] == [("ups", 1), ("qos", 1), ("ups", 2)]
    assert found[0].stream == found[2].stream != found[1].stream
    (member,) = batch.unpack(batch.pack([found[2].body]))
    assert (member["type"], member["stream"], member["sequence"]) == ("edge.tel.ups.v1", found[2].stream, 2)
    assert member["data"] == upses(3)
    assert "first" not in member
    await backlog.close()


async def test_what_is_older_than_five_minutes_is_no_news(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    backlog.put("ups", upses())
    await backlog.batches(0)
    assert backlog.take(clock.monotonic() + LIVE_S) is None
    found = backlog.take(clock.monotonic() + 100.5)
    assert found
    assert found[1] == 199
    await backlog.close()


async def test_no_number_is_told_before_the_disk_knows_its_stream(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    told: list[bool] = []
    backlog.watch(lambda: told.append(backlog.take(clock.monotonic()) is not None))
    backlog.put("ups", upses())
    assert told == [False]
    await backlog.batches(0)
    assert told == [False, True]
    await backlog.close()


async def test_what_came_back_from_a_connection_is_taken_again_in_order(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    await measured(backlog, clock, 5)
    first = taken(backlog, clock)
    for each in (first[3], first[1], first[2]):
        backlog.returned(each)
    backlog.delivered(first[0])
    backlog.delivered(first[4])
    assert backlog.status().waiting == 3
    assert [each.sequence for each in taken(backlog, clock)] == [2, 3, 4]
    await backlog.close()


# ── to the disk ────────────────────────────────────────────────────────────────────────────────────────
async def test_what_nobody_took_for_a_minute_is_one_batch_of_each_kind(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    for _ in range(6):
        await measured(backlog, clock, 1, "ups")
        await measured(backlog, clock, 1, "qos")
    assert MEMORY_S <= 120
    found = await backlog.batches(10)
    kinds = [{member["type"] for member in batch.unpack(each.body)} for each in found]
    assert kinds == [{"edge.tel.ups.v1"}, {"edge.tel.qos.v1"}]
    assert [each.messages for each in found] == [4, 3]  # of the minute that was over with the seventh
    assert taken(backlog, clock) != []
    await backlog.close()


async def test_sixty_that_wait_are_written_at_once(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    for _ in range(MEMORY_FULL):
        backlog.put("ups", upses())
    assert await numbers(backlog) == [list(range(1, MEMORY_FULL + 1))]
    assert backlog.status().waiting == 0
    await backlog.close()


async def test_what_comes_back_too_late_to_be_live_comes_in_a_batch(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    await measured(backlog, clock, 4)
    flying = taken(backlog, clock)
    passed(clock, 400)
    for each in flying:
        backlog.returned(each)
    assert taken(backlog, clock) == []
    await measured(backlog, clock, 1)
    assert await numbers(backlog) == [[1, 2, 3, 4, 5]]
    await backlog.close()


async def test_a_hole_where_one_was_delivered_parts_two_batches(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    await measured(backlog, clock, 5)
    flying = taken(backlog, clock)
    backlog.delivered(flying.pop(2))
    for each in flying:
        backlog.returned(each)
    passed(clock, 60)
    await measured(backlog, clock, 1)
    assert await numbers(backlog) == [[1, 2], [4, 5, 6]]
    await backlog.close()


async def test_batches_come_the_oldest_first_until_they_are_settled(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    await measured(backlog, clock, 50)
    first, second, *_ = await backlog.batches(10)
    assert await backlog.batches(1) == [first]
    await backlog.settled(first.number)
    assert (await backlog.batches(1)) == [second]
    await backlog.settled(first.number)  # once more does no harm
    assert (await backlog.batches(1)) == [second]
    await backlog.close()


# ── one life after the other ───────────────────────────────────────────────────────────────────────────
async def test_closing_writes_the_rest_and_owes_nothing(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    await measured(backlog, clock, 3)
    assert backlog.take(clock.monotonic())  # on its way when the daemon stops
    await backlog.close()
    await backlog.close()
    again = await open_backlog(tmp_path, clock)
    assert await numbers(again) == [[1, 2, 3]]
    assert again.tombstones() == []
    await measured(again, clock, 7)
    assert [each[0] for each in await numbers(again)] == [1, 1], "a new life has a stream of its own"
    await again.close()


async def test_after_close_nothing_may_be_put(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock)
    await backlog.close()
    with pytest.raises(RecordMisused):
        backlog.put("ups", upses())
    with pytest.raises(RecordMisused):
        await backlog.batches(1)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """A life that only ends when the executor does: as if the daemon had been killed, nothing was closed."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


async def test_a_life_that_was_not_closed_ends_in_a_tombstone(
    tmp_path: Path, clock: FixedClock, threads: ThreadPoolExecutor
) -> None:
    crashed = await Backlog.open(tmp_path, origin=ORIGIN, clock=clock, settings=SETTINGS, thread=threads)
    await measured(crashed, clock, 5)
    sent = taken(crashed, clock)
    for each in sent[:2]:
        crashed.delivered(each)  # 3, 4 and 5 are never answered
    await measured(crashed, clock, 8)  # 6 to 12 are written, 13 is not
    assert await numbers(crashed) == [list(range(6, 13))]

    again = await open_backlog(tmp_path, clock)
    stream = sent[0].stream
    graves = [Tombstone(stream, 3, 5, Gone.CRASH), Tombstone(stream, 13, None, Gone.CRASH)]
    assert again.tombstones() == graves
    await again.told(graves)
    assert again.tombstones() == []
    assert again.why_gone(stream, 1, 20) == [graves[0], Tombstone(stream, 13, 20, Gone.CRASH)]
    await again.close()
    later = await open_backlog(tmp_path, clock)
    assert later.tombstones() == [], "told once"
    assert later.why_gone(stream, 4, 4) == [Tombstone(stream, 4, 4, Gone.CRASH)]
    await later.close()


async def test_what_was_not_told_is_told_in_the_next_life(tmp_path: Path, clock: FixedClock) -> None:
    backlog = await open_backlog(tmp_path, clock, SETTINGS.model_copy(update={"keep_days": 0.1}))
    await measured(backlog, clock, 7)
    passed(clock, 9000)
    await measured(backlog, clock, 1)
    (grave,) = backlog.tombstones()
    assert (grave.first, grave.last, grave.why) == (1, 7, Gone.EXPIRED)
    assert backlog.status().evicted == 7
    await backlog.close()
    again = await open_backlog(tmp_path, clock)
    assert again.tombstones() == [grave]
    await again.close()


# ── bounds ─────────────────────────────────────────────────────────────────────────────────────────────
async def test_what_is_not_fresh_is_downsampled_in_the_background(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "GENTLY_S", 0.0)
    backlog = await open_backlog(tmp_path, clock, BacklogSettings(full_h=1, floor_mib=0))
    await measured(backlog, clock, 6 * 150)
    for _ in range(100):
        await backlog.batches(0)
    found = await backlog.batches(1000)
    members = [member for each in found for member in batch.unpack(each.body)]
    coarse = [(member["first"], member["sequence"]) for member in members if "first" in member]
    assert coarse[0][0] == 1
    assert all(after[0] == before[1] + 1 for before, after in pairwise(coarse))
    assert 6 * 60 <= coarse[-1][1] <= 6 * 90, "an hour is whole, what is older is not"
    assert {last - first + 1 for first, last in coarse[1:]} <= {5, 6, 7}
    assert backlog.status().downsampled == coarse[-1][1]
    assert Accounts().take(found).missing(members[0]["stream"], members[-1]["sequence"]) == []
    await backlog.close()


async def test_memory_is_bounded_while_the_disk_has_no_room(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MEMORY_MESSAGES", 100)
    backlog = await open_backlog(tmp_path, clock, BacklogSettings(floor_mib=1 << 20))  # a tebibyte nobody has free
    await measured(backlog, clock, 140)
    status = backlog.status()
    assert (status.durable, status.cause.value, status.waiting) == (False, "full", 100)
    assert status.evicted == 40
    (grave,) = backlog.tombstones()
    assert (grave.first, grave.last, grave.why) == (1, 40, Gone.EVICTED)
    await backlog.close()
