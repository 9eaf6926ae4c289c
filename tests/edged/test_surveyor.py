"""Errands carried out: each configured table is an instrument, and what comes of an errand is a reading."""

import asyncio
from pathlib import Path

from edged.config import SiteLink
from edged.core.effects import Errand, Leave, Run
from edged.surveyor import DIAGNOSIS_BYTES, Surveyor
from probes.budget import Budget, Spent
from probes.line_reading import DiesAt, ExitReading, LineReading, PathReading

TARGETS = [{"kind": "icmp", "address": "127.0.0.1"}]


def link(**tables: object) -> SiteLink:
    return SiteLink.model_validate({"name": "fiber", "source": "127.0.0.1", "targets": TARGETS, **tables})


class Told:
    def __init__(self) -> None:
        self.readings: asyncio.Queue[LineReading] = asyncio.Queue()


def surveyor(its: SiteLink, told: Told, budget: Budget | None = None) -> Surveyor:
    return Surveyor(
        {"fiber": its},
        told.readings.put_nowait,
        users=lambda _: False,
        budgets={"fiber": budget} if budget else {},
        monotonic=lambda: 5.0,
        wall=lambda: 1_800_000_000.0,
    )


async def test_only_what_is_configured_is_watched(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a key of the tests alone")
    far = {"address": "127.0.0.1"}
    whole = link(exit=far, capacity={**far, "key_file": key}, standby=far)
    assert set(surveyor(whole, Told()).instruments()) == {"paths", "exit:fiber", "capacity:fiber", "standby:fiber"}
    assert set(surveyor(link(), Told()).instruments()) == {"paths"}


async def test_a_diagnosis_that_was_asked_for_comes_as_a_reading_and_is_charged() -> None:
    told, its = Told(), link(monthly_mb=100)
    budget = its.budget(Spent(None, 0))
    assert budget is not None
    made = surveyor(its, told, budget)
    looking = asyncio.create_task(made.instruments()["paths"]())
    made.run(Run(Errand.DIAGNOSE, "fiber"))
    reading = await told.readings.get()
    looking.cancel()
    assert isinstance(reading, PathReading)
    assert (reading.link, reading.dies_at, reading.trouble) == ("fiber", DiesAt.NOWHERE, None)
    assert budget.used_bytes == DIAGNOSIS_BYTES


async def test_a_door_is_looked_at_again_when_told() -> None:
    told = Told()
    made = surveyor(link(exit={"address": "127.0.0.1", "port": 9, "every_s": 86400}), told)
    looking = asyncio.create_task(made.instruments()["exit:fiber"]())
    assert isinstance(await told.readings.get(), ExitReading)
    made.run(Run(Errand.PROVE, "fiber"))
    assert isinstance(await told.readings.get(), ExitReading)
    looking.cancel()


def test_asking_more_often_than_can_wait_is_harmless() -> None:
    made = surveyor(link(), Told())
    for _ in range(10):
        made.run(Run(Errand.DIAGNOSE, "fiber"))
    made.allow(Leave("fiber", trains=True, ramps=False))
