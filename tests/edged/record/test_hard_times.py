"""kill -9, full disks and failing ones: what was called durable is there, and no number is given twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any

import pytest

from edged.record.chain import first_break
from edged.record.post_mortem import read_only
from tests.edged.record.test_store import chain

KILLS = 20


@pytest.fixture
def writer() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.edged.record.endless_writer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def reported_until_killed(writer: subprocess.Popen[str], directory: Path, seed: int, life_s: float) -> list[str]:
    assert writer.stdin
    assert writer.stdout
    print(directory, seed, file=writer.stdin, flush=True)
    first = [writer.stdout.readline(), writer.stdout.readline()]  # the pid and an event, in either order
    killer = Timer(life_s, os.kill, (next(int(line[4:]) for line in first if line.startswith("pid ")), signal.SIGKILL))
    killer.start()
    rest = iter(writer.stdout.readline, "dead\n")
    return [line.strip() for line in (*first, *rest) if not line.startswith("pid ")]


def test_kill_9_at_random_moments_loses_nothing_durable_and_gives_no_number_twice(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    reported: dict[tuple[str, int], str] = {}
    chance = Random(KILLS)
    for seed in range(KILLS):
        for line in reported_until_killed(writer, tmp_path, seed, chance.uniform(0, 0.1)):
            stream, sequence, body = line.split(" ", 2)
            assert reported.setdefault((stream, int(sequence)), body) == body, "a number was given twice"
    end = read_only(tmp_path, limit=1_000_000)
    assert [row.sequence for row in end.recent] == list(range(1, len(end.recent) + 1))
    kept = {(row.stream, row.sequence): row.body.decode() for row in end.recent}
    assert reported.items() <= kept.items(), "lost what was called durable"
    assert first_break(chain(tmp_path)) is None
    assert end.checkpoint
    assert end.checkpoint.body.decode().startswith(f"{KILLS - 1}/")
    assert len(reported) > 10 * KILLS


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
