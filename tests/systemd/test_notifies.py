"""What the service manager hears from the real daemon: ready once, fed with each tick, the tier, the end."""

import asyncio
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

from edged.judging import TICK_S

EDGED = Path(sys.executable).parent / "edged"
LEAST = """
[site]
tenant = "clinic"
name = "room-1"
state_dir = "{dir}/state"
[control]
socket = "{dir}/control.sock"
[metrics]
port = 0
[links.only]
source = "127.0.0.1"
targets = [{{ kind = "icmp", address = "127.0.0.1" }}]
"""


async def hear(manager: socket.socket, until: str, *, within_s: float = 20.0) -> list[str]:
    """Everything said, up to and with `until`."""
    heard: list[str] = []
    async with asyncio.timeout(within_s):
        while until not in heard:
            said = await asyncio.get_running_loop().sock_recv(manager, 4096)
            heard += said.decode().splitlines()
    return heard


async def hear_for(manager: socket.socket, seconds: float) -> Counter[str]:
    heard: Counter[str] = Counter()
    try:
        async with asyncio.timeout(seconds):
            while True:
                heard.update((await asyncio.get_running_loop().sock_recv(manager, 4096)).decode().splitlines())
    except TimeoutError:
        return heard


async def test_ready_fed_and_ended_and_hungry_when_stopped(tmp_path: Path) -> None:
    config = tmp_path / "edged.toml"
    config.write_text(LEAST.format(dir=tmp_path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            EDGED,
            *("run", "--config", config, "--log-level", "error"),
            env={"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            assert "WATCHDOG=1" in await hear(manager, "READY=1")  # a tick was judged before it said ready
            alive = await hear_for(manager, 2.0)
            assert 0.5 * 2.0 / TICK_S <= alive["WATCHDOG=1"] <= 1.5 * 2.0 / TICK_S
            assert alive["STATUS=tier 0"] >= 1
            assert alive["READY=1"] == 0

            process.send_signal(signal.SIGSTOP)
            await hear_for(manager, 0.2)  # what it had said already
            assert not await hear_for(manager, 4 * TICK_S)
            process.send_signal(signal.SIGCONT)

            process.send_signal(signal.SIGTERM)
            await hear(manager, "STOPPING=1")
            assert await asyncio.wait_for(process.wait(), 10) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
