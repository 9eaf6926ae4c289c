"""One medium as an end sends it: a clip's next frame whenever one is due, as the world says.

A frozen track sends, at the same pace, a byte under the time of its last frame: packets go on and bring no picture.
Time goes on while nothing is sent, and what was missed is not made up for.
"""

import asyncio
from fractions import Fraction
from typing import Any, assert_never

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import Packet

from lab.services.webrtc_clips import Clip
from lab.services.world import Flow

NOTHING_NEW = b"\0"


class SentTrack(MediaStreamTrack):
    def __init__(self, clip: Clip) -> None:
        super().__init__()
        self.kind = clip.kind
        self.flow = Flow.ON
        self._clip = clip
        self._place = 0
        self._tick = -1
        self._shown = 0
        """The tick whose frame went out last."""
        self._start_s: float | None = None

    async def recv(self) -> "Packet[Any]":
        """The next packet to send. Raises MediaStreamError once the track was stopped."""
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            await self._until_due()
            match self.flow:
                case Flow.ON:
                    return self._next()
                case Flow.FROZEN:
                    self._place = 0
                    return self._timed(NOTHING_NEW, self._shown)
                case Flow.OFF:
                    self._place = 0  # on again, the receiver needs a frame that needs none before it
                case never:
                    assert_never(never)

    async def _until_due(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._start_s is None:
            self._start_s = now_s
        elapsed = (now_s - self._start_s) * self._clip.frames_per_s
        self._tick = max(self._tick + 1, int(elapsed))
        await asyncio.sleep(max(0.0, (self._tick - elapsed) / self._clip.frames_per_s))

    def _next(self) -> "Packet[Any]":
        frame = self._clip.frames[self._place]
        self._place = (self._place + 1) % len(self._clip.frames)
        self._shown = self._tick
        return self._timed(frame, self._tick)

    def _timed(self, payload: bytes, tick: int) -> "Packet[Any]":
        packet: Packet[Any] = Packet(payload)
        packet.pts = tick * self._clip.ticks_per_frame
        packet.time_base = Fraction(1, self._clip.clock_hz)
        return packet
