"""Brokers that misbehave, for what a real one cannot be made to do. A relay to a real one where it has to behave
otherwise.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

REFUSALS_OF_5 = {
    "as 3.1.1 says it": b"\x20\x02\x00\x01",  # MQTT 3.1.1, 3.2.2.3: unacceptable protocol version
    "as 5 says it": b"\x20\x03\x00\x84\x00",  # MQTT 5, 3.2.2.2: unsupported protocol version
}


@asynccontextmanager
async def serving(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """Serves each connection so; gives the port."""

    serving: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    length, shift = head[1] & 0x7F, 7
    while head[-1] & 0x80:
        head += await reader.readexactly(1)
        length |= (head[-1] & 0x7F) << shift
        shift += 7
    return head + await reader.readexactly(length)


def level_of(connect: bytes) -> int:
    """The protocol level in a CONNECT packet: 5, or 4 for 3.1.1."""
    return connect[connect.index(b"\x00\x04MQTT") + 6]


@dataclass
class Relay:
    """Between a client and a real broker."""

    upstream: int
    refuse_5: bytes | None = None
    """Answer a CONNECT of MQTT 5 with this."""
    dead: bool = False
    """Swallow everything, in both directions: a path that broke without a word."""
    levels: list[int] = field(default_factory=list)
    """Protocol levels of the CONNECTs that came."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await read_packet(reader)
        self.levels.append(level_of(connect))
        if self.refuse_5 and self.levels[-1] == 5:
            writer.write(self.refuse_5)
            await writer.drain()
            return
        above_reader, above = await asyncio.open_connection("127.0.0.1", self.upstream)
        above.write(connect)
        ways = [asyncio.create_task(self._carry(reader, above)), asyncio.create_task(self._carry(above_reader, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        above.close()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            if not self.dead:
                sink.write(piece)
