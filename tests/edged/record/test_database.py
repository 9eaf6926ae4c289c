"""Files of earlier versions go on as they are."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edged.core.events import Channel
from edged.record import database
from edged.record.chain import genesis, link
from edged.record.journal import FILE_NAME as JOURNAL
from edged.record.post_mortem import read_only
from edged.record.recorded import KeptCommand
from tests.edged.record.scene import open_store, tier_event


def of_version_1(directory: Path) -> None:
    """As edged 0.3 left it: two rows, one acknowledged."""
    with closing(sqlite3.connect(directory / database.FILE_NAME, isolation_level=None)) as connection:
        connection.executescript(database._FIRST_SCHEMA)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO kept VALUES ('identity', 'i')")
        connection.execute("INSERT INTO stream VALUES ('a', 0, 2, 1, 1)")
        first = genesis("a")
        connection.execute("INSERT INTO event VALUES (1, 'tier', 2, ?, ?)", (first, b"one"))
        connection.execute("INSERT INTO event VALUES (2, 'tier', 2, ?, ?)", (link(first, b"one"), b"two"))


async def test_a_file_of_the_first_version_is_continued_in_place(tmp_path: Path) -> None:
    of_version_1(tmp_path)
    assert [row.body for row in read_only(tmp_path).recent] == [b"one", b"two"], "before the daemon ran"
    store = await open_store(tmp_path)
    assert (store.opening.fresh, store.opening.set_aside, store.opening.stream) == (False, None, "a")
    assert [row.body for row in await store.pending(Channel.TIER)] == [b"two"]
    (row,) = await store.append([tier_event()])
    assert (row.stream, row.sequence) == ("a", 3)
    assert await store.keep_command(KeptCommand("c", 1e12, None))
    await store.close()
    store = await open_store(tmp_path)
    assert len(await store.recent(10)) == 3
    await store.close()


async def test_events_a_first_version_left_are_put_into_the_journal(tmp_path: Path) -> None:
    of_version_1(tmp_path)
    store = await open_store(tmp_path)
    await store.close()
    assert b"two" in (tmp_path / JOURNAL).read_bytes()
    (tmp_path / database.FILE_NAME).unlink()
    store = await open_store(tmp_path)
    assert [(row.stream, row.sequence, row.body) for row in await store.pending(Channel.TIER)] == [("a", 2, b"two")]
    await store.close()


@pytest.mark.parametrize("version", [0, 99])
async def test_a_version_nobody_knows_is_set_aside(tmp_path: Path, version: int) -> None:
    of_version_1(tmp_path)
    with closing(sqlite3.connect(tmp_path / database.FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    store = await open_store(tmp_path)
    assert store.opening.set_aside
    await store.close()


async def test_a_fresh_file_can_give_pages_back(tmp_path: Path) -> None:
    await (await open_store(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / database.FILE_NAME)) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
