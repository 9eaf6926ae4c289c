"""What the judge has to say: facts for the record, before anything acts on them.

An event carries codes, numbers and ids only; sentences for people come from the protocol table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Channel(StrEnum):
    """How long an event is kept: TIER until the NOC acknowledges it, LOG until it is sent."""

    TIER = "tier"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Event:
    """One judged fact. `at_s` is monotonic; the record adds wall-clock time, sequence and boot id."""

    channel: Channel
    name: str
    """Dotted and past tense: "tier.entered", "link.down", "power.on_battery"."""
    tier: int
    """The tier in force after this event, 0 to 4: it chooses the topic `evt/t{tier}` of a TIER event."""
    at_s: float
    data: Mapping[str, Json]
