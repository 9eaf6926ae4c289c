"""A slow line between a site and its broker: TCP passed on at a rate, in both directions, and what it carried."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PIECE = 1448
BUFFER = 16 << 10
"""Of the kernel, on our side: a modem's queue, not a data centre's."""


@dataclass
class Wire:
    """Counts payload; each piece takes as long as its bits do."""

    rate_bps: float
    up: list[tuple[float, int]] = field(default_factory=list)
    """Monotonic seconds and bytes of each piece from the site."""

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool) -> None:
        free_s = time.monotonic()
        while piece := await source.read(PIECE):
            free_s = max(free_s, time.monotonic()) + 8 * len(piece) / self.rate_bps
            await asyncio.sleep(free_s - time.monotonic())
            if up:
                self.up.append((time.monotonic(), len(piece)))
            sink.write(piece)
            await sink.drain()
        sink.close()


@asynccontextmanager
async def slow_line(port: int, rate_bps: float) -> AsyncIterator[tuple[int, Wire]]:
    """The port to connect to instead of `port` of this machine."""
    wire, ways = Wire(rate_bps), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above_reader, above = await asyncio.open_connection("127.0.0.1", port, limit=BUFFER)
        both = (wire.carry(reader, above, up=True), wire.carry(above_reader, writer, up=False))
        ways.update(asyncio.create_task(way) for way in both)

    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    door.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(serve, sock=door, limit=BUFFER)
    try:
        yield door.getsockname()[1], wire
    finally:
        server.close()
        for way in ways:
            way.cancel()
        with suppress(OSError):
            await asyncio.gather(*ways, return_exceptions=True)


def most_bps(pieces: list[tuple[float, int]], window_s: float) -> float:
    """The highest mean rate over any stretch of that length that begins with a piece. Pure."""
    most, begin, size = 0, 0, 0
    for at_s, length in pieces:
        size += length
        while pieces[begin][0] <= at_s - window_s:
            size -= pieces[begin][1]
            begin += 1
        most = max(most, size)
    return 8 * most / window_s
