"""Keeps the budgets of metered links over restarts: one small JSON file, written once a minute and at the end.

Never in the way: a disk that refuses costs no probe, a damaged file is told and what is readable of it goes on.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from probes.budget import Budget, Spent
from probes.errors import MisuseError

log = structlog.get_logger()

WRITE_EVERY_S = 60.0
"""What a crash may forget: 26 kB of three targets at 1 s, 0.5 MB in a session. A flash disk bears a write a minute."""
_VERSION = 1
_LARGEST_FILE = 65_536


@dataclass(frozen=True, slots=True)
class Found:
    """What the file knew. A link it does not know has spent nothing, as far as anybody knows."""

    spent: Mapping[str, Spent]
    damaged: bool
    """Something in it was not readable: usage may be counted too low until the month ends."""


class BudgetFile:
    """One small JSON file for all links: `{"version": 1, "links": {"cellular": {"month": …, "used_bytes": …}}}`.

    Replaced whole and synced, so a power cut leaves the old one or the new one. A disk that refuses costs no probe: the
    budget goes on in memory. Links no longer configured are kept: they may come back within the month.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Spent] = {}
        self._failing = False

    def read(self) -> Found:
        """Blocks for the disk. Never raises for what the disk or the file is like."""
        found = _read(self._path)
        if found.damaged:
            log.warning("budget_file_damaged", path=str(self._path), kept=sorted(found.spent))
        self._known = dict(found.spent)
        return found

    def write(self, spent: Mapping[str, Spent]) -> bool:
        """Blocks until it is on the disk. False: the disk refused."""
        self._known.update(spent)
        text = json.dumps({"version": _VERSION, "links": {link: _plain(each) for link, each in self._known.items()}})
        try:
            _replace(self._path, text.encode())
        except OSError as error:
            if not self._failing:
                log.warning("budget_not_written", path=str(self._path), error=str(error))
            self._failing = True
            return False
        self._failing = False
        return True


async def keep_budgets(file: BudgetFile, budgets: Mapping[str, Budget], *, every_s: float = WRITE_EVERY_S) -> None:
    """Writes what has changed once in `every_s`, off the loop, and a last time when cancelled."""
    written: dict[str, Spent] = {}
    writing: asyncio.Future[bool] | None = None
    try:
        while True:
            await asyncio.sleep(every_s)
            spent = {link: budget.spent for link, budget in budgets.items()}
            if spent != written:
                writing = asyncio.ensure_future(asyncio.to_thread(file.write, spent))
                if await asyncio.shield(writing):
                    written = spent
    finally:
        if writing is not None:
            await asyncio.wait([writing])
        file.write({link: budget.spent for link, budget in budgets.items()})


def _read(path: Path) -> Found:
    try:
        with path.open("rb") as file:
            held = json.loads(file.read(_LARGEST_FILE))
    except FileNotFoundError:
        return Found({}, damaged=False)
    except (OSError, ValueError, RecursionError):
        return Found({}, damaged=True)
    links = held.get("links") if isinstance(held, dict) and held.get("version") == _VERSION else None
    if not isinstance(links, dict):
        return Found({}, damaged=True)
    read = {link: _spent(each) for link, each in links.items()}
    whole = {link: each for link, each in read.items() if each is not None}
    return Found(whole, damaged=len(whole) < len(read))


def _spent(value: Any) -> Spent | None:
    match value:
        case {"month": str() | None as month, "used_bytes": int(used)} if not isinstance(used, bool):
            with suppress(MisuseError):
                return Spent(month, used)
    return None


def _plain(spent: Spent) -> dict[str, str | int | None]:
    return {"month": spent.month, "used_bytes": spent.used_bytes}


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
