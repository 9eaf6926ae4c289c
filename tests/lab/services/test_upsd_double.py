"""The upsd that can be broken on purpose, over real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lab.services.upsd_answers import Ailment, Unit
from lab.services.upsd_double import Fault, UpsdDouble

ASK = b"GET VAR network ups.status\n"
OL = b'VAR network ups.status "OL"\n'


def double(**options: object) -> UpsdDouble:
    return UpsdDouble({"network": Unit(variables={"ups.status": "OL"})}, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(5):
            yield reader, writer
    finally:
        writer.close()


async def test_it_answers_and_remembers_what_it_was_asked() -> None:
    upsd = double()
    async with upsd.serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(ASK)
        assert await reader.readline() == OL
    assert upsd.lines == ["GET VAR network ups.status"]


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (Fault.CUT, OL[: len(OL) // 2]),
        (Fault.REFUSE, b""),
    ],
)
async def test_it_hangs_up_before_the_line_is_whole(fault: Fault, heard: bytes) -> None:
    upsd = double()
    upsd.fault = fault
    async with upsd.serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(ASK)
        assert await reader.read() == heard


async def test_it_can_be_silent_and_come_to_itself() -> None:
    upsd = double()
    upsd.fault = Fault.SILENT
    async with upsd.serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(ASK)
        while not upsd.lines:
            await asyncio.sleep(0)
        upsd.fault = Fault.NONE
        writer.write(ASK)
        assert await reader.readline() == OL
        writer.write(b"LOGOUT\n")
        assert await reader.read() == b"OK Goodbye\n"


async def test_garbage_is_a_line_that_is_no_nut() -> None:
    upsd = double()
    upsd.fault = Fault.GARBAGE
    async with upsd.serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(ASK)
        with pytest.raises(UnicodeDecodeError):
            (await reader.readline()).decode()


async def test_an_endless_line_outgrows_any_limit() -> None:
    upsd = double()
    upsd.fault = Fault.ENDLESS
    async with upsd.serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(ASK)
        with pytest.raises(ValueError):
            await reader.readline()


@pytest.mark.parametrize("ailment", [Ailment.STALE, Ailment.DRIVER_LOST])
async def test_all_upses_can_ail_at_once(ailment: Ailment) -> None:
    upsd = double()
    upsd.ail(ailment)
    async with upsd.serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(ASK)
        assert await reader.readline() == f"ERR {ailment.value}\n".encode()


async def test_a_line_of_a_client_that_never_ends_is_hung_up_on() -> None:
    async with double().serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(b"x" * 10_000)
        with pytest.raises((ConnectionError, AssertionError)):
            assert await reader.read() != b""


async def test_tls_begins_when_asked_for(tmp_path: Path) -> None:
    server, client = _contexts(tmp_path)
    async with double(tls=server).serving("127.0.0.1") as port, line_to(port) as (reader, writer):
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"OK STARTTLS\n"
        await writer.start_tls(client, server_hostname="upsd.test")
        writer.write(ASK)
        assert await reader.readline() == OL


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server with a certificate of its own making, and a client that trusts just that."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "upsd.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("upsd.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "upsd.pem").write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "upsd.pem")
    return server, ssl.create_default_context(cadata=pem.decode())
