import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from edged.core.events import Channel
from edged.record.chain import first_break
from edged.record.database import FILE_NAME
from edged.record.errors import RecordMisused
from edged.record.recorded import Acknowledgement, DiskCause, Gone, Recorded, Tombstone
from edged.record.settings import RecordSettings
from edged.record.store import Store
from tests.edged.record.scene import ORIGIN, FixedClock, log_event, open_store, tier_event

TIER, LOG = Channel.TIER, Channel.LOG
FEW = RecordSettings(keep_rows=100)


def sequences(rows: list[Recorded]) -> list[int]:
    return [row.sequence for row in rows]


async def test_sequences_have_no_gap_and_the_stream_outlives_the_daemon(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    assert store.opening.fresh
    first = await store.append([tier_event(), log_event()])
    second = await store.append([log_event()])
    await store.close()
    store = await open_store(tmp_path)
    assert not store.opening.fresh
    third = await store.append([tier_event()])
    await store.close()
    rows = [*first, *second, *third]
    assert sequences(rows) == [1, 2, 3, 4]
    assert {row.stream for row in rows} == {store.opening.stream}
    assert all(row.durable for row in rows)


async def test_what_is_read_again_is_byte_for_byte_what_was_recorded(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    written = await store.append([tier_event(n=n) for n in range(10)])
    await store.close()
    store = await open_store(tmp_path)
    assert await store.recent(100) == written
    assert await store.recent(3) == written[-3:]
    await store.close()


async def test_every_row_carries_the_hash_of_the_one_before(tmp_path: Path) -> None:
    for n in range(3):  # across restarts too
        store = await open_store(tmp_path)
        await store.append([tier_event(n=n), log_event(n=n)])
        await store.close()
    assert first_break(chain(tmp_path)) is None
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE event SET body = ? WHERE row = 3", (b"forged",))
    assert first_break(chain(tmp_path)) == 4


def chain(directory: Path) -> list[tuple[int, bytes, bytes]]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        return connection.execute("SELECT row, previous, body FROM event ORDER BY row").fetchall()


async def test_the_checkpoint_is_the_latest_one_given(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    assert await store.checkpoint() is None
    await store.append([tier_event()], b"one")
    await store.append([tier_event()])
    await store.append([], b"two")
    assert await store.checkpoint() == b"two"
    await store.close()
    store = await open_store(tmp_path)
    assert await store.checkpoint() == b"two"
    await store.close()


async def test_an_event_json_cannot_say_is_refused_whole(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    with pytest.raises(RecordMisused):
        await store.append([tier_event(), tier_event(rtt_s=float("nan"))], b"unwanted")
    assert await store.recent(10) == []
    assert await store.checkpoint() is None
    assert sequences(await store.append([tier_event()])) == [1]
    await store.close()


async def test_a_second_writer_is_turned_away(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    with pytest.raises(RecordMisused, match="another process"):
        await open_store(tmp_path)
    await store.close()
    await (await open_store(tmp_path)).close()


async def test_a_closed_store_is_misuse(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(RecordMisused):
        await store.append([tier_event()])


async def test_an_append_whose_caller_is_cancelled_is_recorded_and_told(tmp_path: Path) -> None:
    store, told = await open_store(tmp_path), asyncio.Event()
    store.watch(told.set)
    task = asyncio.create_task(store.append([tier_event()]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait_for(told.wait(), 5)
    assert sequences(await store.pending(TIER)) == [1]
    await store.close()


# ── what still has to arrive ───────────────────────────────────────────────────────────────────────────
async def test_log_rows_are_pending_until_the_broker_took_them_in_any_order(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    rows = await store.append([log_event(), tier_event(), log_event(), log_event()])
    await store.sent([rows[3].row, rows[0].row])
    assert sequences(await store.pending(LOG)) == [3]
    assert sequences(await store.pending(TIER)) == [2]
    await store.sent([rows[2].row])
    assert store.status().pending_log == 0
    await store.close()
    store = await open_store(tmp_path)
    assert await store.pending(LOG) == []
    await store.close()


async def test_pending_rows_are_read_in_pieces(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    rows = await store.append([tier_event() for _ in range(10)])
    assert sequences(await store.pending(TIER, limit=4)) == [1, 2, 3, 4]
    assert sequences(await store.pending(TIER, after=rows[3].row, limit=4)) == [5, 6, 7, 8]
    await store.close()


async def test_only_the_nocs_watermark_settles_tier_rows(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    rows = await store.append([tier_event(), log_event(), tier_event(), tier_event()])
    stream = rows[0].stream
    await store.sent([row.row for row in rows])
    assert sequences(await store.pending(TIER)) == [1, 3, 4]
    assert await store.acknowledged(stream, 3) is Acknowledgement.APPLIED
    assert sequences(await store.pending(TIER)) == [4]
    await store.close()
    store = await open_store(tmp_path)
    assert sequences(await store.pending(TIER)) == [4]
    assert await store.acknowledged(stream, 3) is Acknowledgement.REPEATED
    assert await store.acknowledged(stream, 5) is Acknowledgement.BEYOND_HEAD
    assert await store.acknowledged("another", 4) is Acknowledgement.UNKNOWN_STREAM
    assert sequences(await store.pending(TIER)) == [4]
    await store.close()


async def test_part_of_a_stream_is_read_again(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    stream = store.opening.stream
    await store.append([tier_event() for _ in range(10)])
    part = await store.stretch(stream, 3, 99, limit=4)
    assert part is not None
    assert (sequences(list(part.rows)), part.after) == ([3, 4, 5, 6], 7)
    rest = await store.stretch(stream, 7, 99, limit=4)
    assert rest is not None
    assert (sequences(list(rest.rows)), rest.after) == ([7, 8, 9, 10], None)
    assert await store.stretch("another", 1, 2) is None
    await store.close()


async def test_no_epoch_comes_twice(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        store = await open_store(tmp_path)
        epochs += [await store.next_epoch(), await store.next_epoch()]
        await store.close()
    assert epochs == [1, 2, 3, 4, 5, 6]


# ── what can never be had again ───────────────────────────────────────────────────────────────────────
async def test_log_rows_that_made_way_leave_a_tombstone_told_until_taken_and_known_for_ever(tmp_path: Path) -> None:
    store = await open_store(tmp_path, FEW)
    for _ in range(30):
        await store.append([log_event() for _ in range(10)])
    await store.append([], b"what the last ones displaced goes with the next write")
    stream, gone = store.opening.stream, store.status().evicted
    stone = Tombstone(stream, 1, gone, Gone.EVICTED)
    assert await store.tombstones() == [stone]
    await store.told([stone])
    assert await store.tombstones() == []
    await store.close()
    store = await open_store(tmp_path, FEW)
    assert await store.tombstones() == []
    assert await store.why_gone(stream, 5, 400) == [Tombstone(stream, 5, gone, Gone.EVICTED)]
    assert await store.why_gone(stream, 301, 400) == [], "never recorded"
    assert await store.why_gone("another", 1, 5) == []
    await store.close()


async def test_a_tombstone_leaves_out_what_is_still_here(tmp_path: Path) -> None:
    store = await open_store(tmp_path, FEW)
    for _ in range(30):
        await store.append([*[log_event() for _ in range(4)], tier_event()])
    await store.append([], b"what the last ones displaced goes with the next write")
    told = await store.tombstones(1000)
    gone = {number for stone in told if stone.last for number in range(stone.first, stone.last + 1)}
    waiting = sequences(await store.pending(TIER, limit=1000)) + sequences(await store.pending(LOG, limit=1000))
    assert gone | set(waiting) == set(range(1, 151))
    assert not gone & set(waiting)
    assert len(await store.tombstones(3)) == 3
    for stone in told:
        await store.told([stone])
    assert await store.tombstones() == []
    await store.close()


async def test_what_was_delivered_and_deleted_is_said_to_be_too_old(tmp_path: Path) -> None:
    store = await open_store(tmp_path, FEW)
    for _ in range(30):
        rows = await store.append([tier_event() for _ in range(10)])
        await store.acknowledged(rows[-1].stream, rows[-1].sequence)
    kept = await store.recent(1000)
    assert await store.why_gone(rows[0].stream, 1, 300) == [
        Tombstone(rows[0].stream, 1, kept[0].sequence - 1, Gone.EXPIRED)
    ]
    assert await store.tombstones() == [], "somebody has them"
    await store.close()


async def test_a_lost_database_is_told_by_tombstones_around_what_the_journal_saved(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    stream = store.opening.stream
    await store.append([log_event(), tier_event(n=2), log_event(), tier_event(n=4), log_event()])
    await store.acknowledged(stream, 2)
    await store.close()
    (tmp_path / FILE_NAME).write_bytes(b"torn to pieces")
    store = await open_store(tmp_path)
    assert [(row.stream, row.sequence) for row in await store.pending(TIER)] == [(stream, 4)]
    assert store.status().rescued == 1
    assert await store.tombstones() == [
        Tombstone(stream, 1, 3, Gone.TORN),
        Tombstone(stream, 5, None, Gone.TORN),
    ]
    part = await store.stretch(stream, 1, 9)
    assert part is not None
    assert sequences(list(part.rows)) == [4]
    assert await store.acknowledged(stream, 9) is Acknowledgement.APPLIED, "the NOC knows more of it than we do"
    assert await store.pending(TIER) == []
    await store.close()


# ── a database that cannot be read yet ────────────────────────────────────────────────────────────────
async def test_the_journal_stands_in_for_a_database_that_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(tmp_path)
    old = await store.append([tier_event(n=1), log_event(n=2), tier_event(n=3)], b"latched")
    await store.close()
    with monkeypatch.context() as full:
        full.setattr("edged.record.database.open_database", refused)
        store = await open_store(tmp_path)
        assert await store.pending(TIER) == [old[0], old[2]]
        new = await store.append([tier_event(n=4), log_event(n=5)])
        assert [row.durable for row in new] == [True, False]
        assert await store.acknowledged(old[0].stream, 1) is Acknowledgement.APPLIED
        assert await store.pending(TIER) == [old[2], new[0]]
    late = await store.append([tier_event(n=6)])
    assert await store.pending(TIER) == [old[2], new[0], *late]
    assert [row.body for row in await store.recent(100)] == [row.body for row in (*old, *new, *late)]
    assert (await store.checkpoint(), store.status().durable) == (b"latched", True)
    await store.close()
    assert first_break(chain(tmp_path)) is None


def refused(_path: Path) -> sqlite3.Connection:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


async def test_many_stores_share_a_thread(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=1) as thread:
        stores = [
            await Store.open(
                tmp_path / f"{n}", origin=ORIGIN, clock=FixedClock(), settings=RecordSettings(), thread=thread
            )
            for n in range(3)
        ]
        rows = [await store.append([tier_event()]) for store in stores]
        for store in stores:
            await store.close()
        assert len({row.stream for (row,) in rows}) == 3
        thread.submit(int).result()


# ── how much is kept ───────────────────────────────────────────────────────────────────────────────────


async def test_settled_rows_are_kept_for_a_while_then_the_oldest_go(tmp_path: Path) -> None:
    store = await open_store(tmp_path, FEW)
    for _ in range(30):
        rows = await store.append([tier_event() for _ in range(10)])
        await store.acknowledged(rows[-1].stream, rows[-1].sequence)
    kept = await store.recent(1000)
    assert 100 <= len(kept) <= 110
    assert sequences(kept) == list(range(301 - len(kept), 301))
    assert store.status().kept_rows == len(kept)
    await store.close()


async def test_a_tier_row_the_noc_does_not_have_is_never_deleted(tmp_path: Path) -> None:
    store = await open_store(tmp_path, FEW)
    await store.append([tier_event(n=n) for n in range(150)])
    for _ in range(30):
        await store.append([log_event() for _ in range(10)])
    assert sequences(await store.pending(TIER, limit=1000)) == list(range(1, 151))
    await store.close()


async def test_log_rows_nobody_took_go_oldest_first_and_are_counted(tmp_path: Path) -> None:
    store = await open_store(tmp_path, FEW)
    for _ in range(30):
        await store.append([log_event() for _ in range(10)])
    status = store.status()
    assert status.evicted == 300 - status.kept_rows
    assert sequences(await store.pending(LOG, limit=1000)) == list(range(status.evicted + 1, 301))
    await store.close()
    store = await open_store(tmp_path, FEW)
    assert store.status().evicted == status.evicted
    await store.close()


async def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    store = await open_store(tmp_path, RecordSettings(keep_mib=1))
    for _ in range(40):
        await store.append([log_event(text="x" * 50_000)])
    assert store.status().kept_bytes <= (1 << 20) + 51_000
    await store.close()


async def test_the_newest_row_outlives_every_bound_so_its_number_cannot_return(tmp_path: Path) -> None:
    store = await open_store(tmp_path, RecordSettings(keep_mib=1))
    rows = await store.append([tier_event(text="x" * (2 << 20))])
    await store.acknowledged(rows[0].stream, 1)
    await store.append([], b"a write that may delete")
    await store.close()
    store = await open_store(tmp_path)
    assert sequences(await store.append([tier_event()])) == [2]
    await store.close()


# ── files that cannot be trusted ───────────────────────────────────────────────────────────────────────
async def aged(directory: Path) -> str:
    """A ledger with 300 rows, and the name of its stream."""
    store = await open_store(directory)
    await store.append([tier_event(n=n, text="x" * 200) for n in range(300)], b"latched")
    await store.close()
    return store.opening.stream


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribbled(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[4096:40960] = b"\xa5" * 36864
    path.write_bytes(body)


def no_database(path: Path) -> None:
    path.write_text("this is no database\n" * 1000)


def somebody_elses(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


@pytest.mark.parametrize("harm", [torn, scribbled, no_database, somebody_elses])
async def test_a_file_that_cannot_be_trusted_is_set_aside_and_said(tmp_path: Path, harm: object) -> None:
    assert callable(harm)
    old = await aged(tmp_path)
    harm(tmp_path / FILE_NAME)
    harmed = (tmp_path / FILE_NAME).read_bytes()
    store = await open_store(tmp_path)
    assert store.opening.set_aside == tmp_path / f"{FILE_NAME}.corrupt-1"
    assert store.opening.set_aside.read_bytes() == harmed
    assert (store.opening.fresh, store.opening.cause) == (True, DiskCause.CORRUPT)
    assert store.opening.stream != old
    assert sequences(await store.append([tier_event()])) == [1]
    assert store.status().durable
    await store.close()


async def test_a_file_lost_under_its_write_ahead_log_is_said(tmp_path: Path) -> None:
    await aged(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    (tmp_path / f"{FILE_NAME}-wal").write_bytes(b"what is left")
    store = await open_store(tmp_path)
    assert store.opening.cause is DiskCause.CORRUPT
    assert (tmp_path / f"{FILE_NAME}.corrupt-1-wal").read_bytes() == b"what is left"
    await store.close()


async def test_evidence_does_not_fill_the_disk(tmp_path: Path) -> None:
    for _ in range(5):
        no_database(tmp_path / FILE_NAME)
        await (await open_store(tmp_path)).close()
    assert sorted(file.name for file in tmp_path.glob("*.corrupt-*")) == [f"{FILE_NAME}.corrupt-{n}" for n in (3, 4, 5)]


async def test_a_file_torn_while_in_use_is_set_aside_and_recording_goes_on(tmp_path: Path) -> None:
    old = await aged(tmp_path)
    store = await open_store(tmp_path)
    torn(tmp_path / FILE_NAME)
    assert await store.stretch(old, 1, 300, limit=300) is not None  # reading finds out
    rows = await store.append([tier_event(n=1)], b"after")
    assert (rows[0].sequence, rows[0].durable) == (1, True)
    assert rows[0].stream != old
    assert (store.status().set_aside, store.status().durable) == (1, True)
    assert await store.checkpoint() == b"after"
    await store.close()
    store = await open_store(tmp_path)
    assert await store.recent(1) == rows
    assert [(row.stream, row.sequence) for row in await store.pending(TIER, limit=1000)] == [
        *((old, number) for number in range(1, 301)),
        (rows[0].stream, 1),
    ], "the journal had them"
    await store.close()


async def test_a_directory_that_comes_late_gets_what_was_recorded_without_it(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    old = await aged(directory)
    directory.rename(tmp_path / "hidden")
    directory.write_text("something in the way")
    store = await open_store(directory)
    assert store.opening.cause is DiskCause.UNWRITABLE
    early = await store.append([tier_event(n=1)])
    assert (early[0].durable, store.status().durable, store.status().in_memory) == (False, False, 1)
    directory.unlink()
    (tmp_path / "hidden").rename(directory)
    late = await store.append([tier_event(n=2)])
    assert (late[0].durable, late[0].stream, late[0].sequence) == (True, early[0].stream, 2)
    assert await store.checkpoint() == b"latched"
    await store.close()
    store = await open_store(directory)
    assert [head.last for head in store.status().heads] == [300, 2]
    assert [(row.stream, row.sequence) for row in await store.recent(3)] == [
        (old, 300),
        (early[0].stream, 1),
        (early[0].stream, 2),
    ]
    assert json.loads((await store.recent(1))[0].body)["data"] == {"n": 2}
    await store.close()


async def test_memory_is_bounded_and_keeps_tier_events_longest(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way for good")
    store = await Store.open(
        tmp_path / "state", origin=ORIGIN, clock=FixedClock(), settings=RecordSettings(memory_rows=16)
    )
    logs = await store.append([log_event() for _ in range(20)])
    tiers = await store.append([tier_event() for _ in range(20)])
    assert (len(logs), len(tiers)) == (16, 16)
    assert sequences([*logs, *tiers]) == list(range(1, 33))
    assert store.status().dropped == 8
    await store.close()
