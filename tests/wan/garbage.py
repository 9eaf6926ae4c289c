"""A UDP server that answers every datagram with what a function makes of it: what no agent should say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

Reply = Callable[[bytes], list[bytes]]


class GarbageServer(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked = 0
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        for datagram in self.reply(data):
            self._transport.sendto(datagram, addr)

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def garbage_server(reply: Reply) -> AsyncIterator[GarbageServer]:
    server = GarbageServer(reply)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        server.close()
