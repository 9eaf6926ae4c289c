from dataclasses import replace
from pathlib import Path

import pytest

from edged.core.events import Channel
from edged.record.recorded import Gone, Tombstone
from edged.record.reserve import RUN, Reserve, TierRow, folded, stones
from edged.record.settings import RecordSettings
from tests.edged.record.scene import log_event, open_store, tier_event


def run(*tiers: int, stream: str = "a") -> list[TierRow]:
    return [TierRow(10 + n, stream, n, tier, 300) for n, tier in enumerate(tiers, 1)]


@pytest.mark.parametrize(
    ("tiers", "gone"),
    [
        ((), []),
        ((1,), []),
        ((1, 2), []),
        ((1, 2, 3), [2]),
        ((1, 1, 1), [2]),
        ((1, 3, 2, 3, 1), [3, 4]),
        ((4, 1, 1, 1, 2), [2, 3, 4]),
        ((1, 1, 1, 1, 2), [2, 3, 4]),
    ],
)
def test_of_a_run_the_first_the_last_and_the_first_of_the_highest_tier_stay(
    tiers: tuple[int, ...], gone: list[int]
) -> None:
    assert [row.sequence for row in folded(run(*tiers))] == gone


def test_a_tombstone_for_each_stream_says_how_many_there_were_of_each_tier() -> None:
    assert stones([*run(1, 3, 1, 2), *run(2, stream="b")]) == [
        Tombstone("a", 1, 4, Gone.COALESCED, ((1, 2), (2, 1), (3, 1))),
        Tombstone("b", 1, 1, Gone.COALESCED, ((2, 1),)),
    ]


def test_rows_are_folded_once_each_before_any_is_folded_again() -> None:
    reserve = Reserve((row, 100) for row in range(1, 2 * RUN + 3))
    assert reserve.bytes == 100 * (2 * RUN + 2)
    assert reserve.run_after(0) == list(range(1, RUN + 1))
    assert reserve.run_after(RUN) == list(range(RUN + 1, 2 * RUN + 1))
    assert reserve.run_after(2 * RUN) == list(range(1, RUN + 1)), "two are not worth it: the oldest again"


async def test_a_full_reserve_is_folded_and_said_to_be(tmp_path: Path) -> None:
    small = RecordSettings(reserve_mib=1)
    store = await open_store(tmp_path, small)
    stream, text = store.opening.stream, "x" * 2000
    for n in range(12):
        await store.append([replace(tier_event(n=n, text=text), tier=1 + (n == 3 and i == 7)) for i in range(64)])
    status, waiting = store.status(), await store.pending(Channel.TIER, limit=5000)
    assert status.coalesced > 250
    assert status.coalesced + len(waiting) == status.pending_tier + status.coalesced == 12 * 64
    assert 80 < status.reserve_pct <= 115
    assert {1, 128, 3 * 64 + 8} <= {row.sequence for row in waiting}
    told = await store.tombstones(1000)
    assert sum(events for stone in told for _, events in stone.tiers) == status.coalesced
    assert {(stone.stream, stone.why) for stone in told} == {(stream, Gone.COALESCED)}
    gone = {n for stone in told if stone.last for n in range(stone.first, stone.last + 1)}
    assert gone == set(range(1, 12 * 64 + 1)) - {row.sequence for row in waiting}
    await store.close()
    store = await open_store(tmp_path, small)
    assert (store.status().coalesced, store.status().reserve_pct) == (status.coalesced, status.reserve_pct)
    assert await store.pending(Channel.TIER, limit=5000) == waiting
    await store.acknowledged(stream, 12 * 64)
    assert store.status().reserve_pct == 0
    await store.close()


async def test_the_reserve_takes_no_room_from_what_else_is_kept(tmp_path: Path) -> None:
    store = await open_store(tmp_path, RecordSettings(keep_rows=100))
    await store.append([log_event(n=n) for n in range(90)])
    await store.append([tier_event(n=n) for n in range(300)])
    assert (store.status().evicted, store.status().pending_log) == (0, 90)
    await store.close()
