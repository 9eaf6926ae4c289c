"""A phone on loopback that answers SIP as it is told to, over UDP and TCP, with a parser of its own."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

Answer = Callable[[str], list[bytes]]


def header(request: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)\r$", request, re.MULTILINE)
    assert found, f"no {name} in {request!r}"
    return found[1]


def response(request: str, code: int = 200, reason: str = "OK", body: bytes = b"") -> bytes:
    """What RFC 3261 section 8.2.6 makes of a request, with received and rport filled in as by RFC 3581."""
    via = header(request, "Via").replace(";rport", ";received=127.0.0.1;rport=5060")
    head = (
        f"SIP/2.0 {code} {reason}\r\nVia: {via}\r\nFrom: {header(request, 'From')}\r\n"
        f"To: {header(request, 'To')};tag=a6c85cf\r\nCall-ID: {header(request, 'Call-ID')}\r\n"
        f"CSeq: {header(request, 'CSeq')}\r\nAllow: INVITE, ACK, OPTIONS, BYE\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answers(code: int, reason: str = "Reason") -> Answer:
    return lambda request: [response(request, code, reason)]


def silence(request: str) -> list[bytes]:
    return []


@dataclass
class Phone:
    """Change `answer` at any time; `requests` are those it received."""

    answer: Answer
    port: int = 0
    requests: list[str] = field(default_factory=list)

    def take(self, request: bytes) -> list[bytes]:
        self.requests.append(request.decode())
        return self.answer(self.requests[-1])


@asynccontextmanager
async def udp_phone(answer: Answer, *, port: int = 0) -> AsyncIterator[Phone]:
    phone = Phone(answer)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(phone), local_addr=("127.0.0.1", port))
    phone.port = transport.get_extra_info("sockname")[1]
    try:
        yield phone
    finally:
        transport.abort()


@asynccontextmanager
async def tcp_phone(answer: Answer, *, hang_up: bool = False) -> AsyncIterator[Phone]:
    """With `hang_up` the connection is closed after the answer."""
    phone = Phone(answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for piece in phone.take(await reader.readuntil(b"\r\n\r\n")):
                writer.write(piece)
                await writer.drain()
            if not hang_up:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    phone.port = server.sockets[0].getsockname()[1]
    try:
        yield phone
    finally:
        server.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        for piece in self._phone.take(data):
            self._transport.sendto(piece, addr)
