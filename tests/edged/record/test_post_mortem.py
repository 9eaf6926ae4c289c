import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from edged.record.database import FILE_NAME
from edged.record.errors import RecordBroken
from edged.record.post_mortem import read_only
from tests.edged.record.scene import FixedClock, log_event, open_store, tier_event


async def left_behind(directory: Path) -> None:
    store = await open_store(directory)
    rows = await store.append([tier_event(n=n) for n in range(5)], b"tier 3 since 12:00")
    await store.append([log_event()])
    await store.acknowledged(rows[0].stream, 2)
    await store.close()


async def test_the_last_words_of_a_daemon_can_be_read_without_it(tmp_path: Path) -> None:
    await left_behind(tmp_path)
    end = read_only(tmp_path, limit=3)
    assert end.checkpoint
    assert (end.checkpoint.body, end.checkpoint.wall_s) == (b"tier 3 since 12:00", FixedClock().wall())
    assert [row.sequence for row in end.recent] == [4, 5, 6]
    assert [(head.last, head.acknowledged) for head in end.heads] == [(6, 2)]
    assert (end.pending_tier, end.pending_log) == (3, 1)
    assert end.written_wall_s == pytest.approx((tmp_path / FILE_NAME).stat().st_mtime)


async def test_reading_beside_a_living_daemon_disturbs_nothing(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.append([tier_event()], b"alive")
    assert [row.sequence for row in read_only(tmp_path).recent] == [1]
    await store.append([tier_event()])
    assert [row.sequence for row in read_only(tmp_path).recent] == [1, 2]
    await store.close()


async def test_a_write_ahead_log_is_read_where_the_reader_may_not_write(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "live")
    await store.append([tier_event()], b"in the log only")
    shutil.copytree(tmp_path / "live", tmp_path / "seen", ignore=shutil.ignore_patterns("*-shm"))
    await store.close()
    run = in_python(READING, str(tmp_path / "seen"), apart=["unshare", "--mount", "sh", "-c", READ_ONLY_MOUNT, "sh"])
    assert run.stdout == "in the log only\n", run.stderr


READING = """
import sys, pathlib, edged.record.post_mortem
print(edged.record.post_mortem.read_only(pathlib.Path(sys.argv[1])).checkpoint.body.decode())
"""
READ_ONLY_MOUNT = 'for last; do :; done; mount --bind "$last" "$last" && mount -o remount,bind,ro "$last" && exec "$@"'


def in_python(script: str, *arguments: str, apart: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*apart, sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_what_is_no_ledger_is_said(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(RecordBroken):
        read_only(tmp_path)


async def test_a_torn_ledger_is_said(tmp_path: Path) -> None:
    await left_behind(tmp_path)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(RecordBroken):
        read_only(tmp_path)


async def test_rows_of_no_stream_are_said(tmp_path: Path) -> None:
    await left_behind(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE stream SET start = 100")
    with pytest.raises(RecordBroken, match="row 1 belongs to no stream"):
        read_only(tmp_path)


def test_the_reader_needs_neither_asyncio_nor_pydantic() -> None:
    heavy = "{'asyncio', 'pydantic', 'structlog', 'aiomqtt'}"
    run = in_python(f"import sys, edged.record.post_mortem; print(sorted({heavy} & sys.modules.keys()))")
    assert run.stdout == "[]\n", run.stderr
