"""The observer between the two ends of a real WebRTC session, told nothing but the room's address."""

import asyncio
import json
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import pytest

from probes.media import watch_media
from probes.media_settings import MediaSettings
from probes.reading import FarEnd, MediaReading, Medium, Protection, Way
from tests.probes.in_line_box import Box, in_line_box

SETTINGS = MediaSettings.model_validate({"interface": "lan0", "room_networks": ["10.77.0.20/32"]})
VIDEO_IN = (Medium.VIDEO, Way.TO_ROOM)


class Peer:
    """One end in a network namespace of its own, which `interface` was moved to."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def hear(self, what: str) -> str:
        assert self.process.stdout is not None
        said, text = json.loads(await self.process.stdout.readline())
        assert said == what
        return str(text)

    def say(self, what: str, text: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([what, text]).encode() + b"\n")

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


async def start(box: Box, role: str, interface: str, address: str) -> Peer:
    program = ["unshare", "--net", sys.executable, "-m", "tests.probes.webrtc_peer", role]
    peer = Peer(await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, limit=1 << 20))
    await peer.hear("ready")
    box.ip(f"link set {interface} netns {peer.process.pid}")
    for command in (f"addr add {address}/24 dev {interface}", f"link set {interface} up"):
        inside = ["nsenter", f"--net=/proc/{peer.process.pid}/ns/net", "ip", *command.split()]
        subprocess.run(inside, check=True, capture_output=True)
    peer.say("go")
    return peer


@pytest.fixture
def box() -> Iterator[Box]:
    with in_line_box() as made:
        yield made


@pytest.fixture
async def ends(box: Box) -> AsyncIterator[tuple[Peer, Peer]]:
    """The room's and the platform's, strangers yet."""
    made: list[Peer] = []
    try:
        made.append(await start(box, "offers", "room", "10.77.0.20"))
        made.append(await start(box, "answers", "internet", "10.77.0.30"))
        yield made[0], made[1]
    finally:
        for end in made:
            await end.stop()


async def test_e1_h1_t2_t3_a_real_session_is_seen_live_and_encrypted_then_without_video_then_cut(
    box: Box, ends: tuple[Peer, Peer]
) -> None:
    room, platform = ends
    readings: list[MediaReading] = []
    watching = asyncio.create_task(watch_media(SETTINGS, readings.append))
    platform.say("offer", await room.hear("offer"))
    room.say("answer", await platform.hear("answer"))

    async def until(wanted: Callable[[MediaReading], bool]) -> None:
        """A generous bound: real programs, on a machine that others use."""
        start_s = time.monotonic()
        while not (readings and wanted(readings[-1])):
            assert time.monotonic() - start_s < 30, readings[-1:]
            await asyncio.sleep(0.02)

    def live(reading: MediaReading) -> dict[tuple[Medium, Way], bool | None]:
        return {(s.medium, s.way): s.live for s in reading.streams}

    await until(lambda reading: all(live(reading).values()))
    await until(lambda reading: reading.far_end is FarEnd.ANSWERING)
    assert readings[-1].protection is Protection.ENCRYPTED
    assert not any(s.live for s in readings[0].streams)

    platform.say("silent")
    await until(lambda reading: live(reading)[VIDEO_IN] is False)
    assert all(is_live for key, is_live in live(readings[-1]).items() if key != VIDEO_IN)
    assert readings[-1].far_end is FarEnd.ANSWERING

    box.ip("link set wan0 nomaster")
    await until(lambda reading: reading.far_end is FarEnd.SILENT)
    assert [key for key, is_live in live(readings[-1]).items() if is_live] == [
        (Medium.AUDIO, Way.FROM_ROOM),
        (Medium.VIDEO, Way.FROM_ROOM),
    ]
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
