import subprocess
import sys
from pathlib import Path

import pytest

from edged.record.retention import Volume
from edged.record.space import LEAST_BYTES, Space, affordable_bytes, is_low

MIB = 1 << 20
CONFIGURED = Volume(1000, 64 * MIB)


@pytest.mark.parametrize(
    ("kept_mib", "free_mib", "may_keep_mib"),
    [(10, 1000, 946), (10, 70, 16), (10, 64, 10), (10, 60, 6), (10, 0, 1), (0, 0, 1), (64, 64, 64)],
)
def test_what_is_missing_from_the_floor_is_kept_less(kept_mib: int, free_mib: int, may_keep_mib: int) -> None:
    assert affordable_bytes(kept_mib * MIB, free_mib * MIB, 64 * MIB) == may_keep_mib * MIB
    assert LEAST_BYTES == MIB


def test_low_is_said_once_around_the_floor() -> None:
    free, said, low = [65, 63, 65, 71, 72, 65], [], False
    for mib in free:
        low = is_low(mib * MIB, 64 * MIB, before=low)
        said.append(low)
    assert said == [False, True, True, True, False, False]


def test_the_file_system_is_asked_no_more_than_once_a_second(tmp_path: Path) -> None:
    space = Space(tmp_path, floor_bytes=1 << 62)
    assert [space.look(now_s, kept_bytes=0, unused=lambda: 0) for now_s in (10.0, 10.5, 11.0)] == [True, False, True]
    assert space.low
    assert space.bound(CONFIGURED).bytes == LEAST_BYTES


def test_what_our_own_file_does_not_use_is_free_too(tmp_path: Path) -> None:
    space = Space(tmp_path, floor_bytes=1 << 62)
    space.look(0.0, kept_bytes=0, unused=lambda: 1 << 62)
    assert space.bound(CONFIGURED) == CONFIGURED


def test_a_file_system_that_cannot_be_asked_sets_no_bound(tmp_path: Path) -> None:
    space = Space(tmp_path / "missing", floor_bytes=1 << 62)
    space.look(0.0, kept_bytes=0, unused=lambda: 0)
    assert (space.low, space.bound(CONFIGURED)) == (False, CONFIGURED)


def test_on_a_disk_that_others_fill_log_events_go_on_in_the_room_there_is(tmp_path: Path) -> None:
    command = ["unshare", "--mount", sys.executable, "-m", "tests.edged.record.filling_disk", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "fine"
