"""Days without a line, in a mebibyte: within the bound at every step, and every number accounted for."""

from pathlib import Path
from random import Random

import pytest

from edged.core.events import Json
from edged.record import backlog as room
from edged.record import batch
from edged.record.backlog import Backlog, BacklogSettings
from edged.record.backlog_file import FILE_NAME
from edged.record.recorded import Gone
from edged.telemetry import COLUMNS
from tests.edged.record.backlog_scene import Accounts, noise, open_backlog, passed, upses
from tests.edged.record.scene import FixedClock

HOURS = 72
SETTINGS = BacklogSettings(keep_mib=1, floor_mib=0)


def link_row(chance: Random) -> Json:
    """A minute in one message, with figures no two seconds share."""
    figures: dict[str, Json] = {
        name: [round(chance.gauss(50, 20), 1) for _ in range(60)] if name in ("rtt_ms", "rtt_p99_ms") else None
        for name in COLUMNS
    }
    judged: dict[str, Json] = {"verdict": "up", "cause": "none", "pace": "calm", "sent": 6}
    return {"link": "fiber", "age_s": 59.5, "every_s": 1, "seconds": 60, **figures, **judged}


def file_bytes(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.glob(f"{FILE_NAME}*") if not file.name.endswith("-shm"))


async def measured(backlog: Backlog, clock: FixedClock, chance: Random, minutes: int, directory: Path) -> int:
    """How large the file was at its largest."""
    rows, most = [link_row(chance) for _ in range(60)], 0
    for minute in range(0, minutes, 5):  # every one would cost the test five times
        passed(clock, 300)
        backlog.put("links", {"rows": [rows[minute % 60]]})
        if minute % 10 == 0:  # what cannot be told coarser than it is
            backlog.put("ups", noise(chance, 60))
        await backlog.batches(0)
        most = max(most, file_bytes(directory))
    return most


async def test_three_days_without_a_line_stay_within_a_mebibyte_and_nothing_is_unaccounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "GENTLY_S", 0.0)
    clock, chance = FixedClock(), Random(72)
    backlog = await open_backlog(tmp_path, clock, SETTINGS)
    most = await measured(backlog, clock, chance, HOURS * 60, tmp_path)
    assert most <= 1 << 20
    status = backlog.status()
    assert status.downsampled > 6 * HOURS
    assert status.evicted > 0
    assert status.durable
    streams = dict(backlog._streams.values())
    await backlog.close()
    again = await open_backlog(tmp_path, clock, SETTINGS)
    accounts = Accounts().take(await again.batches(100_000)).bury(again.tombstones())
    assert accounts.doubles == 0
    for stream, last in streams.items():
        assert accounts.missing(stream, last) == []
    assert {each.why for each in again.tombstones()} == {Gone.EVICTED}
    assert len(again.tombstones()) <= len(streams)
    await again.close()


async def test_what_is_kept_of_three_days_is_finer_the_younger_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "GENTLY_S", 0.0)
    clock, chance = FixedClock(), Random(72)
    backlog = await open_backlog(tmp_path, clock, SETTINGS)
    await measured(backlog, clock, chance, 24 * 60, tmp_path)
    members = [each for found in await backlog.batches(100_000) for each in batch.unpack(found.body)]
    steps = [each["data"]["rows"][0]["every_s"] for each in members if each["type"] == "edge.tel.links.v1"]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == 1
    assert steps[0] > 1
    await backlog.close()


async def test_a_bound_that_was_lowered_is_kept_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "GENTLY_S", 0.0)
    clock, chance = FixedClock(), Random(7)
    backlog = await open_backlog(tmp_path, clock, BacklogSettings(keep_mib=64, floor_mib=0))
    for _ in range(24):
        for _ in range(60):
            backlog.put("ups", noise(chance, 40))
            passed(clock, 1)
        await backlog.batches(0)
    streams = dict(backlog._streams.values())
    await backlog.close()
    assert file_bytes(tmp_path) > 3 << 19
    again = await open_backlog(tmp_path, clock, SETTINGS)
    again.put("ups", upses())
    for _ in range(300):
        await again.batches(0)
    assert file_bytes(tmp_path) <= 1 << 20
    accounts = Accounts().take(await again.batches(100_000)).bury(again.tombstones())
    for stream, last in streams.items():
        assert accounts.missing(stream, last) == []
    await again.close()
