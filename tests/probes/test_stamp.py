"""Our sender with our reflector, and with doubles of strange ones. Other people's: `test_stamp_interop`."""

import asyncio
import socket
import time
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from probes.errors import MisuseError
from probes.kernel_time import Stamps
from probes.packets import stamp
from probes.packets.ntp_time import to_ntp
from probes.prober import Answered, Lost, Pin, Refusal, Refused, probe
from probes.stamp import StampProber, StampTarget
from probes.stamp_reflector import Reflector
from tests.probes.own_network import own_network

KEY = b"a key of the NOC"
LOOPBACK = Pin(interface="lo")


def target(address: str, port: int, key_file: Path | None = None) -> StampTarget:
    return StampTarget.model_validate({"kind": "stamp", "address": address, "port": port, "key_file": key_file})


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_an_answer_is_timed_by_the_kernel(address: str) -> None:
    reflector = Reflector(address, 0)
    outcome = await probe(target(address, reflector.address[1]), Pin(source=ip_address(address)), timeout_s=1)
    reflector.close()
    assert isinstance(outcome, Answered)
    assert outcome.stamps is Stamps.KERNEL
    assert 0 < outcome.rtt_s < 1
    assert outcome.two_way is not None  # one clock on both ends: no offset
    assert outcome.two_way.out_ns > 0
    assert outcome.two_way.back_ns > 0


async def test_a_signed_probe_is_answered_and_a_badly_signed_one_is_lost(tmp_path: Path) -> None:
    key_file, other_file = tmp_path / "key", tmp_path / "other"
    key_file.write_bytes(KEY + b"\n")
    other_file.write_bytes(b"another key\n")
    reflector = Reflector("127.0.0.1", 0, key=KEY)
    port = reflector.address[1]
    signed = await probe(target("127.0.0.1", port, key_file), LOOPBACK, timeout_s=1)
    badly = await probe(target("127.0.0.1", port, other_file), LOOPBACK, timeout_s=0.05)
    reflector.close()
    assert isinstance(signed, Answered)
    assert badly == Lost(0.05)


class SlowReflector(asyncio.DatagramProtocol):
    """Keeps each packet for `kept_s` at least, and says for how long it did."""

    def __init__(self, kept_s: float) -> None:
        self.kept_s, self.said_s = kept_s, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asyncio.get_running_loop().call_later(self.kept_s, self._answer, data, addr, time.time_ns())

    def _answer(self, data: bytes, addr: tuple[str, int], came_ns: int) -> None:
        sent_ns = time.time_ns()
        self.said_s = (sent_ns - came_ns) / 1e9
        reply = stamp.Reply(0, to_ntp(sent_ns), 0x0101, to_ntp(came_ns), stamp.decode_request(data), 64)
        self.transport.sendto(stamp.encode_reply(reply), addr)


async def test_what_a_reflector_kept_is_taken_off_the_round_trip() -> None:
    reflector = SlowReflector(kept_s=0.3)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: reflector, local_addr=("127.0.0.1", 0)
    )
    began_s = time.monotonic()
    outcome = await probe(target("127.0.0.1", transport.get_extra_info("sockname")[1]), LOOPBACK, timeout_s=5)
    from_outside_s = time.monotonic() - began_s
    transport.close()
    assert isinstance(outcome, Answered)
    # However busy the machine: on the line was at most what we saw from outside, less what the reflector says it kept.
    assert 0 <= outcome.rtt_s <= from_outside_s - reflector.said_s + 0.001
    assert outcome.two_way is not None
    assert outcome.two_way.out_ns + outcome.two_way.back_ns == pytest.approx(outcome.rtt_s * 1e9, abs=1000)


async def test_a_reflector_that_claims_more_than_there_was_says_nothing_of_the_ways() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
        liar.bind(("127.0.0.1", 0))
        heard: list[Answered] = []
        prober = StampProber(
            target("127.0.0.1", liar.getsockname()[1]), LOOPBACK, lambda _, answer: heard.append(answer)
        )
        prober.send(0)
        packet, sender = liar.recvfrom(100)
        now = to_ntp(time.time_ns())
        reply = stamp.Reply(0, now + (60 << 32), 0x0101, now, stamp.decode_request(packet), 64)
        liar.sendto(stamp.encode_reply(reply), sender)
        await asyncio.sleep(0.05)
        prober.close()
    assert len(heard) == 1
    assert heard[0].two_way is None
    assert heard[0].rtt_s > 0


async def test_an_open_port_that_never_answers_is_a_loss() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        assert await probe(target("127.0.0.1", mute.getsockname()[1]), LOOPBACK, timeout_s=0.05) == Lost(0.05)


@pytest.mark.parametrize("pin", [LOOPBACK, Pin(source=ip_address("127.0.0.1"))], ids=["by interface", "by source"])
async def test_a_closed_port_is_a_loss_and_the_next_probe_is_sent_all_the_same(pin: Pin) -> None:
    reflector = Reflector("127.0.0.1", 0)
    port = reflector.address[1]
    reflector.close()
    heard: list[int] = []
    prober = StampProber(target("127.0.0.1", port), pin, lambda number, _: heard.append(number))
    assert [prober.send(number) for number in range(3)] == [None] * 3
    await asyncio.sleep(0.02)
    reopened = Reflector("127.0.0.1", port)
    assert prober.send(3) is None
    await asyncio.sleep(0.05)
    reopened.close()
    prober.close()
    assert heard == [3]


async def test_answers_from_elsewhere_repeated_or_garbled_are_ignored() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as else_,
    ):
        for sock in (mute, else_):
            sock.bind(("127.0.0.1", 0))
        heard: list[int] = []
        prober = StampProber(
            target("127.0.0.1", mute.getsockname()[1]), LOOPBACK, lambda number, _: heard.append(number)
        )
        prober.send(7)
        packet, sender = mute.recvfrom(100)
        right = bytes(4) + (5 << 32).to_bytes(8, "big") + b"\x0f\x84" + packet[14:16] + (5 << 32).to_bytes(8, "big")
        right += packet[:14] + bytes(2) + b"\x40" + bytes(3)
        else_.sendto(right, sender)
        other_stamp = right[:30] + bytes([right[30] ^ 1]) + right[31:]
        for wrong in (b"", right[:43], other_stamp, b"\xff" * 44, b"\xff" * 1400):
            mute.sendto(wrong, sender)
        await asyncio.sleep(0.05)
        assert heard == []
        for _ in range(2):
            mute.sendto(right, sender)
        await asyncio.sleep(0.05)
        prober.close()
    assert heard == [7]


@pytest.mark.parametrize(
    ("address", "pin", "why"),
    [
        ("198.51.100.20", Pin(), Refusal.NO_ROUTE),
        ("127.0.0.1", Pin(source=ip_address("192.0.2.7")), Refusal.NO_SOURCE),
        ("127.0.0.1", Pin(interface="nosuch0"), Refusal.INTERFACE_DOWN),
    ],
)
async def test_a_probe_the_kernel_will_not_send_says_why(address: str, pin: Pin, why: Refusal) -> None:
    with own_network():
        assert await probe(target(address, 862), pin, timeout_s=0.2) == Refused(why)


async def test_an_empty_key_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b" \n")
    with pytest.raises(MisuseError, match=str(empty)):
        await probe(target("127.0.0.1", 862, empty), LOOPBACK, timeout_s=0.1)
