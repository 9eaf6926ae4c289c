"""Node phone, UDP and TCP 5060: the telephone adapter of the direct line. Answers OPTIONS while the world lets it."""

import argparse
import asyncio
import uuid
from typing import cast

from lab.services.errors import PeerError
from lab.services.lifetime import Address, accepting, arguments, ready, run
from lab.services.sip_answer import answer, take_message
from lab.services.world import Truth

LISTEN = "10.77.0.60:5060"


class OverUdp(asyncio.DatagramProtocol):
    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own does not derive from it

    def datagram_received(self, data: bytes, addr: Address) -> None:
        reply = answer(data, addr, uuid.uuid4().hex[:8])
        if reply is not None and self._transport is not None and self._truth.world.phone:
            self._transport.sendto(reply.text, reply.to)


async def over_tcp(truth: Truth, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: answered while the phone is there, read into nothing while it is not."""
    source = writer.get_extra_info("peername")
    buffer = bytearray()
    try:
        while piece := await reader.read(4096):
            buffer += piece
            while (message := take_message(buffer)) is not None:
                reply = answer(message, source, uuid.uuid4().hex[:8])
                if reply is not None and truth.world.phone:
                    writer.write(reply.text)
            await writer.drain()
    except (PeerError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(chosen: argparse.Namespace) -> None:
    truth = Truth(chosen.dir)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: OverUdp(truth), local_addr=chosen.listen)
    try:
        async with accepting(lambda reader, writer: over_tcp(truth, reader, writer), chosen.listen):
            ready()
            async for _ in truth.changes():
                pass  # `truth.world` is what the doors look at
    finally:
        transport.close()


def main() -> None:
    chosen = arguments(__doc__, LISTEN).parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
