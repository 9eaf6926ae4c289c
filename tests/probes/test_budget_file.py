import asyncio
import json
from pathlib import Path

import pytest

from probes.budget import Budget, Spent
from probes.budget_file import BudgetFile, Found, keep_budgets

NOV = Spent("2026-11", 3_141_592)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "budget.json"


def budget(spent: Spent = NOV) -> Budget:
    return Budget(20_000_000, calm_bps=1000.0, most_stretch=30.0, spent=spent)


def test_what_was_written_is_read_again(path: Path) -> None:
    spent = {"cellular": NOV, "satellite": Spent(None, 7)}
    assert BudgetFile(path).write(spent)
    assert BudgetFile(path).read() == Found(spent, damaged=False)
    assert [each.name for each in path.parent.iterdir()] == ["budget.json"]


def test_no_file_is_a_fresh_box(path: Path) -> None:
    assert BudgetFile(path).read() == Found({}, damaged=False)


WHOLE = json.dumps({"version": 1, "links": {"cellular": {"month": "2026-11", "used_bytes": 5}}})


@pytest.mark.parametrize(
    "content",
    [
        *(WHOLE[:cut].encode() for cut in range(len(WHOLE))),
        b"\x00" * 4096,
        b"[]",
        b"null",
        b"[" * 65_000,
        b'{"version": 2, "links": {}}',
        b'{"version": 1, "links": []}',
        b'{"version": 1, "links": {"cellular": {"month": "2026-11", "used_bytes": ' + b"9" * 5000 + b"}}}",
        WHOLE.encode() + b" " * 65_536 + b"x",
        "münchen".encode("latin-1"),
    ],
)
def test_a_torn_or_foreign_file_is_told_and_is_no_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    whole = content.startswith(WHOLE.encode())
    assert BudgetFile(path).read() == Found({"cellular": Spent("2026-11", 5)} if whole else {}, damaged=not whole)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"month": "2026-11"},
        {"month": "2026-13", "used_bytes": 1},
        {"month": 11, "used_bytes": 1},
        {"month": "2026-11", "used_bytes": -1},
        {"month": "2026-11", "used_bytes": True},
        {"month": "2026-11", "used_bytes": 1.5},
        "2026-11",
        None,
    ],
)
def test_what_is_readable_of_a_damaged_file_goes_on(path: Path, bad: object) -> None:
    good = {"month": "2026-11", "used_bytes": 5}
    path.write_text(json.dumps({"version": 1, "links": {"cellular": good, "satellite": bad}}))
    assert BudgetFile(path).read() == Found({"cellular": Spent("2026-11", 5)}, damaged=True)


def test_a_folder_in_its_place_is_damage_too(path: Path) -> None:
    path.mkdir()
    assert BudgetFile(path).read() == Found({}, damaged=True)
    assert not BudgetFile(path).write({"cellular": NOV})


def test_a_link_no_longer_configured_keeps_what_it_spent(path: Path) -> None:
    BudgetFile(path).write({"cellular": NOV})
    later = BudgetFile(path)
    later.read()
    later.write({"satellite": Spent("2026-11", 1)})
    assert BudgetFile(path).read().spent == {"cellular": NOV, "satellite": Spent("2026-11", 1)}


def test_a_disk_that_refuses_is_told_and_the_next_write_may_succeed(path: Path) -> None:
    file = BudgetFile(path.parent / "not there" / path.name)
    assert not file.write({"cellular": NOV})
    (path.parent / "not there").mkdir()
    assert file.write({"cellular": NOV})


async def test_it_is_kept_while_running_and_once_more_at_the_end(path: Path) -> None:
    held, file = budget(), BudgetFile(path)
    keeping = asyncio.create_task(keep_budgets(file, {"cellular": held}, every_s=0.001))
    while not path.exists():
        await asyncio.sleep(0.001)
    assert BudgetFile(path).read().spent == {"cellular": NOV}
    held.used_bytes += 1
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert BudgetFile(path).read().spent == {"cellular": Spent("2026-11", NOV.used_bytes + 1)}


async def test_a_stop_before_the_first_minute_loses_nothing(path: Path) -> None:
    held = budget()
    keeping = asyncio.create_task(keep_budgets(BudgetFile(path), {"cellular": held}))
    await asyncio.sleep(0)
    held.used_bytes += 10
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert BudgetFile(path).read().spent == {"cellular": Spent("2026-11", NOV.used_bytes + 10)}


async def test_nothing_new_is_not_written_again(path: Path) -> None:
    keeping = asyncio.create_task(keep_budgets(BudgetFile(path), {"cellular": budget()}, every_s=0.001))
    while not path.exists():
        await asyncio.sleep(0.001)
    written = path.stat().st_ino
    await asyncio.sleep(0.02)
    assert path.stat().st_ino == written
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_a_full_disk_does_not_end_the_keeping(path: Path) -> None:
    folder = path.parent / "later"
    keeping = asyncio.create_task(keep_budgets(BudgetFile(folder / "b.json"), {"cellular": budget()}, every_s=0.001))
    await asyncio.sleep(0.01)
    folder.mkdir()
    while not (folder / "b.json").exists():
        await asyncio.sleep(0.001)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
