"""Node internet, UDP 862: the STAMP reflector beside the platform, the one edged ships."""

import argparse
import asyncio

from lab.services.errors import MisuseError
from lab.services.lifetime import arguments, ready, run
from probes import errors as probe_errors
from probes.stamp_reflector import reflect

LISTEN = "198.51.100.20:862"


async def serve(chosen: argparse.Namespace) -> None:
    host, port = chosen.listen
    reflecting = asyncio.create_task(reflect(host, port))
    try:
        await asyncio.sleep(0)  # it has its socket, or has failed, before it first waits
        if not reflecting.done():
            ready()
        await reflecting
    except probe_errors.MisuseError as error:
        raise MisuseError(str(error)) from error
    finally:
        reflecting.cancel()


def main() -> None:
    chosen = arguments(__doc__, LISTEN).parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
