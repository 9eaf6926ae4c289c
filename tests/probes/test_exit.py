"""A link whose exit is known, hidden, silent or lied about; real routers, and a STUN server behind them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from probes.exit import ExitSettings, look, watch_exit
from probes.line_reading import ExitReading
from probes.prober import Pin
from tests.probes import stun_double
from tests.probes.routed_path import FAR, HOME, PINS, PROVIDER, SITE, Way, routed_path
from tests.probes.stun_double import StunServer, stun_server


@pytest.fixture(scope="module")
def standing() -> Iterator[Way]:
    with routed_path() as way:
        yield way


@pytest.fixture
def way(standing: Way) -> Iterator[Way]:
    with standing.restored():
        yield standing


@asynccontextmanager
async def far_server(
    way: Way, version: int = 4, answer: stun_double.Answer = stun_double.binding
) -> AsyncIterator[StunServer]:
    server = stun_server(answer, address=FAR[version])
    with way.at(way.far):
        told = await server.__aenter__()
    try:
        yield told
    finally:
        await server.__aexit__(None, None, None)


def settings(version: int = 4, **given: Any) -> ExitSettings:
    return ExitSettings.model_validate({"address": FAR[version], **given})


@pytest.mark.parametrize("version", [4, 6])
async def test_the_mapped_address_and_the_routers_are_told(way: Way, version: int) -> None:
    async with far_server(way, version) as server:
        reading = await look("fiber", PINS[version], settings(version, port=server.port), monotonic=lambda: 7.0)
    assert reading == ExitReading("fiber", 7.0, HOME[version], (SITE[version], PROVIDER[version]))


async def test_a_short_way_gives_the_server_only_what_it_understands(way: Way) -> None:
    async with far_server(way) as server:
        await look("fiber", PINS[4], settings(port=server.port, hops=6))
        assert len(server.requests) > 1
        assert {request[:8] for request in server.requests} == {b"\0\x01\0\0" + stun_double.COOKIE}


async def test_a_lost_request_is_asked_again(way: Way) -> None:
    def second_only(request: bytes, seen: tuple[str, int]) -> list[bytes]:
        return stun_double.binding(request, seen) if len(server.requests) > 1 else []

    async with far_server(way, answer=second_only) as server:
        reading = await look("fiber", PINS[4], settings(port=server.port, hops=2, timeout_s=0.2))
    assert reading.mapped == HOME[4]


async def test_a_server_that_answers_nothing_or_garbage_leaves_the_address_unknown(way: Way) -> None:
    def garbage(request: bytes, seen: tuple[str, int]) -> list[bytes]:
        return [b"\xff" * 80, request, b""]

    async with far_server(way, answer=lambda *_: []) as silent, far_server(way, answer=garbage) as mad:
        servers = [settings(port=server.port, timeout_s=0.1) for server in (silent, mad)]
        readings = await asyncio.gather(*(look("fiber", PINS[4], server) for server in servers))
    assert [(reading.mapped, reading.hops) for reading in readings] == [(None, (SITE[4], PROVIDER[4]))] * 2


async def test_a_server_that_declines_leaves_the_address_unknown_at_once(way: Way) -> None:
    async with far_server(way, answer=stun_double.declined) as server:
        reading = await look("fiber", PINS[4], settings(port=server.port, hops=2))
        assert len(server.requests) == 1
    assert reading.mapped is None


@pytest.mark.parametrize("pin", [Pin(interface="nosuch0"), PINS[4]], ids=["no interface", "no route"])
async def test_a_link_that_is_gone_gives_a_reading_of_nothing(way: Way, pin: Pin) -> None:
    way.lose_the_route()
    reading = await look("fiber", pin, settings(), monotonic=lambda: 7.0)
    assert reading == ExitReading("fiber", 7.0, None, ())


async def test_it_looks_at_the_start_and_when_told_and_logs_what_changed(way: Way) -> None:
    readings: asyncio.Queue[ExitReading] = asyncio.Queue()
    spent: list[int] = []
    again = asyncio.Event()
    with structlog.testing.capture_logs() as logs:
        async with far_server(way) as server:
            given = settings(port=server.port, every_s=86400)
            watch = asyncio.create_task(
                watch_exit("fiber", PINS[4], given, readings.put_nowait, again=again, spent=spent.append)
            )
            first = await readings.get()
            again.set()
            second = await readings.get()
            server.answer = lambda request, _: stun_double.binding(request, ("203.0.113.7", 9))
            again.set()
            third = await readings.get()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            assert watch.cancelled()
    assert [reading.mapped for reading in (first, second, third)] == [HOME[4], HOME[4], "203.0.113.7"]
    assert first.at_s < second.at_s < third.at_s
    assert [entry["log_level"] for entry in logs if entry["event"] == "link_exit"] == ["info", "debug", "info"]
    assert spent[0] == given.look_bytes


async def test_it_looks_again_by_itself(way: Way) -> None:
    readings: asyncio.Queue[ExitReading] = asyncio.Queue()
    clock = iter(range(0, 10**9, 20))  # every reading of the clock is 20 s later, so each look is due at once
    async with far_server(way) as server:
        given = settings(port=server.port, every_s=10)
        watch = asyncio.create_task(
            watch_exit("fiber", PINS[4], given, readings.put_nowait, monotonic=lambda: float(next(clock)))
        )
        assert [(await readings.get()).mapped for _ in range(3)] == [HOME[4]] * 3
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


@pytest.mark.parametrize(
    "given", [{"hops": 0}, {"hops": 7}, {"every_s": 9}, {"port": 0}, {"address": "stun.example.net"}, {"hosp": 3}]
)
def test_settings_that_cannot_work_are_refused_by_name(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        settings(**given)


def test_a_look_every_ten_minutes_fits_a_small_budget() -> None:
    looks_a_month = 30.4 * 24 * 6
    assert settings(4).look_bytes * looks_a_month < 0.13 * 20e6
    assert settings(6).look_bytes * looks_a_month < 0.18 * 20e6
