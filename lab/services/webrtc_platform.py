"""Node internet, TCP 8089 and the UDP ports the kernel gives: the platform's end of a real WebRTC session. It answers
whoever calls; the newest call is the one that counts, and one that is heard no more is given up.
"""

import argparse
import asyncio

import structlog

from lab.services.errors import PeerError
from lab.services.lifetime import arguments, ready, run
from lab.services.media import arguments as media_arguments
from lab.services.platform import HOST
from lab.services.webrtc_end import End
from lab.services.webrtc_signalling import LINE_BYTES, PORT, from_line, to_line
from lab.services.world import POLL_S, Way

OFFER_WITHIN_S = 5.0

log = structlog.get_logger()


class Door:
    """Takes the room's calls, one at a time."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._newest: asyncio.StreamWriter | None = None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = None
        try:
            async with asyncio.timeout(OFFER_WITHIN_S):
                offer = from_line(await reader.readline(), "offer")
            if self._end.clear:
                return
            self._newest = writer
            call = self._end.new_call()
            writer.write(to_line("answer", await call.answer(offer)))
            await writer.drain()
            await self._end.hold(call, lambda: self._newest is not writer or reader.at_eof())
        except (OSError, TimeoutError, PeerError, ValueError) as error:  # ValueError: no SDP, or a line without end
            log.info("no call", error=str(error) or "no offer")
        finally:
            writer.close()
            if call is not None:
                await call.close()


async def serve(chosen: argparse.Namespace) -> None:
    end = End(chosen, "platform", Way.TO_ROOM)
    door = Door(end)
    server = await asyncio.start_server(door.answer, chosen.host, chosen.signalling, limit=LINE_BYTES)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(end.follow())
            ready()
            while True:
                if end.clear:
                    await end.plain(None)
                await asyncio.sleep(POLL_S)
    finally:
        server.close()


def main() -> None:
    parser = media_arguments(arguments(__doc__), HOST)
    parser.add_argument("--signalling", type=int, default=PORT, help=f"own TCP port, default {PORT}")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
