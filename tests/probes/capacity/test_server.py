"""The real far end on loopback, asked by plain sockets; and its program."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from probes.capacity.server import CapacityServer
from probes.errors import MisuseError
from probes.packets import capacity as wire

KEY, NONCE = b"a key of the NOC", bytes(range(16))
QUIET_S = 0.05  # loopback answers within 1 ms


class Asker:
    """A socket connected to the far end."""

    def __init__(self, server: CapacityServer) -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in server.address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect(server.address[:2])

    async def ask(self, data: bytes, key: bytes = KEY) -> wire.Message | None:
        """The answer, decoded; None where there was none."""
        self.sock.send(data)
        try:
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 2048), QUIET_S)
        except TimeoutError:
            return None
        assert len(answer) <= len(data), "an answer larger than its question"
        return wire.decode(answer, key)

    async def hello(self, session: int = 1) -> wire.Challenge:
        challenge = await self.ask(wire.encode(wire.Hello(session, 1, NONCE), KEY, size=wire.OPENING_BYTES))
        assert isinstance(challenge, wire.Challenge)
        return challenge


@asynccontextmanager
async def far_end(host: str = "127.0.0.1", askers: int = 1) -> AsyncIterator[tuple[CapacityServer, list[Asker]]]:
    server = CapacityServer(host, 0, KEY)
    asking = [Asker(server) for _ in range(askers)]
    try:
        yield server, asking
    finally:
        for asker in asking:
            asker.sock.close()
        await server.close()


def opening(challenge: wire.Challenge, wish: int = wire.Wish.TRAINS) -> tuple[bytes, bytes]:
    """An OPEN, and the session's key."""
    asked = wire.Open(challenge.session, 2, NONCE, challenge.cookie, wish, 1472, 10**6, 10**4, 5000)
    return wire.encode(asked, KEY, size=wire.OPENING_BYTES), wire.session_key(KEY, NONCE, challenge.cookie)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_session_opens_in_three_ways_and_then_answers_its_own_key_only(host: str) -> None:
    async with far_end(host) as (server, [asker]):
        data, key = opening(await asker.hello())
        assert isinstance(await asker.ask(data, key), wire.Opened)
        assert await asker.ask(wire.encode(wire.Echo(1, 3), key), key) == wire.Echoed(1, 3)
        assert await asker.ask(wire.encode(wire.Echo(1, 4), KEY), key) is None
        assert server.sessions == 1


async def test_a_packet_heard_before_is_not_answered() -> None:
    async with far_end() as (_, [asker]):
        data, key = opening(await asker.hello())
        await asker.ask(data, key)
        echo = wire.encode(wire.Echo(1, 3), key)
        assert await asker.ask(echo, key) is not None
        assert await asker.ask(echo, key) is None


async def test_an_opening_recorded_is_worth_nothing_later() -> None:
    async with far_end() as (server, [asker]):
        data, key = opening(await asker.hello())
        await asker.ask(data, key)
        await asker.ask(wire.encode(wire.End(1, 3), key), key)
        async with asyncio.timeout(5):
            while server.sessions:
                await asyncio.sleep(0.01)
        assert await asker.ask(data, KEY) == wire.Refused(1, 2, NONCE, wire.Why.STALE)
        assert server.tally.opened == 1


async def test_a_cookie_is_worth_nothing_to_another_address() -> None:
    async with far_end(askers=2) as (server, [asker, thief]):
        data, key = opening(await asker.hello())
        assert await thief.ask(data, key) is None
        assert server.sessions == 0


async def test_a_session_is_worth_nothing_to_another_address() -> None:
    async with far_end(askers=2) as (_, [asker, thief]):
        data, key = opening(await asker.hello())
        await asker.ask(data, key)
        assert await thief.ask(wire.encode(wire.Echo(1, 9), key), key) is None


async def test_a_wrong_key_is_denied_and_a_short_question_is_not_even_that() -> None:
    async with far_end() as (server, [asker]):
        hello = wire.encode(wire.Hello(1, 1, NONCE), b"quite another key", size=wire.OPENING_BYTES)
        assert await asker.ask(hello) == wire.Denied(1, 1, NONCE)
        assert await asker.ask(hello[:-1]) is None
        assert server.sessions == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"eC",
        bytes(1472),
        wire.encode(wire.Echo(1, 2), KEY),
        wire.encode(wire.Order(1, 2, 3, 10**6), KEY),
        wire.encode(wire.LoadUp(1, 2, 3, 4), KEY, size=1472),
        wire.encode(wire.Denied(1, 2, NONCE), KEY, size=160),
        wire.encode(wire.Challenge(1, 2, NONCE, bytes(24)), KEY, size=160),
        wire.encode(wire.Open(1, 2, NONCE, bytes(24), 1, 1, 1, 1, 1), KEY, size=160),
    ],
)
async def test_garbage_and_what_nobody_asked_for_is_not_answered(data: bytes) -> None:
    async with far_end() as (server, [asker]):
        assert await asker.ask(data) is None
        assert isinstance(await asker.hello(), wire.Challenge)
        assert server.sessions == 0


async def test_two_far_ends_set_on_each_other_fall_silent() -> None:
    """A forged sender address must not make two of them talk for ever: no answer is ever a question."""
    async with far_end() as (server, [asker]):
        for answer in (wire.Challenge(1, 1, NONCE, bytes(24)), wire.Refused(1, 1, NONCE, 1), wire.Echoed(1, 1)):
            assert await asker.ask(wire.encode(answer, KEY, size=160)) is None
        assert server.tally.opened == 0


async def test_an_address_it_cannot_have_is_a_mistake_of_ours() -> None:
    async with far_end() as (server, _):
        for host, port in [("127.0.0.1", server.address[1]), ("noc.example", 8620), ("192.0.2.1", 0)]:
            with pytest.raises(MisuseError, match="cannot listen"):
                CapacityServer(host, port, KEY)


def test_the_program_serves_until_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    words = ["--listen", f"127.0.0.1:{port}", "--key-file", str(tmp_path / "key")]
    program = subprocess.Popen(
        [sys.executable, "-m", "probes.capacity.server", *words], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert "capacity_server_listens" in program.stdout.readline()
    program.send_signal(signal.SIGTERM)
    assert program.wait(10) == 0
    program.stdout.close()


def test_the_program_says_what_is_wrong_with_its_key(tmp_path: Path) -> None:
    words = ["--listen", "127.0.0.1:1", "--key-file", str(tmp_path / "missing")]
    done = subprocess.run([sys.executable, "-m", "probes.capacity.server", *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert "missing" in done.stderr
