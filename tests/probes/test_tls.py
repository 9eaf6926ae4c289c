import asyncio
import gc
import os
import socket
import ssl
import struct
from ipaddress import ip_address
from pathlib import Path

import pytest
import structlog

from probes.errors import MisuseError
from probes.prober import Answered, Lost, Pin, Refusal, Refused, probe
from probes.tls import TlsProber, TlsTarget
from probes.tls_handshake import TlsTrouble
from tests.probes.icmp_rejection import FAR, NEAR, rejecting_router
from tests.probes.own_network import own_network
from tests.probes.tls_double import NAME, Authority, Handler, odd_server, outspoken, server_context, tls_server

LOOPBACK = Pin(interface="lo")
HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def open_files() -> int:
    gc.collect()  # what earlier tests left behind is not ours to count
    return len(os.listdir("/proc/self/fd"))


def target(authority: Authority, port: int, *, address: str = "127.0.0.1", **more: object) -> TlsTarget:
    table = {"kind": "tls", "address": address, "port": port, "server_name": NAME, "ca_file": authority.ca_file}
    return TlsTarget.model_validate(table | more)


async def found(asked: TlsTarget) -> tuple[Answered, TlsTrouble | None]:
    """The answer to one probe, and what the prober then holds of the service."""
    answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
    prober = TlsProber(asked, LOOPBACK, lambda _, answered: answer.set_result(answered))
    assert prober.send(0) is None
    try:
        async with asyncio.timeout(10):
            return await answer, prober.trouble
    finally:
        prober.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def test_a_whole_handshake_is_an_answer(authority: Authority, address: str, version: ssl.TLSVersion) -> None:
    context = server_context(authority.certificate())
    context.minimum_version = context.maximum_version = version
    async with tls_server(context, address=address) as server:
        asked = target(authority, server.port, address=address)
        outcome = await probe(asked, Pin(source=ip_address(address)), timeout_s=5)
        _, trouble = await found(asked)
    assert isinstance(outcome, Answered)
    assert 0 < outcome.rtt_s < 5
    assert trouble is None


async def test_it_says_goodbye_and_not_a_byte_more(authority: Authority) -> None:
    answers: list[int] = []
    async with tls_server(server_context(authority.certificate())) as server:
        prober = TlsProber(target(authority, server.port), LOOPBACK, lambda number, _: answers.append(number))
        for number in range(3):
            prober.send(number)
        while len(server.endings) < 3:
            await asyncio.sleep(0.001)
        prober.close()
    assert sorted(answers) == [0, 1, 2]
    assert server.endings == [b"", b"", b""]


async def test_a_server_that_insists_on_a_protocol_is_offered_it(authority: Authority) -> None:
    context = server_context(authority.certificate())
    context.set_alpn_protocols(["mqtt"])
    async with tls_server(context) as server:
        offers: list[object] = []

        def look(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            offers.append(name)

        context.sni_callback = look
        assert (await found(target(authority, server.port, alpn=["mqtt", "h2"])))[1] is None
    assert offers == [NAME]


@pytest.mark.parametrize(
    ("name", "days", "trouble"),
    [
        (NAME, (-3, -1), TlsTrouble.EXPIRED),
        (NAME, (1, 3), TlsTrouble.NOT_YET_VALID),
        ("other.lab.test", (-1, 1), TlsTrouble.WRONG_NAME),
    ],
)
async def test_a_bad_certificate_is_an_answer_with_its_cause(
    authority: Authority, name: str, days: tuple[int, int], trouble: TlsTrouble
) -> None:
    certificate = authority.certificate(name, from_day=days[0], to_day=days[1])
    async with tls_server(server_context(certificate)) as server:
        assert (await found(target(authority, server.port)))[1] is trouble


@pytest.mark.parametrize("ca_file", [True, False], ids=["another CA", "the system's CAs"])
async def test_a_certificate_of_an_unknown_ca_is_told(authority: Authority, tmp_path: Path, ca_file: bool) -> None:
    known = Authority(tmp_path, "Other CA").ca_file if ca_file else None
    async with tls_server(server_context(authority.certificate())) as server:
        assert (await found(target(authority, server.port, ca_file=known)))[1] is TlsTrouble.UNKNOWN_CA


async def test_the_server_is_told_what_is_wrong_with_its_certificate(authority: Authority) -> None:
    heard: list[str] = []
    context = server_context(authority.certificate("other.lab.test"))
    async with odd_server(outspoken(context, heard)) as server:
        assert (await found(target(authority, server.port)))[1] is TlsTrouble.WRONG_NAME
        while not heard:
            await asyncio.sleep(0.001)
    assert heard == ["SSLV3_ALERT_BAD_CERTIFICATE"]


async def test_an_old_server_is_told(authority: Authority) -> None:
    context = server_context(authority.certificate())
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with odd_server(outspoken(context)) as server:
        assert (await found(target(authority, server.port)))[1] is TlsTrouble.OLD_PROTOCOL


async def test_a_server_that_knows_no_such_name_says_so_by_an_alert(authority: Authority) -> None:
    context = server_context(authority.certificate())
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    async with odd_server(outspoken(context)) as server:
        assert (await found(target(authority, server.port)))[1] is TlsTrouble.ALERT


def says(data: bytes, *, after_hello: bool = True) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if after_hello:
            await reader.read(16384)
        writer.write(data)
        await writer.drain()

    return handler


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(16384)
    bare: socket.socket = writer.get_extra_info("socket")
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("@ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize(
    ("handler", "trouble"),
    [
        pytest.param(says(HTTP), TlsTrouble.PLAINTEXT, id="a web server without TLS"),
        pytest.param(says(b"220 mail ESMTP\r\n", after_hello=False), TlsTrouble.PLAINTEXT, id="a server with a banner"),
        pytest.param(says(HANDSHAKE_FAILURE), TlsTrouble.ALERT, id="an alert"),
        pytest.param(says(b"\x16\x03\x03\x00\x10" + b"\xff" * 16), TlsTrouble.GARBLED, id="noise in a record"),
        pytest.param(says(b""), TlsTrouble.CLOSED, id="closed at once"),
        pytest.param(says(b"\x16\x03\x03\x00\x10\x02"), TlsTrouble.CLOSED, id="closed inside a record"),
        pytest.param(says(b"\x16\x03\x03\x00\x04" + bytes(4)), TlsTrouble.CLOSED, id="hello request, then closed"),
        pytest.param(resets, TlsTrouble.RESET, id="reset"),
    ],
)
async def test_whoever_breaks_off_the_handshake_is_there(
    authority: Authority, handler: Handler, trouble: TlsTrouble
) -> None:
    async with odd_server(handler) as server:
        answered, why = await found(target(authority, server.port))
    assert why is trouble
    assert 0 < answered.rtt_s < 10


async def test_a_host_that_refuses_the_connection_is_there(authority: Authority) -> None:
    with socket.socket() as bound:  # bound, not listening: the kernel resets
        bound.bind(("127.0.0.1", 0))
        assert (await found(target(authority, bound.getsockname()[1])))[1] is TlsTrouble.RESET


async def test_a_server_silent_after_accepting_is_a_loss_and_no_socket_stays(authority: Authority) -> None:
    before = open_files()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await probe(target(authority, port), LOOPBACK, timeout_s=0.1) == Lost(0.1)
        heard: list[int] = []
        prober = TlsProber(target(authority, port), LOOPBACK, lambda number, _: heard.append(number))
        for number in range(3):
            prober.send(number)
        await asyncio.sleep(0.02)
        prober.forget(1)
        prober.forget(1)
        assert sorted(prober._open) == [0, 2]
        prober.close()
        assert (prober._open, heard) == ({}, [])
    assert open_files() == before


async def test_a_server_that_never_closes_costs_one_socket(authority: Authority) -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(16384)
        writer.write(HANDSHAKE_FAILURE)
        await asyncio.sleep(60)

    async with odd_server(hold) as server:
        heard: list[int] = []
        prober = TlsProber(target(authority, server.port), LOOPBACK, lambda number, _: heard.append(number))
        before = open_files()
        for number in range(5):
            prober.send(number)
            while len(heard) <= number:
                await asyncio.sleep(0.001)
        # The server's five are this process's too.
        assert open_files() - before == 5 + 1
        prober.close()
        assert open_files() - before == 5


async def test_a_change_of_the_service_is_told_once(authority: Authority) -> None:
    expired = authority.certificate(from_day=-3, to_day=-1)
    context = server_context(expired)
    with structlog.testing.capture_logs() as logs:
        async with tls_server(context) as server:
            heard: list[int] = []
            prober = TlsProber(target(authority, server.port), LOOPBACK, lambda number, _: heard.append(number))
            for number in range(4):
                if number == 3:
                    context.load_cert_chain(authority.certificate())
                prober.send(number)
                while len(heard) <= number:
                    await asyncio.sleep(0.001)
            prober.close()
    assert [(entry["target"], entry["trouble"], entry["detail"]) for entry in logs] == [
        (f"tls 127.0.0.1 port {server.port}", "expired", "certificate has expired"),
        (f"tls 127.0.0.1 port {server.port}", "none", ""),
    ]


@pytest.mark.parametrize("version", [4, 6])
async def test_a_router_that_rejects_is_silence(authority: Authority, version: int) -> None:
    with rejecting_router(version) as router:
        heard: list[int] = []
        pin = Pin(source=ip_address(NEAR[version]))
        prober = TlsProber(target(authority, 443, address=FAR[version]), pin, lambda number, _: heard.append(number))
        assert prober.send(0) is None
        router.reject_the_syn()
        async with asyncio.timeout(5):
            while prober._open:
                await asyncio.sleep(0.001)
        prober.close()
    assert heard == []


async def test_a_ca_file_that_cannot_serve_is_our_own_mistake(authority: Authority, tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    asked = target(authority, 443, ca_file=empty)
    with pytest.raises(MisuseError, match="holds no CA certificate in PEM"):
        asked.prober(LOOPBACK, lambda *_: None)
    empty.unlink()
    with pytest.raises(MisuseError, match="cannot read the CA in"):
        asked.prober(LOOPBACK, lambda *_: None)


@pytest.mark.parametrize(
    ("address", "pin", "why"),
    [
        ("198.51.100.30", Pin(), Refusal.NO_ROUTE),
        ("2001:db8::30", Pin(), Refusal.NO_ROUTE),
        ("127.0.0.1", Pin(source=ip_address("192.0.2.7")), Refusal.NO_SOURCE),
        ("127.0.0.1", Pin(interface="nosuch0"), Refusal.INTERFACE_DOWN),
    ],
)
async def test_a_probe_the_kernel_will_not_send_says_why(
    authority: Authority, address: str, pin: Pin, why: Refusal
) -> None:
    with own_network():
        assert await probe(target(authority, 443, address=address), pin, timeout_s=0.2) == Refused(why)
