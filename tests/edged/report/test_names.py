import asyncio
import socket
from collections.abc import Callable
from threading import Event

import pytest

from edged.report.errors import LineDown
from edged.report.names import Names

SERVER = ("broker.example", 1883)
Resolver = Callable[..., list[object]]


def found(address: str) -> list[object]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1883))]


async def test_a_known_name_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found("192.0.2.1"))
    names, dead = Names(), Event()
    assert await names.resolve(SERVER) == [(socket.AF_INET, ("192.0.2.1", 1883))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: dead.wait(30) and [])
    try:
        async with asyncio.timeout(5):
            assert await names.resolve(SERVER) == [(socket.AF_INET, ("192.0.2.1", 1883))]
    finally:
        dead.set()


async def test_the_look_behind_a_known_name_is_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found("192.0.2.1"))
    names = Names()
    await names.resolve(SERVER)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found("192.0.2.2"))
    async with asyncio.timeout(5):
        while (await names.resolve(SERVER))[0][1][0] != "192.0.2.2":
            await asyncio.sleep(0)


async def test_a_doubted_name_is_asked_anew_and_kept_if_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found("192.0.2.1"))
    names = Names()
    await names.resolve(SERVER)
    names.doubt(SERVER)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found("192.0.2.2"))
    assert (await names.resolve(SERVER))[0][1][0] == "192.0.2.2"

    def nobody(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "no name server")

    names.doubt(SERVER)
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert (await names.resolve(SERVER))[0][1][0] == "192.0.2.2"


async def test_a_new_name_that_nobody_knows_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(LineDown, match="not known"):
        await Names().resolve(SERVER)
