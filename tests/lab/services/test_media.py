"""Workstation and platform over loopback, each with an address of its own."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from lab.services.rtp import AUDIO, VIDEO, build
from tests.lab.services.conftest import Stage, eventually, free_port

ROOM, PLATFORM = "127.0.0.2", "127.0.0.3"


@pytest_asyncio.fixture
async def ports(stage: Stage) -> AsyncIterator[dict[str, int]]:
    found = {name: free_port(socket.SOCK_DGRAM, ROOM) for name in ("audio", "video")}
    shared = ["--measure", *(word for name, port in found.items() for word in (f"--{name}-port", str(port)))]
    found["web"] = free_port(host=PLATFORM)
    async with (
        stage.running("platform", "--host", PLATFORM, "--web-port", str(found["web"]), *shared),
        stage.running("workstation", "--host", ROOM, "--platform", PLATFORM, *shared),
    ):
        yield found


def seconds(stage: Stage, node: str, medium: str) -> list[dict[str, Any]]:
    path = Path(stage.directory / f"media-{node}.jsonl")
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in map(json.loads, lines) if line["medium"] == medium]


async def until(stage: Stage, node: str, medium: str, count: int) -> list[dict[str, Any]]:
    async with eventually(f"{count} seconds of {medium} at the {node}"):
        while len(found := seconds(stage, node, medium)) < count:
            await asyncio.sleep(0.05)
    return found


async def test_both_media_flow_both_ways_at_their_pace_until_the_world_stops_one(
    ports: dict[str, int], stage: Stage
) -> None:
    await until(stage, "workstation", "video", 2)
    for node in ("workstation", "platform"):
        for stream in (AUDIO, VIDEO):
            second = seconds(stage, node, stream.medium)[1]
            pace = stream.ticks_per_s * stream.packets_per_tick
            assert abs(second["received"] - pace) <= 2 * stream.packets_per_tick
            assert abs(second["lost"]) <= stream.packets_per_tick
            assert second["octets"] == second["received"] * stream.packet_bytes
            assert len(second["delays_us"]) == second["received"]
            assert 0 <= min(second["delays_us"]) < 5_000

    stage.say(video_to_room="off", video_from_room="off")
    before = len(seconds(stage, "platform", "video"))
    await until(stage, "platform", "video", before + 2)
    await until(stage, "workstation", "video", before + 2)
    for node in ("workstation", "platform"):
        assert seconds(stage, node, "video")[before + 1]["received"] == 0
        assert seconds(stage, node, "audio")[before + 1]["received"] > 40


async def test_the_platform_answers_whoever_spoke_last(stage: Stage) -> None:
    audio, video, web = free_port(socket.SOCK_DGRAM, PLATFORM), free_port(socket.SOCK_DGRAM, PLATFORM), free_port()
    ports = ("--audio-port", str(audio), "--video-port", str(video), "--web-port", str(web))
    async with stage.running("platform", "--host", PLATFORM, *ports):
        for _ in range(2):
            assert len(await _spoken_to(audio)) == AUDIO.packet_bytes


async def test_the_platforms_web_door_shakes_hands_under_its_name_and_closes(
    ports: dict[str, int], stage: Stage
) -> None:
    trusting = ssl.create_default_context(cafile=stage.directory / "ca.pem")
    for _ in range(2):
        _, plain = await asyncio.open_connection(PLATFORM, ports["web"])  # a probe that only connects
        plain.close()
        reader, writer = await asyncio.open_connection(
            PLATFORM, ports["web"], ssl=trusting, server_hostname="platform.lab.test"
        )
        async with eventually("the web door closes"):
            assert await reader.read() == b""
        writer.close()
    assert "Traceback" not in (stage.directory / "platform.log").read_text()


async def _spoken_to(port: int) -> bytes:
    """What comes to a new address that says one true packet."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as fresh:
        fresh.setblocking(False)
        fresh.bind((ROOM, 0))
        async with eventually("media to the newest address"):
            await loop.sock_sendto(fresh, b"garbage", (PLATFORM, port))
            await loop.sock_sendto(fresh, build(AUDIO, 1, 0, 0), (PLATFORM, port))
            return await loop.sock_recv(fresh, 2000)
    raise AssertionError
