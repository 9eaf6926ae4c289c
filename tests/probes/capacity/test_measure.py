"""Our client against our far end over loopback, and what stops it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from probes.capacity.measure import ramp, train
from probes.capacity.server import CapacityServer
from probes.capacity.settings import CapacitySettings
from probes.errors import MisuseError
from probes.line_reading import CapacityReading, MeasureFailed, MeasureTrouble, Method
from probes.prober import Pin
from probes.reading import Direction

KEY = b"a key of the NOC"
ways = pytest.mark.parametrize("way", list(Direction))
LOOPBACK = Pin(interface="lo")


@asynccontextmanager
async def far_end(host: str = "127.0.0.1") -> AsyncIterator[CapacityServer]:
    server = CapacityServer(host, 0, KEY)
    try:
        yield server
    finally:
        await server.close()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    (tmp_path / "key").write_bytes(KEY + b"\n")
    return tmp_path / "key"


def against(server: CapacityServer, key_file: Path, **more: float) -> CapacitySettings:
    address = {"address": server.address[0], "port": server.address[1], "key_file": key_file}
    return CapacitySettings.model_validate(address | {"max_mbit": 4, **more})


def after(looks: int, then: Callable[[], object]) -> Callable[[], bool]:
    """A look at users who never come; the `looks`th does something else, which is in the middle of the load."""
    count = 0

    def hurt() -> bool:
        nonlocal count
        count += 1
        if count == looks:
            then()
        return False

    return hurt


async def until_empty(server: CapacityServer) -> None:
    async with asyncio.timeout(5):
        while server.sessions:
            await asyncio.sleep(0.01)


@ways
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_ramp_on_a_line_faster_than_it_may_go_finds_a_floor(host: str, way: Direction, key_file: Path) -> None:
    async with far_end(host) as server:
        settings = against(server, key_file)
        reading = await ramp("fiber", Pin(source=ip_address(host)), settings, way, hurt=lambda: False)
        await until_empty(server)
    assert isinstance(reading, CapacityReading)
    assert (reading.link, reading.direction, reading.method) == ("fiber", way, Method.RAMP)
    assert 1e6 < reading.rate_bps < 6e6
    assert reading.low_bps < reading.rate_bps < reading.high_bps
    assert 50_000 < reading.spent_bytes < 3_000_000


@ways
async def test_trains_on_a_line_faster_than_the_sender_are_no_figure(way: Direction, key_file: Path) -> None:
    async with far_end() as server:
        said = await train("fiber", LOOPBACK, against(server, key_file), way)
        await until_empty(server)
    # Loopback hands a packet over before the next is sent. A busy machine may make it look like a line all the same.
    assert said.method is Method.TRAIN
    assert isinstance(said, CapacityReading) or said.why is MeasureTrouble.TOO_NOISY
    assert said.spent_bytes > 9 * 16 * 1472 or isinstance(said, CapacityReading)


@ways
async def test_users_who_are_there_before_it_begins_see_no_load(way: Direction, key_file: Path) -> None:
    async with far_end() as server:
        failed = await ramp("fiber", LOOPBACK, against(server, key_file), way, hurt=lambda: True)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.USERS_HURT
    assert failed.spent_bytes < 1500


@ways
async def test_users_who_come_end_it_with_no_figure(way: Direction, key_file: Path) -> None:
    came = asyncio.Event()
    async with far_end() as server:
        hurt = after(45, came.set)  # 31 looks come before any load
        settings = against(server, key_file)
        failed = await ramp("fiber", LOOPBACK, settings, way, hurt=lambda: hurt() or came.is_set())
        await until_empty(server)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.USERS_HURT
    assert failed.spent_bytes > 1500


@ways
async def test_the_byte_budget_ends_it(way: Direction, key_file: Path) -> None:
    async with far_end() as server:
        settings = against(server, key_file, ramp_bytes_max=100_000, max_mbit=50)
        failed = await ramp("fiber", LOOPBACK, settings, way, hurt=lambda: False)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.OVER_BUDGET
    assert failed.spent_bytes < 110_000 + 300_000  # what is due at once after the longest sleep that is made good


@ways
async def test_a_far_end_that_dies_in_mid_ramp_is_silence(way: Direction, key_file: Path) -> None:
    ends: list[asyncio.Task[None]] = []
    async with far_end() as server:
        hurt = after(25, lambda: ends.append(asyncio.create_task(server.close())))
        failed = await ramp("fiber", LOOPBACK, against(server, key_file), way, hurt=hurt)
    assert len(ends) == 1
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.NO_ANSWER


@ways
async def test_cancelling_ends_the_load_at_both_ends(way: Direction, key_file: Path) -> None:
    async with far_end() as server:
        under_way = asyncio.Event()
        hurt = after(25, under_way.set)
        ramping = asyncio.create_task(ramp("fiber", LOOPBACK, against(server, key_file), way, hurt=hurt))
        await asyncio.wait_for(under_way.wait(), 5)
        assert server.sessions == 1
        ramping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ramping
        await until_empty(server)


async def test_a_wrong_key_is_told_from_a_dead_line(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"quite another key")
    async with far_end() as server:
        failed = await train("fiber", LOOPBACK, against(server, other), Direction.UP)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.NOT_AUTHORISED
    assert server.tally.opened == 0


async def test_nobody_there_is_no_answer(key_file: Path) -> None:
    async with far_end() as server:
        settings = against(server, key_file)
    failed = await train("fiber", LOOPBACK, settings, Direction.DOWN)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.NO_ANSWER


@pytest.mark.parametrize("pin", [Pin(source=ip_address("192.0.2.1")), Pin(interface="gone0")])
async def test_a_link_that_is_not_there_is_no_route(pin: Pin, key_file: Path) -> None:
    async with far_end() as server:
        failed = await ramp("fiber", pin, against(server, key_file), Direction.UP, hurt=lambda: False)
    assert failed == MeasureFailed(
        "fiber", failed.at_s, Direction.UP, Method.RAMP, MeasureTrouble.NO_ROUTE, spent_bytes=0
    )


async def test_an_unreadable_key_is_a_mistake_of_ours(tmp_path: Path) -> None:
    async with far_end() as server:
        with pytest.raises(MisuseError, match="missing"):
            await train("fiber", LOOPBACK, against(server, tmp_path / "missing"), Direction.UP)


async def test_garbage_from_the_far_ends_address_does_no_harm(key_file: Path) -> None:
    """A far end that babbles: every packet is answered with junk."""
    loop = asyncio.get_running_loop()

    asked = 0

    class Babble(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            nonlocal asked
            asked += 1
            for junk in (b"", b"eC", data, data[::-1], bytes(1472), data[:3] + b"\x06" + data[4:40]):
                self.transport.sendto(junk, addr)

    transport, _ = await loop.create_datagram_endpoint(Babble, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    settings = CapacitySettings.model_validate({"address": "127.0.0.1", "port": port, "key_file": key_file})
    failed = await ramp("fiber", LOOPBACK, settings, Direction.UP, hurt=lambda: False)
    transport.close()
    assert asked > 0
    assert isinstance(failed, MeasureFailed)
    assert failed.why in (MeasureTrouble.NO_ANSWER, MeasureTrouble.NOT_AUTHORISED)


async def test_it_leaves_no_socket_behind(key_file: Path) -> None:
    async with far_end() as server:
        await ramp("fiber", LOOPBACK, against(server, key_file), Direction.UP, hurt=lambda: True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spare:
            lowest = spare.fileno()
        await ramp("fiber", LOOPBACK, against(server, key_file), Direction.UP, hurt=lambda: True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spare:
            assert spare.fileno() == lowest


class Line(asyncio.DatagramProtocol):
    """Between the client and the far end: passes what it gets, from its `lame_after`th packet on lamely."""

    def __init__(self, far: tuple[str, int], lame_after: int, delay_s: float | None) -> None:
        self._far, self._lame_after, self._delay_s = far, lame_after, delay_s
        self._client: tuple[str, int] | None = None
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr != self._far:
            self._client = addr
        to = self._client if addr == self._far else self._far
        self._count += 1
        if self._count <= self._lame_after:
            self._transport.sendto(data, to)
        elif self._delay_s is not None:
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.sendto, data, to)


@asynccontextmanager
async def over(server: CapacityServer, *, lame_after: int, delay_s: float | None = None) -> AsyncIterator[int]:
    """The port of such a line; a delay of None is a cut."""
    far = (server.address[0], server.address[1])
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Line(far, lame_after, delay_s), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


OPENING, ECHO = 4, 2
"""Packets each takes, both ways."""


@ways
async def test_trains_wait_for_another_time_when_somebody_else_has_a_queue(way: Direction, key_file: Path) -> None:
    async with far_end() as server, over(server, lame_after=OPENING + 10 * ECHO, delay_s=0.030) as port:
        settings = against(server, key_file).model_copy(update={"port": port})
        failed = await train("fiber", LOOPBACK, settings, way)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.USERS_HURT
    assert failed.spent_bytes < 5000  # not one train was sent


async def test_a_caller_who_knows_the_idle_line_has_a_full_one_told_at_once(key_file: Path) -> None:
    async with far_end() as server, over(server, lame_after=0, delay_s=0.030) as port:
        settings = against(server, key_file).model_copy(update={"port": port})
        failed = await train("fiber", LOOPBACK, settings, Direction.UP, idle_rtt_s=0.001)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.USERS_HURT


@ways
async def test_a_line_cut_in_mid_ramp_ends_the_load_at_both_ends(way: Direction, key_file: Path) -> None:
    async with far_end() as server, over(server, lame_after=60) as port:
        settings = against(server, key_file, max_mbit=50).model_copy(update={"port": port})
        failed = await ramp("fiber", LOOPBACK, settings, way, hurt=lambda: False)
        await until_empty(server)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.NO_ANSWER


async def test_a_line_cut_between_trains_is_no_answer(key_file: Path) -> None:
    async with far_end() as server, over(server, lame_after=OPENING + 10 * ECHO) as port:
        settings = against(server, key_file).model_copy(update={"port": port})
        failed = await train("fiber", LOOPBACK, settings, Direction.UP)
    assert isinstance(failed, MeasureFailed)
    assert failed.why is MeasureTrouble.NO_ANSWER
