"""One call: a peer connection with Opus and VP8 both ways over one ICE and DTLS transport, until it is lost.

While its video is frozen, it sends the last packet again as RTX (RFC 4588), as browsers do to keep their estimate of
the line alive: on the network that is what a stuck encoder looks like.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import aioice.ice
import structlog
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtpPacket

from lab.services.webrtc_clips import Clip
from lab.services.webrtc_track import SentTrack
from lab.services.world import Flow, Way, World

LOST_S = 3.0
"""Nothing received for so long: the platforms of the field give up after 2 to 5 s and call again."""
LOOK_S = 0.25
RTX_EVERY_S = 0.1
CLOSE_WITHIN_S = 2.0

_HISTORY = "_RTCRtpSender__rtp_history"  # what the sender keeps to answer a NACK; aiortc shows it to nobody

log = structlog.get_logger()


def offer_only(host: str) -> None:
    """From now on this process offers no address but `host` to ICE. aioice has no setting for it, and a node of the
    internet has the addresses of five hosts."""

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [host]

    aioice.ice.get_host_addresses = addresses


class Call:
    """Made by `offer` and `answered`, or by `answer`; then `until_lost`, and always `close`."""

    def __init__(self, clips: Iterable[Clip]) -> None:
        self.frames = {"audio": 0, "video": 0}
        """Received and decoded."""
        self._peer = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._sent = [SentTrack(clip) for clip in clips]
        self._tasks: list[asyncio.Task[None]] = []
        self._peer.on("track", self._hear)

    @property
    def state(self) -> str:
        """Of the connection, as in RTCPeerConnection: "new" to "closed"."""
        return self._peer.connectionState

    async def offer(self) -> str:
        """The offer's SDP, with all candidates."""
        self._send()
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def answered(self, sdp: str) -> None:
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp: str) -> str:
        """The answer to the offer `sdp`, with all candidates."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self._send()
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return self._peer.localDescription.sdp

    def follow(self, world: World, way: Way) -> None:
        """Send as the world says."""
        for track in self._sent:
            track.flow = world.flow(track.kind, way)

    async def received(self) -> int:
        """Packets of any kind but STUN: SRTP, SRTCP, DTLS."""
        stats = await self._peer.getStats()
        return sum(each.packetsReceived for each in stats.values() if each.type == "transport")

    async def until_lost(self, over: Callable[[], bool]) -> None:
        """Return once nothing came for LOST_S, the connection ended, or the call is `over` for another reason."""
        loop = asyncio.get_running_loop()
        count, since_s = 0, loop.time()
        while loop.time() - since_s < LOST_S and self.state not in ("failed", "closed") and not over():
            await asyncio.sleep(LOOK_S)
            if (now := await self.received()) != count:
                count, since_s = now, loop.time()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._peer.close(), CLOSE_WITHIN_S)

    def _send(self) -> None:
        for track in self._sent:
            sender = self._peer.addTrack(track)
            if track.kind == "video":
                self._tasks.append(asyncio.create_task(_retransmit(track, sender)))

    def _hear(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._count(track)))

    async def _count(self, track: MediaStreamTrack) -> None:
        """What is not taken piles up."""
        with suppress(MediaStreamError):
            while True:
                await track.recv()
                self.frames[track.kind] += 1


async def _retransmit(track: SentTrack, sender: RTCRtpSender) -> None:
    while True:
        await asyncio.sleep(RTX_EVERY_S)
        history: dict[int, RtpPacket] = getattr(sender, _HISTORY)
        if track.flow is Flow.FROZEN and history:
            *_, last = history.values()
            with suppress(ConnectionError):
                await sender._retransmit(last.sequence_number)
