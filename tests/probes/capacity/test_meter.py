"""One link's own measurements, against a far end on loopback: with leave, one at a time, and never against users."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from probes.capacity.meter import CapacityMeter, Outcome, Permit
from probes.capacity.server import CapacityServer
from probes.capacity.settings import CapacitySettings
from probes.line_reading import MeasureFailed, MeasureTrouble, Method
from probes.prober import Pin
from probes.reading import Direction

KEY = b"a key of the tests alone"


@asynccontextmanager
async def meter(
    folder: Path, permit: Permit, *, busy: list[bool], turn: asyncio.Lock | None = None, spent: list[int] | None = None
) -> AsyncIterator[tuple[CapacityMeter, list[Outcome]]]:
    """A meter and what it emits; `busy[0]` is whether users need the line."""
    key_file = folder / "key"
    key_file.write_bytes(KEY)
    server = CapacityServer("127.0.0.1", 0, KEY)
    settings = CapacitySettings.model_validate(
        {"address": "127.0.0.1", "port": server.address[1], "key_file": key_file, "train_bytes_max": 100_000}
    )
    emitted: list[Outcome] = []
    made = CapacityMeter(
        "fiber",
        Pin(ip_address("127.0.0.1")),
        settings,
        emitted.append,
        permit=permit,
        users=lambda: busy[0],
        turn=turn or asyncio.Lock(),
        by_itself=False,
        spent=(spent if spent is not None else []).append,
    )
    running = asyncio.create_task(made.run())
    try:
        yield made, emitted
    finally:
        running.cancel()
        await server.close()


async def test_both_directions_are_measured_and_charged(tmp_path: Path) -> None:
    spent: list[int] = []
    async with meter(tmp_path, Permit(trains=True), busy=[False], spent=spent) as (made, emitted):
        await made.measure(Method.TRAIN)
    assert [each.direction for each in emitted] == [Direction.UP, Direction.DOWN]
    assert all(each.method is Method.TRAIN for each in emitted)
    assert spent == [each.spent_bytes for each in emitted]
    assert min(spent) > 1500


@pytest.mark.parametrize(
    ("permit", "busy"), [(Permit(), False), (Permit(ramps=True), False), (Permit(trains=True), True)]
)
async def test_nothing_is_sent_without_leave_or_while_users_need_the_line(
    permit: Permit, busy: bool, tmp_path: Path
) -> None:
    async with meter(tmp_path, permit, busy=[busy]) as (made, emitted):
        await made.measure(Method.TRAIN)
    assert [(type(each), each.spent_bytes) for each in emitted] == [(MeasureFailed, 0)] * 2
    assert all(isinstance(each, MeasureFailed) and each.why is MeasureTrouble.USERS_HURT for each in emitted)


async def test_leave_that_is_withdrawn_ends_a_train_under_way(tmp_path: Path) -> None:
    permit, spent = Permit(trains=True), list[int]()
    async with meter(tmp_path, permit, busy=[False], spent=spent) as (made, emitted):
        measuring = asyncio.create_task(made.measure(Method.TRAIN))
        await asyncio.sleep(0.5)  # past the looks before it, within the echoes of the first direction
        permit.trains = False
        await measuring
    last = emitted[-1]
    assert isinstance(last, MeasureFailed)
    assert (last.direction, last.why) == (Direction.DOWN, MeasureTrouble.USERS_HURT)


async def test_two_links_wait_for_each_other(tmp_path: Path) -> None:
    turn = asyncio.Lock()
    async with meter(tmp_path, Permit(trains=True), busy=[False], turn=turn) as (made, emitted):
        await turn.acquire()  # the other link's measurement
        assert made.ask(Method.TRAIN)
        await asyncio.sleep(0.1)
        assert emitted == []
        turn.release()
        async with asyncio.timeout(30):
            while len(emitted) < 2:
                await asyncio.sleep(0.02)


async def test_more_than_can_wait_is_refused(tmp_path: Path) -> None:
    turn = asyncio.Lock()
    async with turn, meter(tmp_path, Permit(trains=True), busy=[False], turn=turn) as (made, _):
        assert [made.ask(Method.TRAIN) for _ in range(6)].count(False) >= 1


async def test_a_sample_waits_for_leave(tmp_path: Path) -> None:
    permit = Permit()
    async with meter(tmp_path, permit, busy=[False]) as (made, emitted):
        sampling = asyncio.create_task(made.sample())
        await asyncio.sleep(0.1)
        assert emitted == []
        permit.trains = True
        assert len(await sampling) == 2
