"""The launcher: whatever its program does, one reading comes, and nothing of it is left behind."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from probes.errors import MisuseError
from probes.line_reading import DiesAt, PathReading
from probes.path import PROGRAM, PathRequest, Trouble, diagnose, usual_way
from probes.path_document import Document
from probes.prober import Pin

REQUEST = PathRequest(link="fiber", pin=Pin(ip_address("127.0.0.1")), target=ip_address("127.0.0.1"), udp_port=9)


def shell(script: str) -> tuple[str, ...]:
    return "/bin/sh", "-c", script


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


async def troubled(*program: str, timeout_s: float = 20.0) -> PathReading:
    reading = await diagnose(REQUEST, program=program, timeout_s=timeout_s, monotonic=lambda: 7.0)
    assert (reading.link, reading.target, reading.at_s) == ("fiber", "127.0.0.1", 7.0)
    assert reading.dies_at is DiesAt.UNKNOWN
    assert (reading.last_hop, reading.dscp_changed_at, reading.mtu_bytes, dict(reading.document)) == (
        None,
        None,
        None,
        {},
    )
    assert usual_way(reading) == ()
    return reading


# ── the real program ───────────────────────────────────────────────────────────────────────────────────
async def test_one_document_comes_back_and_the_reading_is_drawn_from_it() -> None:
    reading = await diagnose(REQUEST, monotonic=lambda: 7.0)
    assert (reading.trouble, reading.dies_at, reading.at_s, reading.mtu_bytes) == (None, DiesAt.NOWHERE, 7.0, 1500)
    document = Document.model_validate(reading.document)
    assert (document.link, document.source, document.interface) == ("fiber", "127.0.0.1", "lo")
    assert document.model_dump(mode="json") == reading.document
    assert usual_way(reading) == ()  # one hop, no router


async def test_the_program_is_quiet_and_stands_back() -> None:
    """Its niceness and its place when memory runs out, seen while it waits for its order."""
    process = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdin is not None
        oom_score = Path(f"/proc/{process.pid}/oom_score_adj")
        async with asyncio.timeout(30):
            while oom_score.read_text().strip() != "500":
                await asyncio.sleep(0.01)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10
        order = {
            "link": "x",
            "target": "127.0.0.1",
            "udp_port": 9,
            "dscp": 0,
            "max_hops": 1,
            "want_mtu": 1500,
            "within_s": 5,
        }
        said, complaints = await asyncio.to_thread(process.communicate, json.dumps(order).encode())
        assert Document.model_validate_json(said).hops[0].address == "127.0.0.1"
        assert complaints == b""
    finally:
        process.kill()
        process.wait()


async def test_without_scapy() -> None:
    code = "import sys, runpy; sys.modules['scapy'] = None; runpy.run_module('probes.diagnosis', run_name='__main__')"
    assert (await troubled(*python(code))).trouble == Trouble.NO_SCAPY


async def test_without_the_right_to_raw_sockets() -> None:
    assert (await troubled("setpriv", "--bounding-set=-net_raw", *PROGRAM)).trouble == Trouble.NOT_PERMITTED


async def test_the_daemon_s_side_never_loads_scapy() -> None:
    code = "import probes.path, probes.path_words, sys; sys.exit('scapy' in sys.modules)"
    assert subprocess.run(python(code), check=False).returncode == 0


# ── programs that fail ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "program",
    [
        shell("exit 3"),  # without reading
        shell("cat >/dev/null"),
        shell("cat"),  # gives the order back
        shell("echo '{'"),
        shell("""echo '{"trouble": "something new"}'"""),
        shell("""echo '{"version": 1, "link": "fiber"}'"""),
        shell("head -c 300000 /dev/zero"),
        shell("head -c 300000 /dev/zero >&2; exit 1"),
        shell("kill -9 $$"),
        ("/nonexistent/program",),
    ],
)
async def test_what_is_no_document_is_a_crash(program: tuple[str, ...]) -> None:
    assert (await troubled(*program)).trouble == Trouble.CRASHED


async def test_a_document_too_long_is_not_waited_for() -> None:
    assert (await troubled(*shell("while :; do echo 0123456789; done"))).trouble == Trouble.CRASHED


def alive(pid: int) -> bool:
    """A zombie is not: whoever is its parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(30):
        while any(map(alive, pids)):
            await asyncio.sleep(0.01)


def family(file: Path) -> tuple[str, ...]:
    """A program with a child, both for ever; tells their pids."""
    return shell(f"sleep 1000 & echo $! $$ >{shlex.quote(str(file))}.new; mv {shlex.quote(str(file))}.new {file}; wait")


async def pids_of(file: Path) -> list[int]:
    async with asyncio.timeout(30):
        while not file.exists():
            await asyncio.sleep(0.01)
    return [int(pid) for pid in file.read_text().split()]


async def test_its_time_over_it_is_killed_with_its_children(tmp_path: Path) -> None:
    reading = await troubled(*family(tmp_path / "pids"), timeout_s=1.0)
    assert reading.trouble == Trouble.TIMED_OUT
    await gone(await pids_of(tmp_path / "pids"))


async def test_cancelled_it_is_killed_with_its_children(tmp_path: Path) -> None:
    task = asyncio.create_task(diagnose(REQUEST, program=family(tmp_path / "pids")))
    pids = await pids_of(tmp_path / "pids")
    assert all(map(alive, pids))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(pids)


async def test_one_at_a_time_per_link(tmp_path: Path) -> None:
    first = asyncio.create_task(diagnose(REQUEST, program=family(tmp_path / "pids")))
    pids = await pids_of(tmp_path / "pids")
    assert (await troubled(*shell("exit 0"))).trouble == Trouble.BUSY
    other = PathRequest(link="cellular", pin=Pin(), target=ip_address("::1"))
    assert (await diagnose(other, program=shell("exit 0"))).trouble == Trouble.CRASHED, "it was started"
    first.cancel()
    await asyncio.wait([first])
    await gone(pids)
    assert (await troubled(*shell("exit 0"))).trouble == Trouble.CRASHED, "the link is free again"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"dscp": 64}, "dscp"),
        ({"udp_port": 0}, "udp_port"),
        ({"max_hops": 31}, "max_hops"),
        ({"want_mtu": 100}, "want_mtu"),
    ],
)
async def test_a_request_that_cannot_be_is_the_caller_s_mistake(wrong: dict[str, int], named: str) -> None:
    request = PathRequest(link="fiber", pin=Pin(), target=ip_address("127.0.0.1"), **wrong)  # type: ignore[arg-type]
    with pytest.raises(MisuseError, match=named):
        await diagnose(request)
