"""A CA of the test's own, the certificates it signs, and servers on loopback: honest ones, and such as are not."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "platform.lab.test"
_DAY = datetime.timedelta(days=1)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Signs certificates that are valid from `from_day` to `to_day`, counted from today."""

    def __init__(self, directory: Path, name: str = "Lab CA") -> None:
        self._directory, self._name = directory, _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca_file = directory / f"{name.replace(' ', '-')}.pem"
        self.ca_file.write_bytes(self._sign(self._name, self._key, -9, 9, ca=True))

    def certificate(self, name: str = NAME, *, from_day: int = -1, to_day: int = 1) -> Path:
        """A file with key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self._directory / f"{name}{from_day}{to_day}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + self._sign(_named(name), key, from_day, to_day, ca=False))
        return path

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, first: int, last: int, *, ca: bool) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        common = name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + first * _DAY)
            .not_valid_after(now + last * _DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(str(common).replace(" ", "-"))]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def outspoken(context: ssl.SSLContext, heard: list[str] | None = None) -> Handler:
    """TLS over a bare connection, for `odd_server`: unlike asyncio's own it sends its alerts, and `heard` gets those
    it was sent.
    """

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(arrived, leaving, server_side=True)
        while data := await reader.read(16384):
            arrived.write(data)
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                if heard is not None:
                    heard.append(error.reason or "")
                return
            finally:
                writer.write(leaving.read())

    return handler


@dataclass
class Server:
    port: int = 0
    connections: int = 0
    endings: list[object] = field(default_factory=list)
    """Of each connection that is over: the application data it brought, or the error it broke with."""


@asynccontextmanager
async def tls_server(context: ssl.SSLContext, *, address: str = "127.0.0.1") -> AsyncIterator[Server]:
    """Reads each connection to its end."""
    server = Server()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            server.endings.append(await reader.read())
        except OSError as error:
            server.endings.append(error)
        writer.close()

    listening = await asyncio.start_server(take, address, 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def odd_server(handler: Handler, *, address: str = "127.0.0.1") -> AsyncIterator[Server]:
    """Speaks no TLS of its own: `handler` has the bare connection, and the server waits for it at the end."""
    server, tasks = Server(), set[asyncio.Task[None]]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.CancelledError) as error:
            server.endings.append(error)
        else:
            server.endings.append(b"")
        writer.close()

    listening = await asyncio.start_server(take, address, 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
