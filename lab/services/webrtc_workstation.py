"""Node workstation: the technologist's end of a real WebRTC session. It calls the platform, and calls again with a new
peer connection whenever it hears nothing more.
"""

import argparse
import asyncio

import structlog

from lab.services.errors import PeerError
from lab.services.lifetime import Address, arguments, ready, run
from lab.services.media import arguments as media_arguments
from lab.services.platform import HOST as PLATFORM
from lab.services.webrtc_call import Call
from lab.services.webrtc_end import End
from lab.services.webrtc_signalling import LINE_BYTES, PORT, from_line, to_line
from lab.services.workstation import HOST
from lab.services.world import Way

AGREE_WITHIN_S = 2.0
"""TCP to a dead line would wait a minute for its SYN."""
AGAIN_S = 0.5

log = structlog.get_logger()


async def serve(chosen: argparse.Namespace) -> None:
    end = End(chosen, "workstation", Way.FROM_ROOM)
    ready()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(end.follow())
        while True:
            if end.clear:
                await end.plain(chosen.platform)
            else:
                await _call(end, (chosen.platform, chosen.signalling))


async def _call(end: End, platform: Address) -> None:
    """One call, from the offer until it is lost."""
    call = end.new_call()
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(AGREE_WITHIN_S):
            reader, writer = await asyncio.open_connection(*platform, limit=LINE_BYTES)
            await _agree(call, reader, writer)
        await end.hold(call, reader.at_eof)
    except (OSError, TimeoutError, PeerError) as error:
        log.info("no call", error=str(error) or "no answer")
        await asyncio.sleep(AGAIN_S)
    finally:
        if writer is not None:
            writer.close()
        await call.close()


async def _agree(call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(to_line("offer", await call.offer()))
    await writer.drain()
    await call.answered(from_line(await reader.readline(), "answer"))


def main() -> None:
    parser = media_arguments(arguments(__doc__), HOST)
    parser.add_argument("--platform", default=PLATFORM, help=f"default {PLATFORM}")
    parser.add_argument("--signalling", type=int, default=PORT, help=f"the platform's TCP port, default {PORT}")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
