"""A real reflector on loopback, asked by plain sockets."""

import asyncio
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest

from probes.errors import MisuseError
from probes.packets import stamp, stamp_tlv
from probes.packets.ntp_time import from_ntp, to_ntp
from probes.stamp_reflector import Allowance, Reflector, Sessions, listen_address, reflect

KEY = b"a key of the NOC"
EF, AF41, CS6 = 46, 34, 48
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
QUIET_S = 0.05  # loopback answers within 1 ms


@asynccontextmanager
async def asking(reflector: Reflector) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in reflector.address[0] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((ANYWHERE.get(reflector.address[0], reflector.address[0]), reflector.address[1]))

        async def ask(packet: bytes) -> bytes:
            sock.send(packet)
            return await asyncio.wait_for(loop.sock_recv(sock, 2048), QUIET_S)

        try:
            yield ask
        finally:
            reflector.close()


def request(sequence: int, ssid: int = 0) -> bytes:
    return stamp.encode_request(stamp.Request(sequence, to_ntp(time.time_ns()), stamp.error_estimate(0.001), ssid))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
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
        not_known = b"\x80\xc8" + max(0, size - 48).to_bytes(2, "big") + b"x" * 1400
        question = (request(1) + not_known)[:size]
        answer = await ask(question)
    assert len(answer) == size
    assert answer[44:] == question[44:]


@pytest.mark.parametrize("size", [60, 500, 1400])
async def test_padding_of_no_format_at_all_comes_back_as_long(size: int) -> None:
    """As a TWAMP Light sender fills its packets."""
    reflector = Reflector("127.0.0.1", 0)
    question = bytes(14) + Random(1).randbytes(size - 14)
    async with asking(reflector) as ask:
        answer = await ask(question)
    assert len(answer) == size
    assert stamp.decode_reply(answer).request == stamp.decode_request(question)


@pytest.mark.parametrize(
    ("host", "v6"), [("127.0.0.1", False), ("0.0.0.0", False), ("::1", True)], ids=["v4", "v4 wildcard", "v6"]
)
@pytest.mark.parametrize(("asked", "marked"), [(EF, EF), (0, 0), (CS6, AF41)], ids=["EF", "none", "refused"])
async def test_it_says_how_a_packet_was_marked_and_marks_its_answer_as_asked(
    host: str, v6: bool, asked: int, marked: int
) -> None:
    reflector = Reflector(host, 0)
    tail = stamp_tlv.class_of_service(asked) + stamp_tlv.extra_padding(100)
    level, set_, receive, kind = (
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS)
        if v6
        else (socket.IPPROTO_IP, socket.IP_TOS, socket.IP_RECVTOS, socket.IP_TOS)
    )
    with socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.setsockopt(level, receive, 1)
        sock.setsockopt(level, set_, AF41 << 2)
        sock.sendto(request(1) + tail, ("::1" if v6 else "127.0.0.1", reflector.address[1]))
        answer, control, _, _ = await asyncio.to_thread(sock.recvmsg, 2048, 100)
    reflector.close()
    seen = stamp_tlv.read_class_of_service(answer[44:])
    assert seen == stamp_tlv.CosSeen(asked, AF41, 0, refused=asked == CS6)
    assert [
        data[0] >> 2 for control_level, control_kind, data in control if (control_level, control_kind) == (level, kind)
    ] == [marked]
    assert answer[52:] == b"\0" + tail[9:]


async def test_with_a_key_sealed_tlvs_are_filled_and_unsealed_ones_given_back() -> None:
    reflector = Reflector("127.0.0.1", 0, key=KEY)
    cos = stamp_tlv.class_of_service(EF)
    async with asking(reflector) as ask:
        signed = stamp.encode_request(stamp.Request(5, 6, 7, 8), KEY)
        for _ in range(2):
            answer = await ask(signed + stamp_tlv.sealed(cos, stamp_tlv.Seal(KEY, 5)))
            number = stamp.decode_reply(answer, KEY).sequence
            seen = stamp_tlv.read_class_of_service(answer[112:], stamp_tlv.Seal(KEY, number))
            assert seen == stamp_tlv.CosSeen(EF, 0, 0, refused=False)
        assert number == 1  # its own number, not ours, is what the seal of its answer is made with
        answer = await ask(signed + cos)
    assert answer[112:] == b"\x20" + cos[1:]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"x",
        bytes(43),
        bytes([255]) * 43,
    ],
    ids=["empty", "one byte", "one byte short", "ones"],
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
    # As if forged: `one` is made to send a packet to `other`.
    one._socket.send(request(1), other.address)
    await asyncio.sleep(QUIET_S)
    one.close()
    other.close()
    assert (one.tally.answered, other.tally.answered, one.tally.garbage) == (0, 1, 1)


async def test_nor_one_whose_clock_is_wrong() -> None:
    """It answers once; what it is then given back has its own time in it."""
    one = Reflector("127.0.0.1", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(1)
        other.bind(("127.0.0.1", 0))
        other.sendto(request(1), one.address)
        for number in range(3):
            try:
                asked = stamp.decode_request(await asyncio.to_thread(other.recv, 2048))
            except TimeoutError:
                break
            other.settimeout(QUIET_S)
            other.sendto(stamp.encode_reply(stamp.Reply(number, 77, 3, 66, asked, 64)), one.address)
        await asyncio.sleep(QUIET_S)
    one.close()
    assert (one.tally.answered, one.tally.garbage) == (1, 1)


async def test_an_echo_service_ends_it_too() -> None:
    one = Reflector("127.0.0.1", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.settimeout(1)
        echo.bind(("127.0.0.1", 0))
        echo.sendto(request(1), one.address)
        echo.sendto(await asyncio.to_thread(echo.recv, 2048), one.address)
        await asyncio.sleep(QUIET_S)
    one.close()
    assert (one.tally.answered, one.tally.garbage) == (1, 1)


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
