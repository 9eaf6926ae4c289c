"""The client against a real snmpd, and against a peer that talks nonsense."""

import asyncio
import logging
import shutil
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from tests.wan.agent import AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, USER, Agent, free_port
from tests.wan.garbage import Reply, garbage_server
from tests.wan.routers import PEPLINK, UPTIME, gateway_of, state_of
from wan.credentials import Community, Credentials, User
from wan.errors import RouterFault
from wan.reading import RouterCause
from wan.snmp import SnmpClient
from wan.snmp_port import SnmpPort
from wan.survey import Survey
from wan.varbinds import Oid, Value, oid

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAB = User(USER, "SHA-256", AUTH_PASSWORD, "AES-128", PRIV_PASSWORD)
EVERYONE: tuple[Credentials, ...] = (
    Community(COMMUNITY),
    LAB,
    User("long", "SHA-512", AUTH_PASSWORD, "AES-256", PRIV_PASSWORD),
    User("cisco", "SHA-384", AUTH_PASSWORD, "AES-256-C", PRIV_PASSWORD),
    User("old", "SHA-1", AUTH_PASSWORD, "AES-192", PRIV_PASSWORD),
    User("plain", "SHA-224", AUTH_PASSWORD, None, ""),
    User("nobody", None, "", None, ""),
)


def client(
    port: SnmpPort,
    udp_port: int,
    who: Credentials = LAB,
    *,
    host: str = "127.0.0.1",
    timeout_s: float = 0.5,
    retries: int = 0,
) -> SnmpClient:
    return SnmpClient(port, who, host=host, udp_port=udp_port, timeout_s=timeout_s, retries=retries)


async def fault(asking: Awaitable[Any]) -> RouterCause:
    with pytest.raises(RouterFault) as caught:
        await asking
    return caught.value.cause


@pytest.mark.parametrize("who", EVERYONE, ids=lambda who: who.name)
async def test_everyone_whom_the_agent_knows_is_answered(port: SnmpPort, agent: Agent, who: Credentials) -> None:
    uptime = (await client(port, agent.port, who).get((UPTIME,)))[UPTIME]
    assert isinstance(uptime, int)


async def test_values_are_plain_and_what_is_missing_is_none(port: SnmpPort, agent: Agent) -> None:
    asked: dict[Oid, Value] = {
        state_of(0): 3,
        gateway_of(0): "100.64.1.1",
        (*PEPLINK, *oid("2.1.2.1.2.0")): b"WAN",
        (*PEPLINK, *oid("2.1.2.1.5.0")): -9999,
        oid("1.3.6.1.2.1.1.2.0"): "1.3.6.1.4.1.8072.3.2.10",
        oid("1.3.6.1.2.1.1.1.0"): b"Peplink Balance 20X",
        state_of(9): None,
        oid("1.3.6.1.4.1.27662.2.1.1.0"): None,
    }
    assert await client(port, agent.port).get(tuple(asked)) == asked


@pytest.mark.parametrize("who", EVERYONE[:2], ids=["v2c", "v3"])
async def test_a_walk_finds_a_whole_table(port: SnmpPort, agent: Agent, who: Credentials) -> None:
    asking, survey = client(port, agent.port, who), Survey([(*PEPLINK, *oid("2.1.2.1")), oid("1.3.6.1.4.1.99999")])
    while (start := survey.next_request()) is not None:
        survey.feed(await asking.rows_after(start))
    assert len(survey.found) == 24
    assert survey.found[state_of(1)] == 8


@pytest.mark.parametrize(
    ("who", "cause"),
    [
        pytest.param(Community("wrong"), RouterCause.NO_ANSWER, id="a wrong community is met with silence"),
        pytest.param(User(USER, "SHA-256", "wrong-auth", "AES-128", PRIV_PASSWORD), RouterCause.AUTH, id="wrong auth"),
        pytest.param(User(USER, "SHA-1", AUTH_PASSWORD, "AES-128", PRIV_PASSWORD), RouterCause.AUTH, id="other hash"),
        pytest.param(
            User("who", "SHA-256", AUTH_PASSWORD, "AES-128", PRIV_PASSWORD), RouterCause.AUTH, id="other user"
        ),
        pytest.param(
            User(USER, "SHA-256", AUTH_PASSWORD, None, ""), RouterCause.AUTH, id="not encrypted, but it must be"
        ),
        pytest.param(
            User(USER, "SHA-256", AUTH_PASSWORD, "AES-128", "wrong-priv"), RouterCause.NO_ANSWER, id="wrong priv"
        ),
    ],
)
async def test_who_is_refused_learns_what_the_agent_tells(
    port: SnmpPort, agent: Agent, who: Credentials, cause: RouterCause
) -> None:
    assert await fault(client(port, agent.port, who, timeout_s=0.3).get((UPTIME,))) is cause
    assert await client(port, agent.port).get((UPTIME,))


async def test_nobody_there_is_no_answer(port: SnmpPort) -> None:
    assert await fault(client(port, free_port(), timeout_s=0.1, retries=1).get((UPTIME,))) is RouterCause.NO_ANSWER


async def test_a_name_that_leads_nowhere_is_no_answer(port: SnmpPort) -> None:
    assert await fault(client(port, 161, host="no-such-host.invalid").get((UPTIME,))) is RouterCause.NO_ANSWER


async def test_a_name_is_looked_up(port: SnmpPort, agent: Agent) -> None:
    asking = client(port, agent.port, host="localhost", timeout_s=1.0)
    if socket.getaddrinfo("localhost", agent.port, type=socket.SOCK_DGRAM)[0][4][0] == "127.0.0.1":
        assert await asking.get((UPTIME,))
    else:  # the agent listens on IPv4 alone
        assert await fault(asking.get((UPTIME,))) is RouterCause.NO_ANSWER


def another_id(question: bytes) -> list[bytes]:
    """A proper answer to a question nobody asked."""
    message, _ = decoder.decode(question, asn1Spec=v2c.Message())
    answer = v2c.GetResponsePDU()
    v2c.apiPDU.set_defaults(answer)
    v2c.apiPDU.set_varbinds(answer, [(UPTIME, v2c.TimeTicks(1))])
    reply = v2c.Message()
    v2c.apiMessage.set_defaults(reply)
    v2c.apiMessage.set_community(reply, COMMUNITY)
    v2c.apiMessage.set_pdu(reply, answer)
    assert v2c.apiPDU.get_request_id(answer) != v2c.apiPDU.get_request_id(v2c.apiMessage.get_pdu(message))
    return [encoder.encode(reply)]


def other_oid(question: bytes) -> list[bytes]:
    """The right request-id, but another OID."""
    message, _ = decoder.decode(question, asn1Spec=v2c.Message())
    answer = v2c.apiPDU.get_response(v2c.apiMessage.get_pdu(message))
    v2c.apiPDU.set_varbinds(answer, [((1, 3, 6, 1), v2c.Integer32(1))])
    v2c.apiMessage.set_pdu(message, answer)
    return [encoder.encode(message)]


def general_error(question: bytes) -> list[bytes]:
    message, _ = decoder.decode(question, asn1Spec=v2c.Message())
    answer = v2c.apiPDU.get_response(v2c.apiMessage.get_pdu(message))
    v2c.apiPDU.set_error_status(answer, 5)
    v2c.apiMessage.set_pdu(message, answer)
    return [encoder.encode(message)]


NONSENSE: list[tuple[str, Reply, RouterCause]] = [
    ("nothing", lambda question: [], RouterCause.NO_ANSWER),
    ("text", lambda question: [b"HTTP/1.1 400 Bad Request\r\n\r\n"], RouterCause.MALFORMED),
    ("zeros", lambda question: [bytes(500)], RouterCause.MALFORMED),
    ("ones", lambda question: [b"\xff" * 500], RouterCause.MALFORMED),
    ("cut BER", lambda question: [question[: len(question) // 2]], RouterCause.MALFORMED),
    ("BER cut at every place", lambda question: [question[:n] for n in range(len(question))], RouterCause.MALFORMED),
    (
        "every bit flipped",
        lambda question: [_flipped(question, bit) for bit in range(0, 8 * len(question), 5)],
        RouterCause.MALFORMED,
    ),
    ("lengths that lie", lambda question: [b"\x30\x84\xff\xff\xff\xff\x02\x01\x01"], RouterCause.MALFORMED),
    ("indefinite depth", lambda question: [b"\x30\x80" * 1500], RouterCause.MALFORMED),
    ("a datagram too long", lambda question: [b"\x30" * 9000], RouterCause.MALFORMED),
    (
        "SNMP version 77",
        lambda question: [_version_77(question)],
        RouterCause.MALFORMED,
    ),
    ("an SNMPv3 message of nothing", lambda question: [bytes.fromhex("3003020103")], RouterCause.MALFORMED),
    ("an answer to another question", another_id, RouterCause.NO_ANSWER),
    ("another OID", other_oid, RouterCause.MALFORMED),
    ("an error status", general_error, RouterCause.MALFORMED),
]


V2C_ONLY = (another_id, other_oid, general_error)


def _version_77(message: bytes) -> bytes:
    at = message.index(b"\x02\x01") + 2
    return message[:at] + b"\x4d" + message[at + 1 :]


def _flipped(datagram: bytes, bit: int) -> bytes:
    changed = bytearray(datagram)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("who", EVERYONE[:2], ids=["v2c", "v3"])
async def test_nonsense_is_a_fault_with_a_cause_and_the_next_router_is_heard(
    port: SnmpPort, agent: Agent, who: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    for what, reply, cause in NONSENSE:
        if isinstance(who, User) and reply in V2C_ONLY:
            continue
        async with garbage_server(reply) as server:
            found = await fault(client(port, server.port, who, timeout_s=0.2).get((UPTIME,)))
            assert server.asked, what
        assert found is cause, what
    assert await client(port, agent.port, who).get((UPTIME,))
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []  # nor asyncio's last resort


async def test_what_comes_from_where_we_never_asked_is_not_decoded(port: SnmpPort) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for sock in (peer, other):
            sock.bind(("127.0.0.1", 0))
        assert await fault(client(port, peer.getsockname()[1], timeout_s=0.05).get((UPTIME,))) is RouterCause.NO_ANSWER
        for sock in (peer, other):
            for datagram in (b"", b"\x30", b"\x30\x82", bytes(60_000)):
                sock.sendto(datagram, ("127.0.0.1", _own_udp_port(port)))
        await asyncio.sleep(0.05)
        assert port.undecodable_from(peer.getsockname()) == 4
        assert port.undecodable_from(other.getsockname()) == 0


def _own_udp_port(port: SnmpPort) -> int:
    transport = port.engine.transport_dispatcher.get_transport((1, 3, 6, 1, 6, 1, 1))
    number: int = transport.transport.get_extra_info("sockname")[1]
    return number


async def test_a_cancelled_question_leaves_the_port_in_order(port: SnmpPort, agent: Agent) -> None:
    await client(port, agent.port).get((UPTIME,))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await client(port, free_port(), timeout_s=0.5).get((UPTIME,))
    assert await client(port, agent.port).get((UPTIME,))


async def test_a_restarted_agent_is_heard_in_the_same_question_even_as_another_engine(
    port: SnmpPort, tmp_path: Path
) -> None:
    agent = Agent(tmp_path)
    agent.start()
    try:
        asking = client(port, agent.port, timeout_s=0.3, retries=1)
        assert await asking.get((UPTIME,))
        agent.kill()
        assert await fault(asking.get((UPTIME,))) is RouterCause.NO_ANSWER
        shutil.rmtree(tmp_path / "state")  # a new engine id, as after a factory reset
        agent.start()
        assert await asking.get((UPTIME,))
        agent.kill()
        agent.start()
        assert await asking.get((UPTIME,))
    finally:
        agent.kill()


async def test_steps_of_the_wall_clock_do_not_matter(
    port: SnmpPort, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, now = client(port, agent.port), 1_800_000_000.0
    shifted = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("pysnmp.proto.secmod.rfc3414.service.time", shifted)
    monkeypatch.setattr("pysnmp.carrier.asyncio.dispatch.time", shifted.time)
    for step in (0, 86_400, -172_800, 151):
        now += step
        assert await asking.get((UPTIME,)), step
        await asyncio.sleep(0.11)  # pysnmp's tick sees each
    assert await fault(client(port, free_port(), timeout_s=0.05).get((UPTIME,))) is RouterCause.NO_ANSWER
    async with asyncio.timeout(2):  # pysnmp clears its table of questions too
        while port.engine.transport_dispatcher.jobs_are_pending():
            await asyncio.sleep(0.05)


async def test_a_v3_poll_stays_one_datagram_however_long_it_goes_on(
    port: SnmpPort, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pysnmp alone asks twice from the sixth minute on: its ticks are played here, 100 ms each."""
    asking = client(port, agent.port)
    await asking.get((UPTIME,))
    sent = _count_sent(port, monkeypatch)
    exchanges = []
    for second in range(700):
        for _tick in range(10):
            port.engine._SnmpEngine__receive_timer_tick_callback(0.0)
        before = len(sent)
        if second % 10 == 0:
            await asking.get((UPTIME,))
            exchanges.append(len(sent) - before)
    assert exchanges.count(1) >= len(exchanges) - 4, exchanges


def _count_sent(port: SnmpPort, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    transport = port.engine.transport_dispatcher.get_transport((1, 3, 6, 1, 6, 1, 1))
    sent: list[int] = []
    send: Callable[..., None] = transport.send_message

    def counting(message: bytes, address: Any) -> None:
        sent.append(len(message))
        send(message, address)

    monkeypatch.setattr(transport, "send_message", counting)
    return sent
