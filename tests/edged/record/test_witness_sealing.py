import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edged.core.events import Channel, Event, Json
from edged.core.observations import LedgerSealed
from edged.record.chain import link
from edged.record.errors import RecordMisused
from edged.record.evidence_rows import session_rows
from edged.record.store import Store
from edged.record.witness import Statement, check
from edged.record.witness_key import load_or_make
from edged.record.witness_sealing import Sealing
from tests.edged.record.scene import FixedClock, log_event, open_store, tier_event


def checkpoint_event(sealed: LedgerSealed) -> Event:
    data: dict[str, Json] = {
        "stream": sealed.stream,
        "at": sealed.sequence,
        "row_hash": sealed.row_hash,
        "key": sealed.key,
        "public_key": sealed.public_key,
        "signature": sealed.signature,
    }
    return Event(Channel.LOG, "ledger.checkpoint", 0, sealed.at_s, data)


class Box:
    """A store, its key, and what was told."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.store = store
        self.told: list[LedgerSealed] = []
        self.sealing = Sealing(store, load_or_make(directory), FixedClock(), self.told.append, every_s=3600.0)

    async def seal_and_record(self) -> None:
        sealed = await self.sealing.seal()
        assert sealed
        await self.store.append([checkpoint_event(sealed)])


@pytest.fixture
async def box(tmp_path: Path) -> Box:
    return Box(await open_store(tmp_path), tmp_path)


async def test_a_checkpoint_signs_the_newest_row(box: Box) -> None:
    rows = await box.store.append([tier_event(), log_event()])
    sealed = await box.sealing.seal()
    assert sealed is not None
    assert (sealed.stream, sealed.sequence) == (rows[-1].stream, 2)
    assert check(sealed.public_key, Statement(sealed.stream, 2, sealed.row_hash), sealed.signature)
    (after,) = await box.store.append([log_event(session="s-1")])
    await box.store.close()
    assert box.told == [sealed]
    assert after.sequence == 3


async def test_the_hash_signed_is_what_the_next_row_carries(box: Box, tmp_path: Path) -> None:
    await box.store.append([log_event(session="s-1")])
    sealed = await box.sealing.seal()
    assert sealed is not None
    await box.store.append([log_event(session="s-1")])
    await box.store.close()
    first, second = session_rows(tmp_path, "s-1").rows
    assert sealed.row_hash == second.previous.hex() == link(first.previous, first.body).hex()


async def test_nothing_recorded_nothing_signed(box: Box) -> None:
    assert await box.sealing.seal() is None
    await box.store.append([log_event()])
    await box.seal_and_record()
    for _ in range(2):
        assert await box.sealing.seal() is None  # the checkpoint alone is nothing new
    await box.store.append([log_event()])
    await box.seal_and_record()
    assert [sealed.sequence for sealed in box.told] == [1, 3]


async def test_what_came_between_a_signature_and_its_event_is_signed_too(box: Box) -> None:
    await box.store.append([log_event()])
    sealed = await box.sealing.seal()
    assert sealed
    await box.store.append([log_event()])
    await box.store.append([checkpoint_event(sealed)])
    await box.seal_and_record()
    assert [each.sequence for each in box.told] == [1, 3]
    assert await box.sealing.seal() is None


async def test_a_next_life_signs_nothing_that_was_signed(tmp_path: Path) -> None:
    box = Box(await open_store(tmp_path), tmp_path)
    await box.store.append([log_event()])
    await box.seal_and_record()
    await box.store.close()
    again = Box(await open_store(tmp_path), tmp_path)
    assert await again.sealing.seal() is None
    await again.store.append([log_event()])
    sealed = await again.sealing.seal()
    assert sealed is not None
    assert sealed.key == box.told[0].key


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not met():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("tier", [3, 4])
async def test_a_grave_tier_event_is_signed_at_once_and_others_wait(box: Box, tier: int) -> None:
    await box.store.append([log_event()])
    async with asyncio.TaskGroup() as group:
        running = group.create_task(box.sealing.run())
        await until(lambda: len(box.told) == 1)
        await box.store.append([tier_event()])
        await box.store.append([replace(log_event(), tier=4)])
        await box.store.append([replace(tier_event(), tier=tier)])
        await until(lambda: len(box.told) == 2)
        running.cancel()
    assert [sealed.sequence for sealed in box.told] == [1, 4]


async def test_while_the_disk_refuses_nothing_is_signed(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"in the way")
    store = await open_store(tmp_path / "state")
    await store.append([tier_event()])
    assert await store.tip() is None
    await store.close()


# ── rows of a session ──────────────────────────────────────────────────────────────────────────────────
async def one_session(box: Box) -> None:
    await box.store.append([log_event()])
    await box.seal_and_record()  # 2
    await box.store.append([log_event(session="s-0"), log_event()])
    await box.seal_and_record()  # 5
    await box.store.append([log_event(session="s-1"), log_event(), log_event(session="s-1")])  # 6 to 8
    stale = box.told[-1]
    await box.store.append([checkpoint_event(stale)])  # 9: says nothing of row 8
    await box.store.append([log_event()])
    await box.seal_and_record()  # 11
    await box.store.append([log_event(session="s-2")])
    await box.store.close()


@pytest.mark.parametrize(("session", "first", "last"), [("s-0", 2, 5), ("s-1", 5, 11), ("s-2", 11, 12)])
async def test_rows_reach_from_the_checkpoint_before_to_the_one_that_covers_the_end(
    box: Box, tmp_path: Path, session: str, first: int, last: int
) -> None:
    await one_session(box)
    found = session_rows(tmp_path, session)
    assert [each.row for each in found.rows] == list(range(first, last + 1))
    assert (found.last, found.after) == (last, None)


async def test_rows_come_in_portions(box: Box, tmp_path: Path) -> None:
    await one_session(box)
    whole = session_rows(tmp_path, "s-1")
    parts = [session_rows(tmp_path, "s-1", most_bytes=700)]
    while (after := parts[-1].after) is not None:
        parts.append(session_rows(tmp_path, "s-1", after=after, last=parts[-1].last, most_bytes=700))
    assert len(parts) > 2
    assert tuple(row for part in parts for row in part.rows) == whole.rows


@pytest.mark.parametrize("session", ["s-9", "s", "", '"', "a b", "%"])
async def test_a_session_nobody_recorded_is_said(box: Box, tmp_path: Path, session: str) -> None:
    await one_session(box)
    with pytest.raises(RecordMisused):
        session_rows(tmp_path, session)
