"""What may be said to the desk: codes, names of the configuration, opaque ids. No free text that could carry a
patient's data.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from edged.core.effects import Errand
from edged.core.observations import Act, Reason
from edged.core.opaque import opaque

Room = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
_ALARM = re.compile(r"[a-z]{1,16}\.[a-z0-9_]{1,32} [a-z0-9][A-Za-z0-9._:-]{0,63}")


def _alarm_or_marker(text: str) -> str:
    return text if _ALARM.fullmatch(text) else opaque(text)


OpaqueId = Annotated[str, AfterValidator(opaque)]
Subject = Annotated[str, AfterValidator(_alarm_or_marker)]
"""An alarm and what it is about: "link.degraded cellular"; or an opaque marker."""
_LONGEST_S = 7 * 86_400.0
"""Of a shelf; the judge allows much less and says so in its own words."""


class Args(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoArgs(Args):
    pass


class EventsArgs(Args):
    limit: Annotated[int, Field(ge=1, le=1000)] = 30


class WatchArgs(Args):
    every_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0


class ActArgs(Args):
    act: Act
    reason: Reason
    session: OpaqueId | None = None
    room: Room | None = None
    subject: Subject | None = None
    for_s: Annotated[float, Field(gt=0, le=_LONGEST_S)] | None = None

    @field_validator("reason")
    @classmethod
    def _ones_own(cls, reason: Reason) -> Reason:
        if reason is Reason.NOC_COMMAND:
            raise ValueError("only a signed command can say so")
        return reason


class PlatformArgs(Args):
    """The supervision platform's word; null: it does not say."""

    room: Room | None = None
    audio_to_room: bool | None = None
    audio_from_room: bool | None = None
    video_to_room: bool | None = None
    video_from_room: bool | None = None


class AskArgs(Args):
    errand: Errand
    link: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


class IncidentsArgs(Args):
    """The newest ones."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50


class IncidentArgs(Args):
    number: Annotated[int, Field(ge=1)]


class EvidenceArgs(Args):
    """The first portion of the rows about a session; with what the last answer said, the next one."""

    session: OpaqueId
    after: Annotated[int, Field(ge=0)] | None = None
    last: Annotated[int, Field(ge=0)] | None = None
