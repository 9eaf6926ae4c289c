import asyncio
import socket
from ipaddress import ip_address

import pytest
import structlog

from probes.kernel_time import Stamps
from probes.prober import Answered, Lost, Pin, Refusal, Refused, probe
from probes.stun import StunProber, StunTarget, StunTrouble
from tests.probes import stun_double
from tests.probes.own_network import own_network
from tests.probes.stun_double import stun_server

LOOPBACK = Pin(interface="lo")


def target(address: str = "127.0.0.1", port: int = 3478) -> StunTarget:
    return StunTarget.model_validate({"kind": "stun", "address": address, "port": port})


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_binding_tells_the_address_the_server_saw_and_is_timed_by_the_kernel(address: str) -> None:
    async with stun_server(address=address) as server:
        outcome = await probe(target(address, server.port), Pin(source=ip_address(address)), timeout_s=1)
    assert isinstance(outcome, Answered)
    assert outcome.mapped == address == server.clients[0][0]
    assert outcome.stamps is Stamps.KERNEL
    assert 0 <= outcome.rtt_s < 1


async def test_the_mapped_address_is_that_of_the_last_nat() -> None:
    def from_outside(request: bytes, seen: tuple[str, int]) -> list[bytes]:
        return stun_double.binding(request, ("203.0.113.9", 61000))

    async with stun_server(from_outside) as server:
        outcome = await probe(target(port=server.port), LOOPBACK, timeout_s=1)
    assert isinstance(outcome, Answered)
    assert outcome.mapped == "203.0.113.9"


async def test_no_two_requests_share_a_transaction() -> None:
    async with stun_server() as server:
        heard: list[int] = []
        prober = StunProber(target(port=server.port), LOOPBACK, lambda number, _: heard.append(number))
        for number in range(20):
            assert prober.send(number) is None
        while len(heard) < 20:
            await asyncio.sleep(0.001)
        prober.close()
    assert heard == list(range(20))
    assert len({request[8:20] for request in server.requests}) == 20
    assert {request[:8] for request in server.requests} == {bytes.fromhex("000100002112a442")}
    assert (prober._sent, prober._transactions) == ({}, {})


async def test_a_server_that_declines_is_there_and_is_told_of_once() -> None:
    answers: list[Answered] = []
    async with stun_server(stun_double.declined) as server:
        prober = StunProber(target(port=server.port), LOOPBACK, lambda _, answered: answers.append(answered))
        with structlog.testing.capture_logs() as logs:
            for number in range(3):
                prober.send(number)
                while len(answers) <= number:
                    await asyncio.sleep(0.001)
            declined = prober.trouble
            server.answer = stun_double.binding
            prober.send(3)
            while len(answers) < 4:
                await asyncio.sleep(0.001)
        prober.close()
    assert [answered.mapped for answered in answers] == [None, None, None, "127.0.0.1"]
    assert (declined, prober.trouble) == (StunTrouble.DECLINED, None)
    assert [(entry["trouble"], entry["detail"]) for entry in logs] == [
        ("declined", "STUN error 401 'Unauthorized'"),
        ("none", ""),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda request, seen: [], id="silence"),
        pytest.param(lambda request, seen: [b"", b"\xff" * 40, request], id="noise"),
        pytest.param(
            lambda request, seen: stun_double.binding(request[:8] + bytes(12), seen), id="another transaction"
        ),
        pytest.param(
            lambda request, seen: [stun_double.message(transaction=request[8:20])], id="an answer without an address"
        ),
    ],
)
async def test_what_is_no_answer_is_a_loss(answer: stun_double.Answer) -> None:
    async with stun_server(answer) as server:
        assert await probe(target(port=server.port), LOOPBACK, timeout_s=0.05) == Lost(0.05)


async def test_an_answer_from_another_port_is_not_the_servers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:

        def from_elsewhere(request: bytes, seen: tuple[str, int]) -> list[bytes]:
            other.sendto(stun_double.binding(request, seen)[0], seen)
            return []

        async with stun_server(from_elsewhere) as server:
            assert await probe(target(port=server.port), LOOPBACK, timeout_s=0.05) == Lost(0.05)


async def test_a_forgotten_number_is_not_heard_of_again() -> None:
    waiting: list[tuple[bytes, tuple[str, int]]] = []

    def later(request: bytes, seen: tuple[str, int]) -> list[bytes]:
        waiting.append((request, seen))
        return []

    async with stun_server(later) as server:
        heard: list[int] = []
        prober = StunProber(target(port=server.port), LOOPBACK, lambda number, _: heard.append(number))
        prober.send(7)
        while not waiting:
            await asyncio.sleep(0.001)
        prober.forget(7)
        prober.forget(7)
        server.answer = lambda request, seen: [
            stun_double.binding(*waiting[0])[0],
            stun_double.binding(request, seen)[0],
        ]
        prober.send(8)
        while not heard:
            await asyncio.sleep(0.001)
        prober.close()
    assert heard == [8]


@pytest.mark.parametrize(
    ("address", "pin", "why"),
    [
        ("198.51.100.20", Pin(), Refusal.NO_ROUTE),
        ("2001:db8::20", Pin(), Refusal.NO_ROUTE),
        ("127.0.0.1", Pin(source=ip_address("192.0.2.7")), Refusal.NO_SOURCE),
        ("127.0.0.1", Pin(interface="nosuch0"), Refusal.INTERFACE_DOWN),
    ],
)
async def test_a_probe_the_kernel_will_not_send_says_why(address: str, pin: Pin, why: Refusal) -> None:
    with own_network():
        assert await probe(target(address), pin, timeout_s=0.2) == Refused(why)
