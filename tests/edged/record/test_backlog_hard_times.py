"""kill -9, files that are corrupt, disks that are full: every number anybody heard of is accounted for."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Timer

import pytest

from edged.record.backlog import Backlog
from edged.record.backlog_file import FILE_NAME
from edged.record.recorded import Gone
from tests.edged.record.backlog_scene import Accounts, noise, open_backlog, passed, upses
from tests.edged.record.scene import FixedClock

KILLS = 20


@pytest.fixture
def lives() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.edged.record.backlog_lives"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def told_until_killed(lives: subprocess.Popen[str], directory: Path, seed: int, life_s: float) -> list[list[str]]:
    assert lives.stdin
    assert lives.stdout
    print(directory, seed, file=lives.stdin, flush=True)
    first = [lives.stdout.readline(), lives.stdout.readline()]  # the pid and something told, in either order
    killer = Timer(life_s, os.kill, (next(int(line[4:]) for line in first if line.startswith("pid ")), signal.SIGKILL))
    killer.start()
    rest = iter(lives.stdout.readline, "dead\n")
    return [line.split() for line in (*first, *rest) if not line.startswith("pid ")]


async def test_kill_9_at_random_moments_leaves_no_number_unaccounted(
    tmp_path: Path, lives: subprocess.Popen[str]
) -> None:
    chance, taken, consumer = Random(KILLS), dict[str, int](), Accounts()
    seen_on_disk: dict[str, set[int]] = {}
    for seed in range(KILLS):
        for what, stream, *numbers in told_until_killed(lives, tmp_path, seed, chance.uniform(0, 0.1)):
            first, last = int(numbers[0]), int(numbers[-1])
            if what == "taken":
                taken[stream] = max(last, taken.get(stream, 0))
            elif what == "delivered":
                consumer.hold(stream, [last])
            else:
                seen_on_disk.setdefault(stream, set()).update(range(first, last + 1))
    backlog = await open_backlog(tmp_path, FixedClock())
    consumer.take(await backlog.batches(100_000))
    for stream, seen in seen_on_disk.items():
        assert seen <= consumer.held[stream], "what was on the disk is on the disk"
    for stream, last in taken.items():
        consumer.bury(backlog.why_gone(stream, 1, last))
        assert consumer.missing(stream, last) == []
    assert len(taken) > KILLS
    assert backlog.status().torn == 0
    await backlog.close()


# ── corrupt files ──────────────────────────────────────────────────────────────────────────────────────
async def filled(directory: Path, clock: FixedClock) -> Backlog:
    """300 messages of one kind on the disk, in several pages."""
    backlog = await open_backlog(directory, clock)
    chance = Random(1)
    for _ in range(300):
        backlog.put("ups", noise(chance, 4))
        passed(clock, 10)
        await backlog.batches(0)
    passed(clock, 60)
    backlog.put("ups", upses())
    await backlog.batches(0)
    return backlog


def overwritten(path: Path, begin: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xa5" * length)


def pages_lost(path: Path) -> None:
    """All but the tables' own pages."""
    overwritten(path, 4096 * 8, path.stat().st_size - 4096 * 8)


async def test_a_file_that_cannot_be_read_at_all_is_begun_anew(tmp_path: Path) -> None:
    clock = FixedClock()
    await (await filled(tmp_path, clock)).close()
    header_lost(tmp_path / FILE_NAME)
    backlog = await open_backlog(tmp_path, clock)
    assert backlog.status().torn == 1
    assert await backlog.batches(10) == []
    backlog.put("ups", upses())
    passed(clock, 60)
    backlog.put("ups", upses())
    assert [each.messages for each in await backlog.batches(10)] == [2]
    assert backlog.status().durable
    await backlog.close()
    again = await open_backlog(tmp_path, clock)
    assert again.status().torn == 0
    await again.close()


def header_lost(path: Path) -> None:
    overwritten(path, 0, 4096)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "header": header_lost,
    "pages": pages_lost,
    "short": lambda path: os.truncate(path, 4096 * 8),
    "a page": lambda path: overwritten(path, path.stat().st_size // 4096 // 2 * 4096, 4096),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_what_a_corrupt_file_held_is_named_by_tombstones(tmp_path: Path, damage: str) -> None:
    clock = FixedClock()
    backlog = await filled(tmp_path, clock)
    (stream, last), *_ = backlog._streams.values()
    await backlog.close()
    DAMAGE[damage](tmp_path / FILE_NAME)
    again = await open_backlog(tmp_path, clock)
    accounts = Accounts().take(await again.batches(1000)).bury(again.tombstones())
    assert accounts.missing(stream, last) == []
    assert {each.why for each in again.tombstones()} == {Gone.TORN}
    assert again.status().torn + again.status().lost > 0
    await again.close()


@pytest.mark.parametrize("damage", [*DAMAGE, "deleted"])
async def test_a_file_that_becomes_corrupt_while_it_is_open_costs_what_it_held(tmp_path: Path, damage: str) -> None:
    clock = FixedClock()
    backlog = await filled(tmp_path, clock)
    path = tmp_path / FILE_NAME
    Path(f"{path}-wal").unlink()
    DAMAGE.get(damage, Path.unlink)(path)
    passed(clock, 60)
    for _ in range(200):
        backlog.put("ups", upses())
        passed(clock, 10)
        await backlog.batches(0)
    (stream, last), *_ = backlog._streams.values()
    await backlog.close()
    again = await open_backlog(tmp_path, clock)
    accounts = Accounts().take(await again.batches(1000)).bury(again.tombstones())
    assert accounts.missing(stream, last) == []
    assert again.status().durable
    await again.close()


# ── full disks ─────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("how", "floor_mib"), [("full", 0), ("floor", 4)])
def test_a_full_disk_costs_the_oldest_and_says_so(tmp_path: Path, how: str, floor_mib: int) -> None:
    command = ["unshare", "--mount", sys.executable, "-m", "tests.edged.record.backlog_full_disk"]
    run = subprocess.run(
        [*command, how, str(floor_mib), tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout.splitlines()[-1])
    assert seen["refused"]["waiting"] <= 50
    if how == "full":
        assert (seen["refused"]["durable"], seen["refused"]["cause"]) == (False, "full")
        assert seen["refused"]["evicted"] > 0
    else:  # what the file has it may use
        assert seen["refused"]["downsampled"] > 0
        assert seen["refused"]["durable"]
        assert seen["free_bytes"] >= seen["free_bytes_before"] - (300 << 10), "what is left on the disk is the ledger's"
    assert seen["relented"]["durable"]
    assert seen["missing"] == []
    assert seen["missing_in_the_next_life"] == []
