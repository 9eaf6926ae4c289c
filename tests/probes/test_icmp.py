"""The kernel of this machine answers; what it must not see happens in a namespace of the test's own."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP

from probes.icmp import IcmpProber, IcmpTarget
from probes.kernel_time import Stamps
from probes.prober import Answered, Lost, Pin, Refusal, Refused, probe
from tests.probes.own_network import ip, own_network

PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
LOOPBACK = Pin(interface="lo")


def target(address: str) -> IcmpTarget:
    return IcmpTarget.model_validate({"kind": "icmp", "address": address})


@contextmanager
def without_privileges() -> Iterator[None]:
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("pin", [LOOPBACK, None], ids=["by interface", "by source"])
async def test_an_answer_is_timed_by_the_kernel(address: str, pin: Pin | None) -> None:
    outcome = await probe(target(address), pin or Pin(source=ip_address(address)), timeout_s=1)
    assert isinstance(outcome, Answered)
    assert outcome.stamps is Stamps.KERNEL
    assert 0 < outcome.rtt_s < 1


async def test_each_of_many_probes_on_their_way_gets_its_own_answer() -> None:
    heard: dict[int, Answered] = {}
    prober = IcmpProber(target("127.0.0.1"), LOOPBACK, heard.__setitem__)
    numbers = [0, 1, 0xFFFF, 0x1_0000, 0x1_0001, 2**32 - 1]  # some share their 16 bits on the wire
    assert [prober.send(number) for number in numbers] == [None] * len(numbers)
    await asyncio.sleep(0.05)
    prober.close()
    assert sorted(heard) == numbers


async def test_what_was_forgotten_is_not_heard_of() -> None:
    heard: list[int] = []
    prober = IcmpProber(target("127.0.0.1"), LOOPBACK, lambda number, _: heard.append(number))
    for number in range(3):
        prober.send(number)
    prober.forget(1)
    await asyncio.sleep(0.05)
    prober.close()
    assert heard == [0, 2]


async def test_two_probers_wake_only_for_their_own_answers() -> None:
    seen = {"one": 0, "other": 0}

    class Watching(IcmpProber):
        name = ""

        def _arrived(self, received: object) -> None:
            seen[self.name] += 1

    probers = []
    for name in seen:
        prober = Watching(target("127.0.0.1"), LOOPBACK, lambda *_: None)
        prober.name = name
        probers.append(prober)
    for count, prober in zip((5, 2), probers, strict=True):
        for number in range(count):
            prober.send(number)
    await asyncio.sleep(0.05)
    for prober in probers:
        prober.close()
    assert seen == {"one": 5, "other": 2}


async def test_forged_and_broken_answers_are_ignored() -> None:
    heard: list[int] = []
    prober = IcmpProber(target("127.0.0.1"), LOOPBACK, lambda number, _: heard.append(number))
    prober.send(0)
    await asyncio.sleep(0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as forger:
        for payload in (b"", b"\xff" * 44, b"\0" * 44, bytes(8) + b"\0\0\0\1" + bytes(32)):
            forger.sendto(bytes(ICMP(type=0, id=prober._ident, seq=1) / payload), ("127.0.0.1", 0))
    prober.send(1)
    await asyncio.sleep(0.05)
    prober.close()
    assert heard == [0, 1]


async def test_silence_is_a_loss() -> None:
    with own_network("route add 198.51.100.0/24 dev lo"):  # nobody there takes it
        assert await probe(target("198.51.100.40"), LOOPBACK, timeout_s=0.05) == Lost(0.05)


@pytest.mark.parametrize(
    ("address", "pin", "why"),
    [
        ("198.51.100.40", Pin(), Refusal.NO_ROUTE),
        ("2001:db8::40", Pin(), Refusal.NO_ROUTE),
        ("127.0.0.1", Pin(source=ip_address("192.0.2.7")), Refusal.NO_SOURCE),
        ("::1", Pin(source=ip_address("2001:db8::7")), Refusal.NO_SOURCE),
        ("127.0.0.1", Pin(interface="nosuch0"), Refusal.INTERFACE_DOWN),
        ("fe80::1", Pin(interface="nosuch0"), Refusal.INTERFACE_DOWN),
        ("192.0.2.2", Pin(interface="fiber0"), Refusal.NO_ROUTE),
    ],
)
async def test_a_probe_the_kernel_will_not_send_says_why(address: str, pin: Pin, why: Refusal) -> None:
    with own_network("link add fiber0 type veth peer name far0"):
        assert await probe(target(address), pin, timeout_s=0.2) == Refused(why)


@pytest.mark.parametrize(
    ("pin", "gone"),
    [
        (Pin(interface="fiber0"), Refusal.INTERFACE_DOWN),
        (Pin(source=ip_address("192.0.2.1")), Refusal.NO_SOURCE),
        (Pin(source=ip_address("192.0.2.1"), interface="fiber0"), Refusal.INTERFACE_DOWN),
    ],
    ids=["by interface", "by source", "by both"],
)
async def test_a_prober_outlives_its_interface(pin: Pin, gone: Refusal) -> None:
    with own_network():
        heard: list[int] = []
        prober = IcmpProber(target("192.0.2.1"), pin, lambda number, _: heard.append(number))
        outcomes = [prober.send(0)]
        for number in (1, 2):
            # Twice: the second interface has the name of the first, and another index.
            for command in (
                "link add fiber0 type veth peer name far0",
                "address add 192.0.2.1/24 dev fiber0",
                "link set fiber0 up",
                "link set far0 up",
            ):
                ip(command)
            outcomes.append(prober.send(number * 10))
            await asyncio.sleep(0.05)
            ip("link delete fiber0")
            outcomes.append(prober.send(number * 10 + 1))
        prober.close()
    assert outcomes == [gone, None, gone, None, gone]
    assert heard == [10, 20]


@pytest.mark.parametrize(
    "pin",
    [Pin(interface="fiber0"), Pin(source=ip_address("192.0.2.1")), Pin(ip_address("192.0.2.1"), "fiber0")],
    ids=["by interface", "by source", "by both"],
)
async def test_an_interface_replaced_between_two_probes_costs_none(pin: Pin) -> None:
    with own_network():
        heard: list[int] = []
        prober = IcmpProber(target("192.0.2.1"), pin, lambda number, _: heard.append(number))
        for number in (0, 1):
            for command in (
                "link add fiber0 type veth peer name far0",
                "address add 192.0.2.1/24 dev fiber0",
                "link set fiber0 up",
                "link set far0 up",
            ):
                ip(command)
            assert prober.send(number) is None
            await asyncio.sleep(0.05)
            ip("link delete fiber0")
        prober.close()
    assert heard == [0, 1]


async def test_without_privileges_the_datagram_kind_serves_where_the_host_allows_it() -> None:
    with own_network():
        PING_GROUPS.write_text("0 2147483647")
        with without_privileges():
            outcome = await probe(target("127.0.0.1"), Pin(), timeout_s=1)
    assert isinstance(outcome, Answered)


async def test_without_privileges_and_without_the_datagram_kind_it_says_so() -> None:
    with own_network(), without_privileges():
        outcome = await probe(target("127.0.0.1"), Pin(), timeout_s=0.2)
    assert outcome == Refused(Refusal.NOT_PERMITTED)
