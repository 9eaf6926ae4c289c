import asyncio
from ipaddress import ip_address

import pytest
import structlog

from probes.dns import DnsProber, DnsTarget, DnsTrouble, trouble_of
from probes.kernel_time import Stamps
from probes.packets.dns import Response
from probes.prober import Answered, Pin, Refusal, Refused, probe
from tests.probes.dns_double import Answer, reply, resolver, says
from tests.probes.own_network import own_network

LOOPBACK = Pin(interface="lo")
NAME = "platform.lab.test"
PLATFORM, PORTAL = ip_address("198.51.100.30"), ip_address("10.0.0.1")


def target(address: str = "127.0.0.1", port: int = 53, **more: object) -> DnsTarget:
    return DnsTarget.model_validate({"kind": "dns", "address": address, "port": port, "name": NAME, **more})


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("code", [pytest.param(0, id="NOERROR"), pytest.param(3, id="NXDOMAIN")])
async def test_a_resolver_that_knows_or_knows_that_there_is_none_is_an_answer(address: str, code: int) -> None:
    async with resolver(says(code=code), address=address) as double:
        outcome = await probe(target(address, double.port), Pin(source=ip_address(address)), timeout_s=1)
    assert isinstance(outcome, Answered)
    assert outcome.stamps is Stamps.KERNEL
    assert 0 <= outcome.rtt_s < 1


@pytest.mark.parametrize(("expected", "kind"), [("198.51.100.30", 1), ("2001:db8::30", 28)])
async def test_the_expected_address_is_asked_for_and_recognised(expected: str, kind: int) -> None:
    async with resolver(says("192.0.2.1", "2001:db8::1", expected)) as double:
        outcome = await probe(target(port=double.port, answers=expected), LOOPBACK, timeout_s=1)
    assert isinstance(outcome, Answered)
    assert double.queries[0][-4:] == bytes([0, kind, 0, 1])


async def test_no_two_questions_are_alike_but_for_the_letters() -> None:
    async with resolver(says()) as double:
        heard: list[int] = []
        prober = DnsProber(target(port=double.port), LOOPBACK, lambda number, _: heard.append(number))
        for number in range(20):
            assert prober.send(number) is None
        while len(heard) < 20:
            await asyncio.sleep(0.001)
        prober.close()
    assert heard == list(range(20))
    assert len({query[:2] for query in double.queries}) == 20
    assert len({query[12:] for query in double.queries}) > 1
    assert {query[12:].lower() for query in double.queries} == {b"\x08platform\x03lab\x04test\0\0\x01\0\x01"}
    assert (prober._asked, prober._idents) == ({}, {})


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        pytest.param(lambda query: [], None, id="silence"),
        pytest.param(lambda query: [b"", b"\xff" * 40, query[:2], query], None, id="noise"),
        pytest.param(lambda query: [b"\0\0" + reply(query)[2:]] if query[:2] != b"\0\0" else [], None, id="another id"),
        pytest.param(lambda query: [reply(query[:12] + query[13:])], None, id="another question"),
        pytest.param(says(code=2), DnsTrouble.SERVFAIL, id="SERVFAIL"),
        pytest.param(says(code=5), DnsTrouble.REFUSED, id="REFUSED"),
        pytest.param(says(code=4), DnsTrouble.ERROR, id="NOTIMP"),
        pytest.param(says("10.0.0.1"), DnsTrouble.WRONG_ANSWER, id="a captive portal"),
        pytest.param(
            lambda query: [reply(query[:12] + query[12:].swapcase())],
            DnsTrouble.REWRITTEN,
            id="letters in another case",
        ),
    ],
)
async def test_what_proves_no_working_line_is_a_loss(answer: Answer, trouble: DnsTrouble | None) -> None:
    async with resolver(answer) as double:
        heard: list[int] = []
        asked = target(port=double.port, answers=str(PLATFORM))
        prober = DnsProber(asked, LOOPBACK, lambda number, _: heard.append(number))
        prober.send(0)
        while not double.queries or prober.trouble is not trouble:
            await asyncio.sleep(0.001)
        double.answer = says(str(PLATFORM))  # the same question is not answered, the next one is
        prober.send(1)
        while not heard:
            await asyncio.sleep(0.001)
        prober.close()
    assert heard == [1]
    assert prober.trouble is None


async def test_trouble_is_told_once_and_once_more_when_it_is_over() -> None:
    async with resolver(says(code=2)) as double:
        with structlog.testing.capture_logs() as logs:
            heard: list[int] = []
            prober = DnsProber(target(port=double.port), LOOPBACK, lambda number, _: heard.append(number))
            for number in range(3):
                prober.send(number)
            while len(double.queries) < 3:
                await asyncio.sleep(0.001)
            double.answer = says()
            prober.send(3)
            while not heard:
                await asyncio.sleep(0.001)
            prober.close()
    assert [(entry["event"], entry["trouble"], entry["before"]) for entry in logs] == [
        ("far_service", "servfail", "none"),
        ("far_service", "none", "servfail"),
    ]


async def test_a_forgotten_number_is_not_heard_of_again() -> None:
    waiting: list[bytes] = []

    def later(query: bytes) -> list[bytes]:
        waiting.append(query)
        return []

    async with resolver(later) as double:
        heard: list[int] = []
        prober = DnsProber(target(port=double.port), LOOPBACK, lambda number, _: heard.append(number))
        prober.send(7)
        while not waiting:
            await asyncio.sleep(0.001)
        prober.forget(7)
        prober.forget(7)
        double.answer = lambda query: [reply(waiting[0]), reply(query)]
        prober.send(8)
        while not heard:
            await asyncio.sleep(0.001)
        prober.close()
    assert heard == [8]


@pytest.mark.parametrize(
    ("response", "trouble"),
    [
        (Response(0, False, ()), DnsTrouble.WRONG_ANSWER),
        (Response(3, False, ()), DnsTrouble.WRONG_ANSWER),
        (Response(0, True, (PLATFORM,)), None),
        (Response(0, False, (PORTAL, PLATFORM)), None),
        (Response(2, False, (PLATFORM,)), DnsTrouble.SERVFAIL),
        (Response(11, False, (PLATFORM,)), DnsTrouble.ERROR),
    ],
)
def test_with_an_expected_address_only_that_one_will_do(response: Response, trouble: DnsTrouble | None) -> None:
    assert trouble_of(response, PLATFORM) is trouble


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
