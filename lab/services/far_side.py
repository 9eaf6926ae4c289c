"""Node internet, address .20: what the box measures its links against, in one process. STAMP reflectors (the one edged
ships) on UDP 862 and, authenticated by DIR/stamp.key, UDP 863; a STUN server on UDP 3478, a name server on UDP 53.
"""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from ipaddress import ip_address
from typing import cast

from lab import plan
from lab.services import dns_double, secret_key, stun_double
from lab.services.errors import MisuseError
from lab.services.lifetime import Address, address, arguments, ready, run
from probes import errors as probe_errors
from probes.stamp_reflector import Reflector

PORTS = {"stamp": 862, "authenticated": 863, "stun": 3478, "dns": 53}
STAMP_KEY_FILE = "stamp.key"
NAMES: dns_double.Table = {plan.PLATFORM_NAME: [ip_address(plan.PLATFORM), ip_address("2001:db8::30")]}

Answer = Callable[[bytes, Address], bytes | None]


class Answering(asyncio.DatagramProtocol):
    """One datagram in, at most one out. What cannot be sent is lost, as in any network."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own does not derive from it

    def datagram_received(self, data: bytes, addr: Address) -> None:
        reply = self._answer(data, addr)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


async def serve(chosen: argparse.Namespace) -> None:
    key = secret_key.made(chosen.dir / STAMP_KEY_FILE)
    doors: tuple[tuple[Answer, Address], ...] = (
        (stun_double.answer, chosen.stun),
        (_look_up, chosen.dns),
    )
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        stack.enter_context(closing(_reflector(chosen.stamp, None)))
        stack.enter_context(closing(_reflector(chosen.authenticated, key)))
        for answer, where in doors:
            transport, _ = await loop.create_datagram_endpoint(partial(Answering, answer), local_addr=where)
            stack.callback(transport.close)
        ready()
        await asyncio.Event().wait()


def _reflector(where: Address, key: bytes | None) -> Reflector:
    try:
        return Reflector(*where, key=key)
    except probe_errors.MisuseError as error:
        raise MisuseError(str(error)) from error


def _look_up(data: bytes, _source: Address) -> bytes | None:
    return dns_double.answer(data, NAMES)


def main() -> None:
    parser = arguments(__doc__)
    for name, port in PORTS.items():
        usual = f"{plan.REFLECTOR}:{port}"
        parser.add_argument(f"--{name}", type=address, default=address(usual), metavar="HOST:PORT", help=usual)
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
