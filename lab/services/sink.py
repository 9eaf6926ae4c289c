"""Node internet, TCP and UDP 9000: swallows the staff PC's upload and says how much of it came."""

import argparse
import asyncio
import time
from collections import OrderedDict
from typing import cast

from lab.services.lifetime import Address, accepting, arguments, ready, run
from lab.services.upload import ASK, DATA, Tally

LISTEN = "198.51.100.41:9000"
PIECE = 1 << 16
SENDERS_KEPT = 64


class OverUdp(asyncio.DatagramProtocol):
    """A tally for each of the last SENDERS_KEPT senders."""

    def __init__(self) -> None:
        self._tallies: OrderedDict[Address, Tally] = OrderedDict()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own does not derive from it

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if data.startswith(DATA):
            if addr not in self._tallies and len(self._tallies) == SENDERS_KEPT:
                self._tallies.popitem(last=False)
            self._tallies.setdefault(addr, Tally()).add(len(data), time.monotonic_ns())
        elif data == ASK and self._transport is not None:
            self._transport.sendto(self._tallies.get(addr, Tally()).report(), addr)


async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tally = Tally()
    try:
        while piece := await reader.read(PIECE):
            tally.add(len(piece), time.monotonic_ns())
        writer.write(tally.report())
        await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(chosen: argparse.Namespace) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(OverUdp, local_addr=chosen.listen)
    try:
        async with accepting(over_tcp, chosen.listen):
            ready()
            await asyncio.Event().wait()
    finally:
        transport.close()


def main() -> None:
    chosen = arguments(__doc__, LISTEN).parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
