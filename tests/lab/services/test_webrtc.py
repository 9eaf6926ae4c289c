"""Both ends of a real WebRTC session over loopback, each with an address of its own, judged by what they decode."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import pytest_asyncio
from aiortc.rtp import RtcpPacket, RtcpSrPacket

from lab.services.rtp import AUDIO, HEADER, STREAMS, Packet, build, parse
from lab.services.webrtc_end import book_of
from tests.lab.services.conftest import Stage, eventually, free_port, new_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM, PLATFORM = "127.0.0.2", "127.0.0.3"
ETH_P_IP, RTP_AT = 0x0800, 42
VP8, RTX = 97, 98
"""Payload types as aiortc offers them."""
ENDS = ("workstation", "platform")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[tuple[Stage, int]]:
    with new_stage() as stage:
        door = free_port(host=PLATFORM)
        async with platform(stage, door), stage.running("webrtc_workstation", *room(door)):
            yield stage, door


@pytest_asyncio.fixture(loop_scope="module")
async def stage(running: tuple[Stage, int]) -> Stage:
    """A session that flows both ways."""
    stage, _ = running
    stage.say()
    await grows(stage, "audio", "video")
    return stage


@asynccontextmanager
async def platform(stage: Stage, door: int) -> AsyncIterator[None]:
    words = ("--host", PLATFORM, "--signalling", str(door), *plain_ports(PLATFORM))
    async with stage.running("webrtc_platform", *words):
        yield


def room(door: int) -> tuple[str, ...]:
    return "--host", ROOM, "--platform", PLATFORM, "--signalling", str(door), *plain_ports(ROOM)


def plain_ports(host: str) -> tuple[str, ...]:
    return tuple(word for medium in ("audio", "video") for word in (f"--{medium}-port", str(PLAIN[medium])))


def kind(head: tuple[int, ...]) -> int:
    return head[1] & 0x7F


PLAIN = {medium: free_port(socket.SOCK_DGRAM, ROOM) for medium in ("audio", "video")}


def counts(stage: Stage) -> dict[str, dict[str, Any]]:
    """The newest line of each end's book."""
    newest = {}
    for end in ENDS:
        book = book_of(stage.directory, end)
        written = book.read_text().splitlines(keepends=True) if book.exists() else []
        lines = [line for line in written if line.endswith("\n")]
        newest[end] = {"calls": 0, "received": 0, "audio": 0, "video": 0} | (json.loads(lines[-1]) if lines else {})
    return newest


async def until(stage: Stage, what: str, wanted: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
    async with eventually(what, within_s=20):
        while not wanted(counts(stage)):
            await asyncio.sleep(0.05)


async def grows(stage: Stage, *what: str, ends: tuple[str, ...] = ENDS) -> None:
    """Each of these counts rises at each of these ends, in one call."""
    before = counts(stage)

    def more(now: dict[str, dict[str, Any]]) -> bool:
        nonlocal before
        if any(now[end]["calls"] != before[end]["calls"] for end in ENDS):
            before = now
        return all(now[end][count] > before[end][count] + 3 for end in ends for count in what)

    await until(stage, f"{what} at {ends}", more)


async def stands(stage: Stage, medium: str, *, at: tuple[str, ...]) -> None:
    """Nothing of `medium` is decoded `at` these ends while twenty packets of the rest come."""
    async with eventually(f"{medium} stands at {at}", within_s=20):
        while True:
            before = now = counts(stage)
            while any(now[end]["received"] <= before[end]["received"] + 20 for end in ENDS):
                await asyncio.sleep(0.05)
                now = counts(stage)
            if all(now[end][medium] == before[end][medium] for end in at):
                return


async def test_frozen_video_and_audio_off_stand_one_way_only_and_come_back_in_the_same_call(stage: Stage) -> None:
    calls = counts(stage)["platform"]["calls"]
    stage.say(video_to_room="frozen", audio_to_room="off")
    await stands(stage, "video", at=("workstation",))
    await stands(stage, "audio", at=("workstation",))
    await grows(stage, "received")
    await grows(stage, "audio", "video", ends=("platform",))
    stage.say()
    await grows(stage, "audio", "video")
    assert counts(stage)["platform"]["calls"] == calls


async def test_frozen_video_is_on_the_wire_one_time_again_and_again_and_retransmissions(stage: Stage) -> None:
    stage.say(video_to_room="frozen")
    await stands(stage, "video", at=("workstation",))
    heads: list[tuple[int, ...]] = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as tap:
        tap.setblocking(False)
        tap.bind(("lo", ETH_P_IP))
        loop = asyncio.get_running_loop()
        async with eventually("frozen video and its retransmissions", within_s=20):
            while len({head[2] for head in heads if head[1] & 0x7F == VP8}) < 5 or RTX not in map(kind, heads):
                frame = await loop.sock_recv(tap, 100)
                if frame[26:30] == socket.inet_aton(PLATFORM) and len(frame) > RTP_AT + HEADER.size:
                    heads.append(HEADER.unpack_from(frame, RTP_AT))
    of_video = [head for head in heads if head[0] >> 6 == 2 and kind(head) == VP8]
    assert len({head[3] for head in of_video}) == 1, "one RTP timestamp, many numbers"
    again = [head for head in heads if head[0] >> 6 == 2 and kind(head) == RTX]
    assert {head[4] for head in again}.isdisjoint(head[4] for head in of_video), "a source of its own (RFC 4588)"
    assert {head[3] for head in again} == {head[3] for head in of_video}


async def test_in_clear_text_there_is_no_call_but_plain_rtp_and_rtcp_until_it_is_encrypted_again(stage: Stage) -> None:
    calls = counts(stage)["platform"]["calls"]
    stage.say(clear=True)
    await until(stage, "the calls end", lambda now: all(now[end].get("state") == "closed" for end in ENDS))
    stage.say()
    await until(stage, "a new call", lambda now: now["platform"]["calls"] > calls)
    await grows(stage, "audio", "video")
    log = (stage.directory / "webrtc_platform.log").read_text()
    assert log.count("media latched") == len(STREAMS)


async def test_garbage_at_the_door_harms_no_call(running: tuple[Stage, int], stage: Stage) -> None:
    calls = counts(stage)["platform"]["calls"]
    for garbage in (b"\n", b"\xff\n", b'{"offer": 1}\n', b"x" * 100_000 + b"\n"):
        reader, writer = await asyncio.open_connection(PLATFORM, running[1])
        writer.write(garbage)
        async with eventually("the door closes"):
            with suppress(ConnectionResetError):  # it closes before it read all of a line that has no end
                assert await reader.read() == b""
        writer.close()
    await grows(stage, "audio", "video")
    assert counts(stage)["platform"]["calls"] == calls


async def test_a_platform_that_died_is_called_again() -> None:
    with new_stage() as stage:
        door = free_port(host=PLATFORM)
        async with stage.running("webrtc_workstation", *room(door)):
            for _ in range(2):
                async with platform(stage, door):
                    await grows(stage, "audio", "video", ends=("workstation",))
        assert counts(stage)["workstation"]["calls"] >= 2


async def test_clear_media_tell_themselves_by_their_reports() -> None:
    """What RFC 3550's reports look like to another codec, from the platform to whoever spoke last."""
    seen: list[object] = []
    with new_stage() as stage, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        stage.say(clear=True)
        ear.setblocking(False)
        ear.bind((ROOM, 0))
        loop = asyncio.get_running_loop()
        async with platform(stage, free_port(host=PLATFORM)), eventually("a report in clear text", within_s=20):
            while not any(isinstance(each, RtcpSrPacket) for each in seen):
                await loop.sock_sendto(ear, build(AUDIO, 1, 0, 0), (PLATFORM, PLAIN["audio"]))
                with suppress(TimeoutError):  # ready is said before the plain media are open
                    raw = await asyncio.wait_for(loop.sock_recv(ear, 2000), 0.2)
                    packet = parse(raw)
                    seen.extend(RtcpPacket.parse(raw) if packet is None else [packet])
    packets = [each for each in seen if isinstance(each, Packet)]
    report = next(each for each in seen if isinstance(each, RtcpSrPacket))
    assert packets
    assert {packet.ssrc for packet in packets} <= {report.ssrc}
