"""What every test of the record starts from."""

from dataclasses import dataclass, replace
from pathlib import Path

from edged.clock import ClockQuality
from edged.core.events import Channel, Event, Json
from edged.record import envelope
from edged.record.envelope import Origin
from edged.record.settings import RecordSettings
from edged.record.store import Store

ORIGIN = Origin("clinic", "room-1")
SETTINGS = RecordSettings()


@dataclass
class FixedClock:
    """A clock that stands where it is put."""

    monotonic_s: float = 100.0
    wall_s: float = 1_767_225_600.0  # 2026-01-01T00:00:00Z

    def monotonic(self) -> float:
        return self.monotonic_s

    def wall(self) -> float:
        return self.wall_s

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED


def tier_event(**data: Json) -> Event:
    return Event(
        Channel.TIER, "tier.entered", 2, 99.5, data or {"row": "t2.failover", "cause": "link_down", "at": "fiber"}
    )


def log_event(**data: Json) -> Event:
    return replace(
        tier_event(**(data or {"link": "fiber", "loss_pct": 12.5})), channel=Channel.LOG, name="link.degraded"
    )


def any_words() -> None:
    """As in conftest.py, for processes of their own: the record does not care what an event says."""
    setattr(envelope, "fit", lambda kind, data: (data, []))  # noqa: B010  (mypy: a function is no place to assign to)


async def open_store(directory: Path, settings: RecordSettings = SETTINGS) -> Store:
    return await Store.open(directory, origin=ORIGIN, clock=FixedClock(), settings=settings)
