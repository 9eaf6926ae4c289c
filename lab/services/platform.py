"""Node internet, UDP 5004 and 5006, TCP 443: the supervision platform. Its media answer whoever spoke last, as
ICE-latched media do; its web door speaks TLS as platform.lab.test, by the lab's own authority (DIR/ca.pem), and closes.
"""

import argparse
import asyncio

from lab import plan
from lab.services.lifetime import accepting, arguments, ready, run
from lab.services.media import arguments as media_arguments
from lab.services.media import legs, run_legs
from lab.services.own_authority import server_context
from lab.services.world import Truth

HOST = plan.PLATFORM
WEB_PORT = 443


async def serve(chosen: argparse.Namespace) -> None:
    made = [] if chosen.web_only else legs(chosen, far_host=None)
    tls = server_context(chosen.dir, plan.PLATFORM_NAME)
    async with accepting(_accept_and_close, (chosen.host, chosen.web_port), tls):
        ready()
        await run_legs(made, Truth(chosen.dir), chosen.dir / "media-platform.jsonl" if chosen.measure else None)


async def _accept_and_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def main() -> None:
    parser = media_arguments(arguments(__doc__), HOST)
    parser.add_argument("--web-port", type=int, default=WEB_PORT, help=f"default {WEB_PORT}")
    parser.add_argument("--web-only", action="store_true", help="no media: another program has them")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
