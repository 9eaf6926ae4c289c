"""Whatever is killed, nothing of a lab stays behind; and an ordinary user gets the same lab as root."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lab.client import LabClient, start_lab
from lab.errors import LabFailure
from lab.nodes import outside_pid
from lab.place import is_claimed

pytestmark = pytest.mark.lab


def processes_of(lab_pid: int) -> set[int]:
    """Every process in the lab's process-id namespace, which is the one that the children of its first process are
    in."""
    namespace = os.readlink(f"/proc/{lab_pid}/ns/pid_for_children")
    return {int(path.name) for path in Path("/proc").glob("[0-9]*") if _namespace(path) == namespace}


def _runs(pid: int) -> bool:
    """A zombie does not: it is only waiting for whoever is process 1 around us to look at it, and not all do."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def _namespace(process: Path) -> str | None:
    try:
        return os.readlink(process / "ns" / "pid")
    except OSError:  # ended while we looked
        return None


@asynccontextmanager
async def lab_in(place: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    words = ["up", f"--dir={place}", "--no-daemon", "--no-services"]
    lab = await asyncio.create_subprocess_exec(sys.executable, "-m", "lab", *words, stdout=asyncio.subprocess.PIPE)
    try:
        assert lab.stdout is not None
        assert await lab.stdout.readline() == b"ready\n"
        yield lab
    finally:
        if lab.returncode is None:
            lab.kill()
            await lab.wait()


@pytest.mark.parametrize("victim", ["the one in front", "the site"])
async def test_after_kill_9_no_process_is_left(tmp_path: Path, victim: str) -> None:
    async with lab_in(tmp_path / "site") as lab:
        everyone = processes_of(lab.pid)
        site = int(Path(f"/proc/{lab.pid}/task/{lab.pid}/children").read_text())
        # What a careless service may leave: a child of nobody, with a session and a user of its own.
        stray = ["nsenter", f"--target={site}", "--pid", "setpriv", "--reuid=65534", "setsid", "--fork", "sleep", "600"]
        await (await asyncio.create_subprocess_exec(*stray)).wait()
        assert len(processes_of(lab.pid)) > len(everyone) >= 16  # the site, 13 keepers, 2 relays
        everyone |= processes_of(lab.pid)
        os.kill(lab.pid if victim == "the one in front" else site, signal.SIGKILL)
        await lab.wait()
    deadline_s = time.monotonic() + 5
    while (left := {pid for pid in everyone if _runs(pid)}) and time.monotonic() < deadline_s:
        await asyncio.sleep(0.02)
    assert not left
    assert not is_claimed(tmp_path / "site")


async def test_a_lab_that_was_killed_does_not_hinder_the_next(tmp_path: Path) -> None:
    async with lab_in(tmp_path / "site") as first:
        first.kill()
        await first.wait()
    async with lab_in(tmp_path / "site") as second:
        assert await LabClient(tmp_path / "site").down() == "the site is down"
        assert await second.wait() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_told_lab_ends_in_order(tmp_path: Path, how: signal.Signals) -> None:
    async with lab_in(tmp_path / "site") as lab:
        lab.send_signal(how)
        assert await asyncio.wait_for(lab.wait(), 10) == 0
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["lab.lock", "log", "world.json"]


async def test_an_ordinary_users_lab_is_the_same_site() -> None:
    """In a user namespace, as it is for everybody but root; the processes of the test enter it from outside."""
    async with start_lab(with_services=False, user_namespace=True) as lab:
        words = [sys.executable, "-m", "tests.lab.icmp_ping", "10.77.0.12", "198.51.100.40", "1"]
        ping = await asyncio.create_subprocess_exec(*lab.node_command("edge", words), stdout=asyncio.subprocess.PIPE)
        out, _ = await ping.communicate()
        assert 50 < float(out.strip(b"[]\n")) < 80
        await lab.do("unplug", "fiber")
        for fault in ("pin fiber off", "detour cellular on", "bleach fiber on", "reflectors off", "lan off"):
            await lab.do(*fault.split())
        status = await lab.status()
        assert (status["links"]["fiber"]["plugged"], status["lan"], status["reflectors"]) == (False, False, False)
        await lab.do("heal", "all")
        assert (await lab.status())["ok"]


async def test_a_dead_relay_shows_in_the_status_and_is_a_failure_to_command(tmp_path: Path) -> None:
    client = LabClient(tmp_path / "site")
    async with lab_in(tmp_path / "site") as lab:
        relay, *_ = [pid for pid in processes_of(lab.pid) if b"lab.relay" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(relay, signal.SIGKILL)
        while (status := await client.status())["ok"]:
            await asyncio.sleep(0.02)
        [dead] = status["dead"]
        with pytest.raises(LabFailure, match=f"the relay of {dead.split()[0]} did not answer"):
            await client.do("cut", dead.removesuffix(" relay"))


def test_a_process_outside_any_lab_is_called_the_same_everywhere() -> None:
    assert outside_pid(os.getpid()) == os.getpid()
