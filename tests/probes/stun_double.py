"""A STUN server on loopback that answers as it is told to; its bytes are built here, from the layouts of RFC 8489."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

COOKIE = b"\x21\x12\xa4\x42"
Answer = Callable[[bytes, tuple[str, int]], list[bytes]]


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(*attributes: bytes, transaction: bytes, kind: int = 0x0101) -> bytes:
    body = b"".join(attributes)
    return struct.pack(">HH", kind, len(body)) + COOKIE + transaction + body


def masked(address: str, port: int, transaction: bytes) -> bytes:
    """The value of an XOR-MAPPED-ADDRESS."""
    packed = ip_address(address).packed
    mask = COOKIE + transaction
    bare = bytes(left ^ right for left, right in zip(packed, mask, strict=False))
    return struct.pack(">BBH", 0, 1 if len(packed) == 4 else 2, port ^ 0x2112) + bare


def binding(request: bytes, seen: tuple[str, int]) -> list[bytes]:
    """What an honest server answers."""
    transaction = request[8:20]
    return [message(attribute(0x20, masked(*seen, transaction)), transaction=transaction)]


def declined(request: bytes, seen: tuple[str, int]) -> list[bytes]:
    return [message(attribute(0x09, b"\0\0\x04\x01Unauthorized"), transaction=request[8:20], kind=0x0111)]


@dataclass
class StunServer:
    """Change `answer` at any time; `requests` are those it received, `clients` where they came from."""

    answer: Answer
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    clients: list[tuple[str, int]] = field(default_factory=list)


@asynccontextmanager
async def stun_server(answer: Answer = binding, *, address: str = "127.0.0.1") -> AsyncIterator[StunServer]:
    server = StunServer(answer)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(server), local_addr=(address, 0))
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.abort()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: StunServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._server.requests.append(data)
        self._server.clients.append(addr[:2])
        for answer in self._server.answer(data, addr[:2]):
            self._transport.sendto(answer, addr)
