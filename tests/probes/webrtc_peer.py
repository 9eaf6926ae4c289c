"""One end of a real WebRTC session (aiortc: Opus and VP8 over DTLS-SRTP), in a program of its own: run with -m.

Lines of JSON on its standard input and output: it says "ready" at once, then sends or takes an offer, and answers. A
line "silent" takes its video away; the end of its input is the end of it.
"""

import asyncio
import json
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack


async def main(offers: bool) -> None:
    say("ready", "")
    await heard("go")
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    if not offers:
        await peer.setRemoteDescription(RTCSessionDescription(await heard("offer"), "offer"))
    for track in (AudioStreamTrack(), VideoStreamTrack()):
        peer.addTrack(track)
    await peer.setLocalDescription(await (peer.createOffer() if offers else peer.createAnswer()))
    say(peer.localDescription.type, peer.localDescription.sdp)
    if offers:
        await peer.setRemoteDescription(RTCSessionDescription(await heard("answer"), "answer"))
    sink = MediaBlackhole()
    for receiver in peer.getReceivers():
        sink.addTrack(receiver.track)
    await sink.start()
    await heard("silent")
    for sender in peer.getSenders():
        if sender.track and sender.track.kind == "video":
            sender.replaceTrack(None)
    await heard("end")


def say(what: str, text: str) -> None:
    print(json.dumps([what, text]), flush=True)


async def heard(what: str) -> str:
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        raise SystemExit
    said, text = json.loads(line)
    if said != what:
        raise SystemExit(f"{said} where {what} was due")
    return str(text)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] == "offers"))
