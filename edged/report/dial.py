"""From a broker's name to a connected socket, within a deadline and without a thread that could outlive it.

aiomqtt connects in an executor thread that cannot be cancelled: it would go on, connect late under our client id, and
throw the connection made meanwhile off the broker.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

from edged.report.errors import LineDown
from edged.report.reading import BrokerCause
from edged.report.settings import BrokerSettings, TlsSettings

Address: TypeAlias = tuple[Any, ...]
"""As getaddrinfo(3) gives it: its shape depends on the family."""


async def dial(settings: BrokerSettings) -> socket.socket:
    """A connected, non-blocking TCP socket. Raises LineDown; the deadline is the caller's."""
    refused: OSError | None = None
    for family, address in await _resolve(settings.host, settings.port):
        try:
            return await _connect(socket.socket(family, socket.SOCK_STREAM), address, settings)
        except OSError as error:
            refused = error
    if isinstance(refused, ConnectionRefusedError):
        raise LineDown(BrokerCause.REFUSED, str(refused)) from refused
    raise LineDown(BrokerCause.UNREACHABLE, str(refused)) from refused


async def _connect(sock: socket.socket, address: Address, settings: BrokerSettings) -> socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What the kernel cannot deliver for this long ends the connection, also when only a ping is under way.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * settings.puback_timeout_s))
        if settings.source_address:
            sock.bind((str(settings.source_address), 0))
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _resolve(host: str, port: int) -> list[tuple[int, Address]]:
    """getaddrinfo(3) in a thread nobody waits for: with dead name servers it takes long and cannot be stopped."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[tuple[int, Address]]] = loop.create_future()

    def settle(addresses: list[tuple[int, Address]], error: Exception | None) -> None:
        if found.done():
            return
        if error:
            found.set_exception(LineDown(BrokerCause.NAME, f"{host}: {error}"))
        else:
            found.set_result(addresses)

    def look_up() -> None:
        addresses: list[tuple[int, Address]] = []
        refusal: Exception | None = None
        try:
            addresses = [(entry[0], entry[4]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:  # UnicodeError: what is no host name at all
            refusal = error
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, addresses, refusal)

    Thread(target=look_up, name="edged-resolve", daemon=True).start()
    return await found


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
