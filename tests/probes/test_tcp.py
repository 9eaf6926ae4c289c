import asyncio
import socket
from ipaddress import ip_address

import pytest

from probes.kernel_time import Stamps
from probes.prober import Answered, Lost, Pin, Refusal, Refused, probe
from probes.tcp import TcpProber, TcpTarget
from tests.probes.icmp_rejection import FAR, NEAR, rejecting_router
from tests.probes.own_network import own_network

LOOPBACK = Pin(interface="lo")


def target(address: str, port: int) -> TcpTarget:
    return TcpTarget.model_validate({"kind": "tcp", "address": address, "port": port})


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_handshake_is_an_answer_timed_by_the_kernel(address: str) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), address, 0)
    port = server.sockets[0].getsockname()[1]
    outcome = await probe(target(address, port), Pin(source=ip_address(address)), timeout_s=1)
    server.close()
    assert isinstance(outcome, Answered)
    assert outcome.stamps is Stamps.KERNEL
    assert 0 < outcome.rtt_s < 1


async def test_a_reset_is_an_answer_too() -> None:
    with socket.socket() as bound:  # bound, not listening: the kernel resets
        bound.bind(("127.0.0.1", 0))
        outcome = await probe(target("127.0.0.1", bound.getsockname()[1]), LOOPBACK, timeout_s=1)
    assert isinstance(outcome, Answered)
    assert outcome.rtt_s < 1


async def test_silence_is_a_loss_and_leaves_no_socket_behind() -> None:
    with own_network("route add 198.51.100.0/24 dev lo"):
        heard: list[int] = []
        prober = TcpProber(target("198.51.100.30", 443), LOOPBACK, lambda number, _: heard.append(number))
        assert [prober.send(number) for number in range(3)] == [None] * 3
        prober.forget(1)
        assert sorted(prober._open) == [0, 2]
        prober.close()
        assert prober._open == {}
        assert await probe(target("198.51.100.30", 443), LOOPBACK, timeout_s=0.05) == Lost(0.05)
    assert heard == []


async def test_a_handshake_that_needed_a_second_syn_is_no_answer() -> None:
    """The first SYN finds a full backlog; room is made before the kernel tries again after 1 s."""
    loop = asyncio.get_running_loop()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        server.setblocking(False)
        address = server.getsockname()
        first = socket.create_connection(address)
        asking = asyncio.create_task(probe(target("127.0.0.1", address[1]), LOOPBACK, timeout_s=1.5))
        await asyncio.sleep(0.1)
        accepted, _ = await loop.sock_accept(server)
        outcome = await asking
        first.close()
        accepted.close()
    assert outcome == Lost(1.5)


async def test_a_reset_that_needed_a_second_syn_is_no_answer() -> None:
    """The first SYN finds a full backlog; the server is gone before the kernel tries again after 1 s."""
    with socket.socket(socket.AF_INET6) as server:
        server.bind(("::1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        first = socket.create_connection(("::1", port))
        asking = asyncio.create_task(probe(target("::1", port), LOOPBACK, timeout_s=1.5))
        await asyncio.sleep(0.1)
        first.close()
    assert await asking == Lost(1.5)


@pytest.mark.parametrize("version", [4, 6])
async def test_a_router_that_rejects_is_not_the_far_host(version: int) -> None:
    """The kernel calls ICMP "port unreachable" a refused connection, as it does a reset."""
    with rejecting_router(version) as router:
        heard: list[int] = []
        pin = Pin(source=ip_address(NEAR[version]))
        prober = TcpProber(target(FAR[version], 443), pin, lambda number, _: heard.append(number))
        assert prober.send(0) is None
        router.reject_the_syn()
        async with asyncio.timeout(5):
            while prober._open:  # the kernel's word has come
                await asyncio.sleep(0.001)
        prober.close()
    assert heard == []


@pytest.mark.parametrize(
    ("address", "pin", "why"),
    [
        ("198.51.100.30", Pin(), Refusal.NO_ROUTE),
        ("2001:db8::30", Pin(), Refusal.NO_ROUTE),
        ("127.0.0.1", Pin(source=ip_address("192.0.2.7")), Refusal.NO_SOURCE),
        ("127.0.0.1", Pin(interface="nosuch0"), Refusal.INTERFACE_DOWN),
    ],
)
async def test_a_probe_the_kernel_will_not_send_says_why(address: str, pin: Pin, why: Refusal) -> None:
    with own_network():
        assert await probe(target(address, 443), pin, timeout_s=0.2) == Refused(why)


async def test_a_host_the_network_says_is_unreachable_is_silence() -> None:
    """An error that comes back later, by ICMP or from a failed neighbour lookup, is no refusal of our own kernel."""
    with own_network(
        "link add fiber0 type veth peer name far0",
        "address add 192.0.2.1/24 dev fiber0",
        "link set fiber0 up",
        "link set far0 up",
    ):
        assert await probe(target("192.0.2.9", 443), Pin(interface="fiber0"), timeout_s=0.1) == Lost(0.1)
