"""What chronyd 4.3 really answered, against what `chronyc -c tracking` said at the same moment.

CI machines keep their own time service, so no chronyd runs here: the octets were taken from two of them in a network
namespace, one serving its clock, one following it, with `offset` in its configuration where the clock is off.
"""

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.chrony import (
    LOCAL,
    ChronyError,
    ChronyGarbled,
    ChronySilent,
    Leap,
    Tracking,
    ask,
    number,
    parse,
    request,
)

ASKED = 0xC0FFEE01
HEAD = "06020000002100050000000000000000c0ffee010000000000000000"
LOOPBACK = "7f0000017f00000100000000000000000000000000010000"  # reference, address, family


@dataclass(frozen=True)
class Case:
    octets: str
    chronyc: str

    @property
    def reply(self) -> bytes:
        return bytes.fromhex(HEAD + self.octets)


IN_SYNC = Case(
    LOOPBACK
    + "00040000000000006b02a8122fba7631c95f34bdd8a8e63cd8e4dd81f6c1ac7af489b224fcaa3ba0e0a7d6dad8cf98480481cc8b",
    "7F000001,127.0.0.1,4,1795336210.800749105,-0.000000001,0.000000315,0.000000426,0.012,0.004,0.083,"
    "0.000005002,0.000000386,1.0,Normal",
)
SLOW = Case(
    LOOPBACK
    + "00040000000000006b02a8371bf8dd92feffffbad29a1f9dd886b394f922b29cf0911790fc91c16ae0978825dae571020480be69",
    "7F000001,127.0.0.1,4,1795336247.469294482,0.249998957,0.000000036,0.000000251,-0.027,0.001,0.071,"
    "0.000004516,0.000000854,1.0,Normal",
)
FAST = Case(
    LOOPBACK
    + "00040000000000006b02a83d23f9d918017fffbdd11206fbd695635efeb77e87f363b3fefedf4703e09dac1adcf02ad400811d67",
    "7F000001,127.0.0.1,4,1795336253.603576600,-0.250001997,-0.000000028,0.000000139,0.179,-0.002,0.218,"
    "0.000004699,0.000001789,0.3,Normal",
)
OWN_CLOCK = Case(
    "7f7f010100000000000000000000000000000000000000000003000000000000" + "6b02a8082950ab9e" + "00" * 36,
    "7F7F0101,,3,1795336200.693152670,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,"
    "0.000000000,0.000000000,0.0,Normal",
)
NO_SOURCE = Case(
    "00" * 26 + "0003" + "00" * 36 + "0480000004800000" + "00000000",
    "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,"
    "1.000000000,1.000000000,0.0,Not synchronised",
)
CASES = {"in sync": IN_SYNC, "slow": SLOW, "fast": FAST, "own clock": OWN_CLOCK, "no source": NO_SOURCE}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_answer_is_read_as_chronyc_reads_it(case: Case) -> None:
    found = parse(case.reply, ASKED)
    said = case.chronyc.split(",")
    assert found.reference == int(said[0], 16)
    assert found.stratum == int(said[2])
    assert found.updated_wall_s == (pytest.approx(float(said[3]), abs=1e-6) if float(said[3]) else None)
    assert found.ahead_s == pytest.approx(-float(said[4]), abs=1e-9)
    assert found.root_delay_s == pytest.approx(float(said[10]), abs=1e-9)
    assert found.root_dispersion_s == pytest.approx(float(said[11]), abs=3e-9)  # it grows from one question to the next
    assert (found.leap is Leap.UNSYNCHRONISED) == (said[13] == "Not synchronised")


def test_behind_is_negative_as_chronyc_says_in_words() -> None:
    """ "System time: 0.249998957 seconds slow of NTP time"."""
    assert parse(SLOW.reply, ASKED).ahead_s == pytest.approx(-0.249999, abs=1e-6)
    assert parse(FAST.reply, ASKED).ahead_s == pytest.approx(0.250002, abs=1e-6)


def test_the_bound_on_the_error_is_offset_and_dispersion_and_half_the_delay() -> None:
    assert Tracking(Leap.NORMAL, 2, 1, -0.1, 0.04, 0.003, 0.0).error_s == pytest.approx(0.123)


def test_a_server_of_its_own_clock_says_so() -> None:
    assert parse(OWN_CLOCK.reply, ASKED).reference == LOCAL


@pytest.mark.parametrize(("field", "leap"), [("0000", Leap.NORMAL), ("0001", Leap.INSERT), ("0002", Leap.DELETE)])
def test_an_announced_leap_second_is_read(field: str, leap: Leap) -> None:
    assert parse(with_leap(IN_SYNC, field), ASKED).leap is leap


def with_leap(case: Case, field: str) -> bytes:
    return case.reply[:54] + bytes.fromhex(field) + case.reply[56:]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0x00000000, 0.0),
        (0x04800000, 1.0),  # chronyd's root delay before it followed anything
        (0xFF000000, -0.25),
        (0x7DFFFFFF, -(2.0**37)),  # the smallest and the largest there are; -2^-25 · 2^62
        (0x7EFFFFFF, float(((1 << 24) - 1) << 38)),
        (0x7F000000, -(2.0**62)),
        (0x80000001, 2.0**-89),
    ],
)
def test_numbers_have_seven_bits_of_exponent_and_twenty_five_of_coefficient(word: int, value: float) -> None:
    assert number(word) == value


def test_a_request_is_as_long_as_its_answer_and_carries_its_number() -> None:
    octets = request(ASKED)
    assert len(octets) == len(IN_SYNC.reply) == 104
    assert octets.hex().rstrip("0") == "06010000002100" + "00" + "c0ffee01"


# what chronyd 4.3 answered to other versions, an unknown command, one that is not for everybody, and too short a one
REFUSALS = {
    "version": "06020000002100010012000000000000000000070000000000000000",
    "unknown": "0602000000fa00010003000000000000000000070000000000000000",
    "not allowed": "06020000000100010002000000000000000000070000000000000000",
    "length": "06020000002100010013000000000000000000070000000000000000",
    "another reply": "0602000000220006" + "00" * 8 + "00000007" + "00" * 8 + LOOPBACK + "00000000210000001800000006"
    "d4ef23e7e95a237afae736d7bf1ba2cedeb36739",
}


@pytest.mark.parametrize("octets", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_no_tracking(octets: str) -> None:
    with pytest.raises(ChronyGarbled):
        parse(bytes.fromhex(octets), 7)


def test_an_answer_to_another_question_is_not_ours() -> None:
    with pytest.raises(ChronyGarbled, match="something else"):
        parse(IN_SYNC.reply, ASKED + 1)


def test_a_leap_status_nobody_knows_is_garbled() -> None:
    with pytest.raises(ChronyGarbled, match="leap status 4"):
        parse(with_leap(IN_SYNC, "0004"), ASKED)


@given(st.binary(max_size=200) | st.binary(min_size=76, max_size=80).map(lambda body: bytes.fromhex(HEAD) + body))
def test_garbage_is_an_answer_or_garbled_and_never_anything_else(octets: bytes) -> None:
    try:
        found = parse(octets, ASKED)
    except ChronyGarbled:
        return
    assert 0 <= found.error_s < float("inf")


@given(st.integers(0, 103))
def test_half_an_answer_is_garbled(length: int) -> None:
    with pytest.raises(ChronyGarbled):
        parse(IN_SYNC.reply[:length], ASKED)


# ── over real sockets ──────────────────────────────────────────────────────────────────────────────────
NOWHERE = Path("/nonexistent/chronyd.sock")


class Answering(asyncio.DatagramProtocol):
    """A chronyd that always says the same; nothing at all if that is None."""

    def __init__(self, reply: bytes | None) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._reply is not None:
            self._transport.sendto(self._reply[:16] + data[8:12] + self._reply[20:], addr)


async def chronyd(reply: bytes | None) -> tuple[asyncio.DatagramTransport, tuple[str, int]]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Answering(reply), local_addr=("127.0.0.1", 0))
    return transport, transport.get_extra_info("sockname")


@contextmanager
def a_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="edged-") as folder:  # pytest's are too long for the name of a socket
        yield Path(folder)


async def test_who_may_use_the_unix_socket_asks_there_and_leaves_nothing_behind() -> None:
    with a_folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as server:
        path = folder / "chronyd.sock"
        server.bind(str(path))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Answering(SLOW.reply), sock=server
        )
        assert (await ask(path, ("127.0.0.1", 9))).ahead_s == pytest.approx(-0.249999, abs=1e-6)
        transport.close()
        assert list(folder.iterdir()) == [path]


async def test_who_may_not_asks_over_udp() -> None:
    transport, address = await chronyd(FAST.reply)
    assert (await ask(NOWHERE, address)).ahead_s == pytest.approx(0.250002, abs=1e-6)
    transport.close()


async def test_a_socket_a_dead_chronyd_left_is_not_the_end() -> None:
    transport, address = await chronyd(FAST.reply)
    with a_folder() as folder:
        path = folder / "chronyd.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
            dead.bind(str(path))
        assert (await ask(path, address)).stratum == 4
    transport.close()


async def test_no_chronyd_is_said_at_once() -> None:
    transport, address = await chronyd(None)
    transport.close()
    await asyncio.sleep(0)  # the loop closes it now
    with pytest.raises(ChronySilent, match="port"):
        await ask(NOWHERE, address)


async def test_a_chronyd_that_does_not_answer_is_not_waited_for() -> None:
    transport, address = await chronyd(None)
    with pytest.raises(ChronySilent, match=r"within 0\.5 s"):
        await ask(NOWHERE, address)
    transport.close()


async def test_garbage_on_the_socket_is_the_rooms_error() -> None:
    transport, address = await chronyd(b"\xff" * 300)
    with pytest.raises(ChronyError):
        await ask(NOWHERE, address)
    transport.close()
