"""kill -9, full disks and failing ones: what was called durable is there, and no number is given twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any

import pytest

from edged.record.chain import first_break
from edged.record.post_mortem import read_only
from tests.edged.record.test_store import chain

KILLS = 30


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it failed, and says so
        os.kill(pid, signal.SIGKILL)


class Writer:
    """tests/edged/record/endless_writer.py, and what it told us."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        self._process, self._directory = process, directory
        self.durable: dict[tuple[str, int], str] = {}
        self._acknowledged: dict[str, int] = {}

    def live_until_killed(self, seed: int, life_s: float) -> None:
        lines = self._answers(seed)
        first = [next(lines), next(lines)]  # the pid and what it says, in either order
        pid = next(int(line[4:]) for line in first if line.startswith("pid "))
        Timer(life_s, kill, (pid,)).start()
        for line in (*first, *lines):
            self._take(line)

    def lost(self) -> list[tuple[str, int]]:
        """What was called durable, and is neither pending, byte for byte, nor acknowledged."""
        pending = {}
        for line in self._answers("look"):
            _, stream, sequence, body = line.split(" ", 3)
            pending[stream, int(sequence)] = body
        wanted = {name: body for name, body in self.durable.items() if self._acknowledged.get(name[0], 0) < name[1]}
        return [name for name, body in wanted.items() if pending.get(name) != body]

    def _take(self, line: str) -> None:
        stream, sequence, *body = line.split(" ", 2)
        if stream == "acknowledged":
            self._acknowledged[sequence] = max(self._acknowledged.get(sequence, 0), int(body[0]))
        elif stream != "pid":
            assert stream != "failed", line
            name = stream, int(sequence)
            assert self.durable.setdefault(name, body[0]) == body[0], "a number was given twice"

    def _answers(self, what: object) -> Iterator[str]:
        assert self._process.stdin
        assert self._process.stdout
        print(self._directory, what, file=self._process.stdin, flush=True)
        for line in iter(self._process.stdout.readline, "dead\n"):
            assert line, "the writer itself is gone"
            yield line.rstrip("\n")


@contextmanager
def endless_writer(directory: Path, *how: str) -> Iterator[Writer]:
    apart = ["unshare", "--mount"] if "--full" in how else []
    command = [*apart, sys.executable, "-m", "tests.edged.record.endless_writer", *how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Writer(process, directory)
        assert process.stdin
        process.stdin.close()


@pytest.mark.parametrize("how", [[], ["--full"], ["--torn"], ["--full", "--torn"]], ids=" ".join)
def test_kill_9_at_random_moments_loses_no_durable_tier_event_and_gives_no_number_twice(
    tmp_path: Path, how: list[str]
) -> None:
    chance = Random(KILLS)
    with endless_writer(tmp_path, *how) as writer:
        for seed in range(KILLS):
            writer.live_until_killed(seed, chance.uniform(0, 0.1))
            if seed % 2:  # the other lives follow a kill at once
                assert writer.lost() == []
    assert len(writer.durable) > 10 * KILLS


def test_what_a_kill_leaves_is_chained_and_has_a_checkpoint(tmp_path: Path) -> None:
    with endless_writer(tmp_path) as writer:
        for seed in range(5):
            writer.live_until_killed(seed, 0.05)
    end = read_only(tmp_path, limit=1_000_000)
    assert [row.sequence for row in end.recent] == list(range(1, len(end.recent) + 1))
    assert first_break(chain(tmp_path)) is None
    assert end.checkpoint
    assert end.checkpoint.body.decode().startswith("4/")


def lived(how: str, ending: str, directory: Path) -> dict[str, Any]:
    apart = ["unshare", "--mount"] if how == "full" else []
    command = [*apart, sys.executable, "-m", "tests.edged.record.refusing_disk", how, ending, str(directory)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout.splitlines()[-1])
    assert isinstance(seen, dict)
    return seen


@pytest.mark.parametrize("how", ["full", "io"])
def test_events_a_disk_refuses_are_kept_in_memory_and_written_in_order_when_it_relents(
    tmp_path: Path, how: str
) -> None:
    seen = lived(how, "relent", tmp_path)
    assert seen["cause"] == how
    assert seen["in_memory"] >= 3
    assert seen["pending_is_readable"], "what is in memory must be sent too"
    assert seen["same"], "written as given, in order"
    assert seen["checkpoint"] == "held"
    given = [(stream, sequence) for stream, sequence, _ in seen["given"]]
    (stream, sequence, durable) = seen["new"][0]
    assert (stream, sequence, durable) == (given[-1][0], given[-1][1] + 1, True)
    assert seen["kept"] == [*map(list, given), [stream, sequence]]
    for name in {stream for stream, _ in given}:
        numbers = [sequence for stream, sequence in given if stream == name]
        assert numbers == list(range(1, len(numbers) + 1)), "gapless within its stream"


@pytest.mark.parametrize("how", ["full", "io"])
def test_a_crash_with_events_in_memory_gives_none_of_their_numbers_again(tmp_path: Path, how: str) -> None:
    seen = lived(how, "crash", tmp_path)
    durable = [(stream, sequence) for stream, sequence, durable in seen["given"] if durable]
    forgotten = {(stream, sequence) for stream, sequence, durable in seen["given"] if not durable}
    assert forgotten
    assert [tuple(row) for row in seen["kept"][:-1]] == durable
    assert tuple(seen["new"][0]) == (durable[-1][0], durable[-1][1] + 1, True)
    assert tuple(seen["new"][0][:2]) not in forgotten
