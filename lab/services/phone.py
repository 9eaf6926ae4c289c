"""Node phone, UDP and TCP 5060: the telephone adapter of the direct line, and the registrar it is registered with.

Answers OPTIONS and REGISTER while the world lets it (`phone`), and has the line registered while the world says so
(`phone_registered`).
"""

import argparse
import asyncio
import time
import uuid
from typing import cast

from lab.services.errors import PeerError
from lab.services.lifetime import Address, accepting, arguments, ready, run
from lab.services.sip_answer import Answer, answer, take_message
from lab.services.sip_registrar import Fields, Guard, Registrar, Said
from lab.services.world import Truth

LISTEN = "10.77.0.60:5060"


class Adapter:
    """What both doors answer with."""

    def __init__(self, truth: Truth, registrar: Registrar) -> None:
        self._truth, self._registrar = truth, registrar

    def answer(self, message: bytes, source: Address) -> Answer | None:
        """None while the phone is dead, too."""
        reply = answer(message, source, uuid.uuid4().hex[:8], self._register)
        return reply if self._truth.world.phone else None

    def _register(self, fields: Fields) -> Said:
        bound = self._truth.world.phone_registered
        return self._registrar.answer(fields, time.monotonic(), line_is_bound=bound)


class OverUdp(asyncio.DatagramProtocol):
    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own does not derive from it

    def datagram_received(self, data: bytes, addr: Address) -> None:
        reply = self._adapter.answer(data, addr)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply.text, reply.to)


async def over_tcp(adapter: Adapter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: answered while the phone is there, read into nothing while it is not."""
    source = writer.get_extra_info("peername")
    buffer = bytearray()
    try:
        while piece := await reader.read(4096):
            buffer += piece
            while (message := take_message(buffer)) is not None:
                reply = adapter.answer(message, source)
                if reply is not None:
                    writer.write(reply.text)
            await writer.drain()
    except (PeerError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(chosen: argparse.Namespace) -> None:
    truth = Truth(chosen.dir)
    adapter = Adapter(truth, Registrar(_guard(chosen), chosen.line))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: OverUdp(adapter), local_addr=chosen.listen)
    try:
        async with accepting(lambda reader, writer: over_tcp(adapter, reader, writer), chosen.listen):
            ready()
            async for _ in truth.changes():
                pass  # `truth.world` is what the doors look at
    finally:
        transport.close()


def _guard(chosen: argparse.Namespace) -> Guard:
    users = dict(user.split(":", 1) for user in chosen.user)
    return Guard(users, algorithms=tuple(chosen.algorithm or Guard().algorithms), qop=not chosen.no_qop)


def _user(text: str) -> str:
    if ":" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not USER:PASSWORD")
    return text


def main() -> None:
    parser = arguments(__doc__, LISTEN)
    parser.add_argument("--line", default="direct", metavar="USER", help="the lab's own line, default direct")
    parser.add_argument("--user", type=_user, action="append", default=[], metavar="USER:PASSWORD", help="who may ask")
    parser.add_argument("--algorithm", action="append", choices=("MD5", "SHA-256"), help="of digest, in this order")
    parser.add_argument("--no-qop", action="store_true", help="digest as before RFC 2617")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
