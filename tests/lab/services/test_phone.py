"""The telephone adapter over UDP and TCP."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lab.services.conftest import Stage, eventually, free_port


def options(number: int, transport: str) -> bytes:
    rows = [
        "OPTIONS sip:ata@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{number};rport",
        "From: <sip:edged@127.0.0.1>;tag=f",
        "To: <sip:ata@127.0.0.1>",
        f"Call-ID: {number}",
        f"CSeq: {number} OPTIONS",
        "Content-Length: 0",
    ]
    return ("\r\n".join(rows) + "\r\n\r\n").encode()


@pytest_asyncio.fixture
async def port(stage: Stage) -> AsyncIterator[int]:
    port = free_port()
    async with stage.running("phone", "--listen", f"127.0.0.1:{port}"):
        yield port


async def test_over_udp_it_answers_until_the_line_is_dead_and_again_when_it_is_back(port: int, stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(("127.0.0.1", port))

        async def answered(number: int) -> bool:
            await loop.sock_sendall(asking, options(number, "UDP"))
            try:
                reply = await asyncio.wait_for(loop.sock_recv(asking, 2000), 0.3)
            except TimeoutError:
                return False
            return reply.startswith(b"SIP/2.0 200 OK\r\n") and b"CSeq: %d OPTIONS\r\n" % number in reply

        asking.send(b"\xff\xfe garbage")
        assert await answered(1)
        stage.say(phone=False)
        async with eventually("silence"):
            while await answered(2):
                await asyncio.sleep(0.02)
        stage.say(phone=True)
        async with eventually("an answer"):
            while not await answered(3):
                pass


async def test_over_tcp_the_line_is_registered_while_the_world_says_so(port: int, stage: Stage) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    question = options(1, "TCP").replace(b"OPTIONS", b"REGISTER").replace(b"sip:ata@", b"sip:direct@")

    async def registered() -> bool:
        writer.write(question)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")
        return b"\r\nContact: <sip:direct@" in answer

    async with eventually("registered, not registered, registered"):
        assert await registered()
        stage.say(phone_registered=False)
        while await registered():
            await asyncio.sleep(0.02)
        stage.say(phone_registered=True)
        while not await registered():
            await asyncio.sleep(0.02)
    writer.close()


async def test_over_tcp_each_message_has_its_answer_and_garbage_ends_the_call(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with eventually("two answers and the end"):
        writer.write(options(1, "TCP") + options(2, "TCP")[:50])
        assert b"Call-ID: 1\r\n" in await reader.readuntil(b"\r\n\r\n")
        writer.write(options(2, "TCP")[50:])
        assert b"Call-ID: 2\r\n" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nno header\r\n\r\n")
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_both_doors_are_open(port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as probe, pytest.raises(OSError, match="in use"):
        probe.bind(("127.0.0.1", port))
