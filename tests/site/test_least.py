"""One link and nothing else: it works, keeps its events on the box, and says what is not watched."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edged.cli.client import NotRunning, ask

LEAST = """
[site]
tenant = "clinic"
name = "room-1"
state_dir = "{dir}/state"
[control]
socket = "{dir}/control.sock"
[metrics]
port = {port}
[links.only]
source = "127.0.0.1"
targets = [{{ kind = "icmp", address = "127.0.0.1" }}]
"""
PROGRAMS = Path(sys.executable).parent


@asynccontextmanager
async def daemon(directory: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    config = directory / "edged.toml"
    config.write_text(LEAST.format(dir=directory, port=port))
    process = await asyncio.create_subprocess_exec(
        PROGRAMS / "edged", "run", "--config", config, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
        assert process.returncode == 0, err.decode()


async def status(directory: Path) -> dict[str, Any]:
    for _ in range(100):
        try:
            doc: dict[str, Any] = await asyncio.to_thread(ask, directory / "control.sock", "status")
        except NotRunning:
            await asyncio.sleep(0.1)
            continue
        if doc["links"][0]["verdict"] == "up":
            return doc
        await asyncio.sleep(0.1)
    raise AssertionError("the one link did not come up")


async def edgectl(*words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        PROGRAMS / "edgectl", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_one_link_is_watched_and_the_rest_is_said_not_to_be(tmp_path: Path, unused_tcp_port: int) -> None:
    async with daemon(tmp_path, unused_tcp_port):
        doc = await status(tmp_path)
        assert doc["tier"]["tier"] == 0
        assert doc["unwatched"] == ["backup link", "router", "ups", "media", "phone", "mobile", "qos", "broker"]
        code, shown = await edgectl("status", "--socket", str(tmp_path / "control.sock"))
        assert code == 0
        assert "NOT WATCHED" in shown
        code, shown = await edgectl("session", "open", "s-1", "--socket", str(tmp_path / "control.sock"))
        assert code == 0
        code, shown = await edgectl("session", "open", "s-2", "--socket", str(tmp_path / "control.sock"))
        assert (code, "another session is open" in shown) == (1, True)
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert b"edged_tier" in await reader.read()
        writer.close()


async def test_its_events_are_there_when_it_is_dead_and_after_it_came_back(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    socket = str(tmp_path / "control.sock")
    async with daemon(tmp_path, unused_tcp_port):
        await status(tmp_path)
        await edgectl("session", "open", "s-1", "--socket", socket)
    code, shown = await edgectl("status", "--socket", socket, "--state-dir", str(tmp_path / "state"))
    assert code == 3
    assert "NOT RUNNING" in shown
    assert "session_opened" in shown
    assert shown.index("daemon.started") < shown.index("daemon.stopping")
    code, shown = await edgectl("status", "--json", "--socket", socket, "--state-dir", str(tmp_path / "state"))
    assert json.loads(shown)["running"] is False
    async with daemon(tmp_path, unused_tcp_port):
        assert (await status(tmp_path))["session"]["id"] == "s-1"


async def test_a_bad_reload_is_refused_and_a_good_one_taken(tmp_path: Path, unused_tcp_port: int) -> None:
    socket = str(tmp_path / "control.sock")
    async with daemon(tmp_path, unused_tcp_port):
        before = await status(tmp_path)
        config = tmp_path / "edged.toml"
        good = config.read_text()
        config.write_text(good + "\n[typo]\n")
        code, said = await edgectl("reload", "--socket", socket)
        assert (code, "typo: unknown key" in said) == (1, True)
        assert (await status(tmp_path))["daemon"]["config_hash"] == before["daemon"]["config_hash"]
        config.write_text(good + "\n[tiers]\nconfirm_within_s = 20\n")
        code, said = await edgectl("reload", "--socket", socket)
        assert code == 0, said
        after = await status(tmp_path)
        assert after["daemon"]["config_hash"] != before["daemon"]["config_hash"]
        assert after["daemon"]["pid"] == before["daemon"]["pid"]


async def test_a_second_daemon_on_the_same_box_says_so_and_ends(tmp_path: Path, unused_tcp_port: int) -> None:
    async with daemon(tmp_path, unused_tcp_port):
        await status(tmp_path)
        second = await asyncio.create_subprocess_exec(
            PROGRAMS / "edged", "run", "--config", tmp_path / "edged.toml", stderr=asyncio.subprocess.PIPE
        )
        _, err = await asyncio.wait_for(second.communicate(), 15)
        assert second.returncode == 2, err.decode()
