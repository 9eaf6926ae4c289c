"""A real reflector on loopback, asked by plain sockets."""

import asyncio
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from probes.errors import MisuseError
from probes.packets import stamp
from probes.packets.ntp_time import from_ntp, to_ntp
from probes.stamp_reflector import Allowance, Reflector, Sessions, listen_address, reflect

KEY = b"a key of the NOC"
QUIET_S = 0.05  # loopback answers within 1 ms


@asynccontextmanager
async def asking(reflector: Reflector) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in reflector.address[0] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1" if reflector.address[0] == "0.0.0.0" else reflector.address[0], reflector.address[1]))

        async def ask(packet: bytes) -> bytes:
            sock.send(packet)
            return await asyncio.wait_for(loop.sock_recv(sock, 2048), QUIET_S)

        try:
            yield ask
        finally:
            reflector.close()


def request(sequence: int, ssid: int = 0) -> bytes:
    return stamp.encode_request(stamp.Request(sequence, to_ntp(time.time_ns()), stamp.error_estimate(0.001), ssid))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
async def test_a_request_comes_back_with_both_times_and_its_own_fields(host: str) -> None:
    reflector = Reflector(host, 0)
    before_ns = time.time_ns()
    async with asking(reflector) as ask:
        packet = request(77, ssid=9)
        reply = stamp.decode_reply(await ask(packet))
    assert reply.request == stamp.decode_request(packet)
    assert reply.sequence == 0
    assert reply.request_ttl == 64
    received_ns = from_ntp(reply.received, near_ns=before_ns)
    assert before_ns <= received_ns <= time.time_ns()
    assert from_ntp(reply.sent, near_ns=before_ns) > received_ns


async def test_each_session_is_counted_by_itself() -> None:
    reflector = Reflector("127.0.0.1", 0)
    async with asking(reflector) as ask:
        seen = [
            stamp.decode_reply(await ask(request(sequence, ssid))).sequence
            for sequence, ssid in [(10, 1), (11, 1), (50, 2), (14, 1), (51, 2)]
        ]
    assert seen == [0, 1, 0, 2, 1]


async def test_a_signed_request_is_answered_signed_and_an_unsigned_one_not_at_all() -> None:
    reflector = Reflector("127.0.0.1", 0, key=KEY)
    async with asking(reflector) as ask:
        signed = stamp.encode_request(stamp.Request(5, 6, 7, 8), KEY)
        assert stamp.decode_reply(await ask(signed), KEY).request.sequence == 5
        with pytest.raises(TimeoutError):
            await ask(request(1))
        with pytest.raises(TimeoutError):
            await ask(stamp.encode_request(stamp.Request(5, 6, 7, 8), b"another key"))


@pytest.mark.parametrize("size", [44, 60, 500, 1400])
async def test_an_answer_is_exactly_as_long_as_its_question(size: int) -> None:
    reflector = Reflector("127.0.0.1", 0)
    async with asking(reflector) as ask:
        question = request(1) + b"\x80\x01\x00" * 500
        answer = await ask(question[:size])
    assert len(answer) == size
    assert answer[44:] == question[44:size]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"x",
        bytes(43),
        b"\xff" * 44,
        b"\xff" * 1400,
        stamp.encode_reply(stamp.Reply(1, 2, 3, 4 << 32, stamp.Request(5, 6, 7, 8), 64)),
    ],
    ids=["empty", "one byte", "one byte short", "all ones", "long", "a reflector's reply"],
)
async def test_garbage_gets_no_answer_and_does_no_harm(garbage: bytes) -> None:
    reflector = Reflector("127.0.0.1", 0)
    async with asking(reflector) as ask:
        with pytest.raises(TimeoutError):
            await ask(garbage)
        assert reflector.tally.garbage == 1
        assert stamp.decode_reply(await ask(request(3))).request.sequence == 3


async def test_two_reflectors_cannot_be_set_on_each_other() -> None:
    one, other = Reflector("127.0.0.1", 0), Reflector("127.0.0.1", 0)
    reply = stamp.encode_reply(stamp.Reply(1, 2, 3, 4 << 32, stamp.Request(5, 6, 7, 8), 64))
    # As if forged: `one` is made to send a packet of its own to `other`.
    one._socket.send(reply, other.address)
    await asyncio.sleep(QUIET_S)
    assert (one.tally.answered, other.tally.answered, other.tally.garbage) == (0, 0, 1)
    one.close()
    other.close()


async def test_beyond_its_rate_it_is_silent() -> None:
    reflector = Reflector("127.0.0.1", 0, max_rate_hz=50)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for n in range(40):
            sock.sendto(request(n), reflector.address)
        await asyncio.sleep(QUIET_S)
    reflector.close()
    assert 5 <= reflector.tally.answered <= 8  # a tenth of a second's worth, and what it earned meanwhile
    assert reflector.tally.over_rate == 40 - reflector.tally.answered


async def test_reflect_frees_its_port_when_cancelled() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    task = asyncio.create_task(reflect("127.0.0.1", port))
    await asyncio.sleep(0)
    with pytest.raises(MisuseError, match=f"127.0.0.1 port {port}"):
        Reflector("127.0.0.1", port)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    Reflector("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["localhost", "300.1.1.1", "192.0.2.1"])
async def test_an_address_that_cannot_be_had_is_named(host: str) -> None:
    with pytest.raises(MisuseError, match=host):
        Reflector(host, 0)


def test_a_full_table_forgets_the_idle_and_never_the_busy() -> None:
    sessions = Sessions(most=2, idle_s=10)
    a, b, c = (("192.0.2.1", 1000 + n, 0) for n in range(3))
    table = [
        # now_s, session, expected number
        (0.0, a, 0),
        (1.0, b, 0),
        (2.0, c, None),  # full, both busy: stateless
        (9.0, b, 1),
        (11.0, c, 0),  # a idle for 11 s: its place is free
        (12.0, a, None),
        (19.5, b, 2),
        (22.0, a, 0),  # c was idle for 11 s
    ]
    assert [sessions.number(session, now_s) for now_s, session, _ in table] == [expected for *_, expected in table]
    assert len(sessions) == 2


def test_the_allowance_fills_at_its_rate_up_to_a_tenth_of_a_second() -> None:
    allowance = Allowance(100, 0.0)
    assert [allowance.take(0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [allowance.take(0.05) for _ in range(6)] == [True] * 5 + [False]
    assert sum(allowance.take(100.0) for _ in range(50)) == 10


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:862", ("0.0.0.0", 862)),
        ("[::]:862", ("::", 862)),
        ("noc.example:862", None),
        ("127.0.0.1", None),
        ("127.0.0.1:0", None),
        ("127.0.0.1:65536", None),
        ("127.0.0.1:x", None),
        ("", None),
    ],
)
def test_where_to_listen_is_an_address_and_a_port(text: str, address: tuple[str, int] | None) -> None:
    if address is not None:
        assert listen_address(text) == address
        return
    with pytest.raises(ArgumentTypeError, match="is not ADDRESS:PORT"):
        listen_address(text)


def test_the_command_says_what_it_cannot_have() -> None:
    command = [sys.executable, "-m", "probes.stamp_reflector", "--listen", "192.0.2.1:862"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert "cannot listen on 192.0.2.1 port 862" in ended.stderr
