import asyncio
import sys
import time
from pathlib import Path

import pytest

from lab.errors import LabFailure
from lab.program import Program


def program(tmp_path: Path, code: str) -> Program:
    return Program("thing", [sys.executable, "-c", code], tmp_path / "thing.log")


async def test_a_program_is_ready_when_it_says_so_and_what_it_says_is_logged(tmp_path: Path) -> None:
    thing = program(tmp_path, "import time; print('waking'); print('ready', flush=True); time.sleep(60)")
    assert thing.state == "not started"
    await thing.start()
    assert thing.state == "starting"
    await thing.until_ready(10)
    status = thing.status()
    assert status["state"] == "ready"
    assert 0 < status["ready_after_s"] < 10
    assert Path(f"/proc/{status['pid']}").exists()
    await thing.stop(5)
    assert thing.status() == {"state": "stopped by SIGTERM", "pid": None, "ready_after_s": None}
    assert not thing.failed
    assert (tmp_path / "thing.log").read_text() == "waking\nready\n"


async def test_a_program_that_dies_before_it_is_ready_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    thing = program(tmp_path, "import sys; sys.exit('no such port')")
    await thing.start()
    with pytest.raises(LabFailure, match=r"thing ended with exit status 1(.|\n)*no such port"):
        await thing.until_ready(10)
    assert thing.failed


async def test_a_program_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    thing = program(tmp_path, "import time; time.sleep(60)")
    await thing.start()
    with pytest.raises(LabFailure, match=r"was not ready within 0\.1 s"):
        await thing.until_ready(0.1)
    await thing.kill()
    assert thing.state == "stopped by SIGKILL"


async def test_a_program_that_dies_later_counts_as_failed(tmp_path: Path) -> None:
    thing = program(tmp_path, "import os; print('ready', flush=True); os.kill(os.getpid(), 11)")
    await thing.start()
    await thing.until_ready(10)
    while thing.running:
        await asyncio.sleep(0.01)
    assert (thing.state, thing.failed) == ("ended by SIGSEGV", True)


async def test_what_does_not_obey_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    thing = program(tmp_path, stubborn)
    await thing.start()
    await thing.until_ready(10)
    await thing.stop(0.1)
    assert thing.state == "stopped by SIGKILL"


async def test_a_child_that_keeps_the_output_open_does_not_hold_up_the_end(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '3']); print('ready', flush=True); input()"
    thing = program(tmp_path, code)
    await thing.start()
    await thing.until_ready(10)
    begun_s = time.monotonic()
    await thing.stop(5)
    assert time.monotonic() - begun_s < 2


async def test_ready_is_heard_among_much_else(tmp_path: Path) -> None:
    code = "print('x' * 200_000 + 'ready'); print('not ready\\nready'); print('y' * 200_000, flush=True); input()"
    thing = program(tmp_path, code)
    await thing.start()
    await thing.until_ready(10)
    await thing.kill()


async def test_a_program_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(LabFailure, match="thing cannot be started"):
        await Program("thing", [str(tmp_path / "none")], tmp_path / "thing.log").start()


async def test_a_program_can_be_started_again(tmp_path: Path) -> None:
    thing = program(tmp_path, "import time; print('ready', flush=True); time.sleep(60)")
    for _ in range(2):
        await thing.start()
        await thing.until_ready(10)
        await thing.kill()
    assert (tmp_path / "thing.log").read_text() == "ready\nready\n"
