"""A service of the lab as the lab runs it: a process of its own, in a folder of its own, on free loopback ports."""

import asyncio
import json
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

READY_S = 20.0
EVENTUALLY_S = 10.0
ROOTLESS = ("unshare", "--user", "--map-root-user", "--")


class Stage:
    """The lab's directory, and services that act by what is written there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def say(self, **world: object) -> None:
        """Make this the world."""
        fresh = self.directory / "world.new"
        fresh.write_text(json.dumps(world))
        fresh.rename(self.directory / "world.json")

    @asynccontextmanager
    async def running(self, name: str, *args: str, rootless: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
        """The service from its `ready` on. It must end with status 0 when told to, unless the test ended it."""
        process = await self.start(name, *args, rootless=rootless)
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), READY_S)
            assert line == b"ready\n", await self.complaint(process)
            yield process
        finally:
            killed = process.returncode is not None
            if not killed:
                process.terminate()
            status = await asyncio.wait_for(process.wait(), 5)
        assert killed or status == 0

    async def start(self, name: str, *args: str, rootless: bool = False) -> asyncio.subprocess.Process:
        """`rootless`: as uid 0 of a user namespace that knows no other user, as in an ordinary user's lab."""
        return await asyncio.create_subprocess_exec(
            *(ROOTLESS if rootless else ()),
            sys.executable, "-m", f"lab.services.{name}", "--dir", str(self.directory), *args,
            stdout=asyncio.subprocess.PIPE, stderr=(self.directory / f"{name}.log").open("ab"),
        )  # fmt: skip

    async def complaint(self, process: asyncio.subprocess.Process) -> str:
        await process.wait()
        return "\n".join(path.read_text() for path in self.directory.glob("*.log"))


@contextmanager
def new_stage() -> Iterator[Stage]:
    """Under a short path: the UPS drivers' sockets need one."""
    directory = Path(tempfile.mkdtemp(prefix="lab-"))
    yield Stage(directory)
    shutil.rmtree(directory)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with new_stage() as made:
        yield made


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def eventually(what: str, within_s: float = EVENTUALLY_S) -> AsyncIterator[None]:
    """The time a block that waits for something may take."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        pytest.fail(f"not within {within_s} s: {what}")


def descendants(pid: int) -> set[int]:
    """Every process below `pid`."""
    found: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            found |= {child} | descendants(child)
    return found


def alive(pid: int) -> bool:
    """Running, and not only waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def all_gone(pids: set[int]) -> None:
    end_s = time.monotonic() + EVENTUALLY_S
    while any(map(alive, pids)):
        assert time.monotonic() < end_s, f"still there: {[pid for pid in pids if alive(pid)]}"
        await asyncio.sleep(0.02)
