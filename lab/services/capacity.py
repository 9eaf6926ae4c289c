"""Node internet, UDP 8620: the far end of bandwidth measurements, the one edged ships, with the key DIR/capacity.key.
A process of its own: load in it must not delay what the other far ends answer.
"""

import argparse
import asyncio

from lab import plan
from lab.services import secret_key
from lab.services.errors import MisuseError
from lab.services.lifetime import arguments, ready, run
from probes import errors as probe_errors
from probes.capacity.server import CapacityServer

LISTEN = f"{plan.REFLECTOR}:8620"
KEY_FILE = "capacity.key"


async def serve(chosen: argparse.Namespace) -> None:
    host, port = chosen.listen
    try:
        server = CapacityServer(host, port, secret_key.made(chosen.dir / KEY_FILE))
    except probe_errors.MisuseError as error:
        raise MisuseError(str(error)) from error
    try:
        ready()
        await asyncio.Event().wait()
    finally:
        await server.close()


def main() -> None:
    chosen = arguments(__doc__, LISTEN).parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
