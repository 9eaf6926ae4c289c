"""What the tests of the backlog start from, and how they keep accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from edged.core.events import Json
from edged.record import batch
from edged.record.backlog import Backlog, BacklogSettings, Batch
from edged.record.recorded import Tombstone
from tests.edged.record.scene import ORIGIN, FixedClock

SETTINGS = BacklogSettings(floor_mib=0)


def upses(count: int = 1) -> dict[str, Json]:
    """What a message about one UPS says; they count up, so that no two say the same."""
    return {"rows": [ups_row("network", float(count % 101))]}


def shapers() -> dict[str, Json]:
    return {"rows": [{"interface": "wan", "rate_bps": 9_500_000, "classes": []}]}


def noise(chance: Random, rows: int) -> dict[str, Json]:
    """60 bytes a row that neither deflate nor can be told coarser: no subject comes twice. Of kind "ups"."""
    return {"rows": [ups_row(chance.randbytes(24).hex(), None) for _ in range(rows)]}


def ups_row(name: str, charge_pct: float | None) -> Json:
    return {"ups": name, "power": "mains", "charge_pct": charge_pct, "runtime_s": None, "load_pct": None}


async def open_backlog(directory: Path, clock: FixedClock, settings: BacklogSettings = SETTINGS) -> Backlog:
    return await Backlog.open(directory, origin=ORIGIN, clock=clock, settings=settings)


def passed(clock: FixedClock, seconds: float) -> None:
    clock.monotonic_s += seconds
    clock.wall_s += seconds


@dataclass
class Accounts:
    """Of each stream: the numbers that came, alone or as part of one that stands for several; and what will not."""

    held: dict[str, set[int]] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    """From where on nothing comes any more."""
    doubles: int = 0

    def take(self, batches: Iterable[Batch]) -> "Accounts":
        for each in batches:
            members = batch.unpack(each.body)
            assert len(members) == each.messages
            for member in members:
                first = member.get("first", member["sequence"])
                self.hold(member["stream"], range(first, member["sequence"] + 1))
        return self

    def hold(self, stream: str, numbers: Iterable[int]) -> None:
        held, more = self.held.setdefault(stream, set()), set(numbers)
        self.doubles += len(held & more)
        held |= more

    def bury(self, tombstones: Iterable[Tombstone]) -> "Accounts":
        for each in tombstones:
            if each.last is None:
                self.ended[each.stream] = min(each.first, self.ended.get(each.stream, each.first))
            else:
                self.held.setdefault(each.stream, set()).update(range(each.first, each.last + 1))
        return self

    def missing(self, stream: str, last: int) -> list[int]:
        """Of numbers 1 to `last`."""
        held, end = self.held.get(stream, set()), self.ended.get(stream, last + 1)
        return [number for number in range(1, last + 1) if number not in held and number < end]
