"""What both ends of the WebRTC session are: they follow the world, hold one call at a time, and keep a book of it.

Where the world says that the media are in clear text, there is no call: plain RTP and RTCP flow until it says
otherwise.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import structlog

from lab.services.media import legs, run_legs
from lab.services.webrtc_call import Call, offer_only
from lab.services.webrtc_clips import Clip, audio_clip, video_clip
from lab.services.world import POLL_S, Truth, Way

BOOK_S = 0.2

log = structlog.get_logger()


def book_of(directory: Path, node: str) -> Path:
    """Lines of JSON, five a second: `monotonic_s`, `calls` so far, `state` of the present one, its `received` packets
    and decoded `audio` and `video` frames."""
    return directory / f"webrtc-{node}.jsonl"


class End:
    """`way`: the one it sends."""

    def __init__(self, chosen: argparse.Namespace, node: str, way: Way) -> None:
        offer_only(chosen.host)
        self.truth = Truth(chosen.dir)
        self._chosen = chosen
        self._way = way
        self._book = book_of(chosen.dir, node)
        self._clips: tuple[Clip, ...] = (audio_clip(), video_clip())
        self._call: Call | None = None
        self._calls = 0

    @property
    def clear(self) -> bool:
        return self.truth.world.clear

    def new_call(self) -> Call:
        """Sending what the world says from its first packet on."""
        call = Call(self._clips)
        call.follow(self.truth.world, self._way)
        return call

    async def hold(self, call: Call, over: Callable[[], bool]) -> None:
        """Until it is lost, over, or the media are to be in clear text. The caller closes it."""
        self._call = call
        self._calls += 1
        await call.until_lost(lambda: over() or self.clear)
        log.info("call ended", state=call.state, calls=self._calls, frames=call.frames)

    async def plain(self, far_host: str | None) -> None:
        """Plain media until they are to be encrypted again; as `media.legs` has `far_host`."""
        async with asyncio.TaskGroup() as tasks:
            flowing = tasks.create_task(run_legs(legs(self._chosen, far_host), Truth(self._chosen.dir), None))
            while self.clear:  # noqa: ASYNC110 - the world is a file
                await asyncio.sleep(POLL_S)
            flowing.cancel()

    async def follow(self) -> None:
        """Keep up with the world, and write the book, for ever."""
        due_s = 0.0
        with self._book.open("w", buffering=1) as lines:
            while True:
                self.truth.refresh()
                if self._call is not None:
                    self._call.follow(self.truth.world, self._way)
                if time.monotonic() >= due_s:
                    due_s = time.monotonic() + BOOK_S
                    await self._write(lines)
                await asyncio.sleep(POLL_S)

    async def _write(self, lines: TextIO) -> None:
        call = self._call
        entry: dict[str, object] = {"monotonic_s": round(time.monotonic(), 3), "calls": self._calls}
        if call is not None:
            entry |= {"state": call.state, "received": await call.received(), **call.frames}
        lines.write(json.dumps(entry) + "\n")
