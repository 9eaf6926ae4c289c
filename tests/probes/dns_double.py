"""A resolver on loopback that answers as it is told to; its bytes are built here, from the layouts of RFC 1035."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

Answer = Callable[[bytes], list[bytes]]


def reply(query: bytes, *addresses: str, code: int = 0, flags: int = 0x8180) -> bytes:
    """To `query`, whose question is repeated as it came."""
    records = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", 1 if len(packed) == 4 else 28, 1, 60, len(packed)) + packed
        for packed in (ip_address(address).packed for address in addresses)
    )
    return query[:2] + struct.pack(">HHHHH", flags | code, 1, len(addresses), 0, 0) + query[12:] + records


def says(*addresses: str, code: int = 0) -> Answer:
    return lambda query: [reply(query, *addresses, code=code)]


@dataclass
class Resolver:
    """Change `answer` at any time; `queries` are those it received."""

    answer: Answer
    port: int = 0
    queries: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def resolver(answer: Answer, *, address: str = "127.0.0.1") -> AsyncIterator[Resolver]:
    double = Resolver(answer)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(double), local_addr=(address, 0))
    double.port = transport.get_extra_info("sockname")[1]
    try:
        yield double
    finally:
        transport.abort()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, double: Resolver) -> None:
        self._double = double

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._double.queries.append(data)
        for answer in self._double.answer(data):
            self._transport.sendto(answer, addr)
