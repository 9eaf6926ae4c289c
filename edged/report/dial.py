"""From a broker's name to a connected socket, within a deadline and without a thread that could outlive it.

aiomqtt connects in an executor thread that cannot be cancelled: it would go on, connect late under our client id, and
throw the connection made meanwhile off the broker.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from edged.report.errors import LineDown
from edged.report.names import Address, Names
from edged.report.reading import BrokerCause
from edged.report.settings import TlsSettings


@dataclass(frozen=True, slots=True)
class Way:
    """How a connection is bound to a link; neither: as the routing table says."""

    source: str | None = None
    """Address of this box that the router sends out by this link."""
    interface: str | None = None


ANY_WAY = Way()


async def dial(server: tuple[str, int], way: Way, names: Names, *, dead_after_s: float) -> socket.socket:
    """A connected, non-blocking TCP socket; what the kernel cannot deliver for `dead_after_s` ends it. Raises LineDown;
    the deadline for connecting is the caller's.
    """
    refused: OSError | None = None
    for family, address in await names.resolve(server):
        try:
            return await _connect(socket.socket(family, socket.SOCK_STREAM), address, way, dead_after_s)
        except OSError as error:
            refused = error
    names.doubt(server)
    if isinstance(refused, ConnectionRefusedError):
        raise LineDown(BrokerCause.REFUSED, str(refused)) from refused
    raise LineDown(BrokerCause.UNREACHABLE, str(refused)) from refused


async def _connect(sock: socket.socket, address: Address, way: Way, dead_after_s: float) -> socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * dead_after_s))
        if way.interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, way.interface.encode())
        if way.source:
            sock.bind((way.source, 0))
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's name checked. Reads files. Raises LineDown."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        files = [str(file) for file in (settings.ca_file, settings.cert_file, settings.key_file) if file]
        raise LineDown(BrokerCause.FILES, f"{', '.join(files)}: {error}") from error
    return context


def password(file: Path) -> str:
    """The first line. Raises LineDown."""
    try:
        return file.read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError) as error:
        raise LineDown(BrokerCause.FILES, f"{file}: {error}") from error
