"""What the NOC may say to us: watermarks, its own presence, and commands that change nothing. Pure; garbage is a
Refusal, never an error.

Without a signature only `resend` and `rebirth` are taken: they ask for what was already said. What carries a signature
is passed on unread (edged/report/signed.py); everything else is refused.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from edged.report.reading import Noc

MAX_BYTES = 4096
MAX_RESEND = 10_000
"""Rows one `resend` may ask for; who misses more asks again."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}", re.ASCII)

Id = Annotated[str, Field(pattern=f"^{_ID.pattern}$")]
"""It is echoed: no room for text in it."""
Text = Annotated[str, Field(min_length=1, max_length=64)]
Sequence = Annotated[int, Field(ge=1, le=2**53 - 1)]


class Reason(StrEnum):
    """Why something was refused; goes out on `cmd/res`."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    NOT_ALLOWED = "not_allowed"  # no such command, or one that must be signed and is not
    RETAINED = "retained"  # a command is for now; a retained one is from some earlier time
    RANGE = "range"  # from > to, or more rows than MAX_RESEND
    UNKNOWN_STREAM = "unknown_stream"
    BUSY = "busy"  # too many resends at once


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Watermark(_Wire):
    """`ack`: the NOC holds all tier events of `stream` up to `seq`."""

    stream: Text
    seq: Annotated[int, Field(ge=0, le=2**53 - 1)]


class Resend(_Wire):
    command: Literal["resend"]
    id: Id
    stream: Text
    first: Annotated[Sequence, Field(alias="from")]
    last: Annotated[Sequence, Field(alias="to")]


class Rebirth(_Wire):
    command: Literal["rebirth"]
    id: Id


class _Named(BaseModel):
    """As much of a command as it takes to answer it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    command: str = ""
    id: str | None = None
    signed: bool = False

    @model_validator(mode="before")
    @classmethod
    def _drop_what_is_no_name(cls, value: object) -> object:
        said = value if isinstance(value, dict) else {}
        command, identity = said.get("command"), said.get("id")
        return {
            "command": command if isinstance(command, str) else "",
            "id": identity if isinstance(identity, str) and _ID.fullmatch(identity) else None,
            "signed": "signature" in said,
        }


@dataclass(frozen=True, slots=True)
class Signed:
    """Says it is signed. Nothing of it is believed yet; `id` is for a refusal."""

    id: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    id: str | None
    reason: Reason


_COMMANDS: dict[str, TypeAdapter[Resend] | TypeAdapter[Rebirth]] = {
    "resend": TypeAdapter(Resend),
    "rebirth": TypeAdapter(Rebirth),
}


def parse_command(payload: bytes, *, retained: bool) -> Resend | Rebirth | Signed | Refusal:
    """What is asked on `cmd/req`."""
    if len(payload) > MAX_BYTES:
        return Refusal(None, Reason.TOO_LARGE)
    try:
        named = _Named.model_validate_json(payload)
    except ValidationError:
        return Refusal(None, Reason.MALFORMED)
    if retained:
        return Refusal(named.id, Reason.RETAINED)
    return _known(named, payload)


def _known(named: _Named, payload: bytes) -> Resend | Rebirth | Signed | Refusal:
    if named.command not in _COMMANDS:
        if named.signed:
            return Signed(named.id, payload)
        return Refusal(named.id, Reason.NOT_ALLOWED if named.command else Reason.MALFORMED)
    try:
        command = _COMMANDS[named.command].validate_json(payload)
    except ValidationError:
        return Refusal(named.id, Reason.MALFORMED)
    if isinstance(command, Resend) and not 0 <= command.last - command.first < MAX_RESEND:
        return Refusal(command.id, Reason.RANGE)
    return command


def parse_watermark(payload: bytes) -> Watermark | Refusal:
    """What is said on `ack`."""
    if len(payload) > MAX_BYTES:
        return Refusal(None, Reason.TOO_LARGE)
    try:
        return Watermark.model_validate_json(payload)
    except ValidationError:
        return Refusal(None, Reason.MALFORMED)


def parse_noc(payload: bytes) -> Noc:
    """What is said on `noc/state`: {"state": "online"} or {"state": "offline"}; other keys are its own affair."""
    if len(payload) > MAX_BYTES:
        return Noc.UNKNOWN
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return Noc.UNKNOWN
    state = said.get("state") if isinstance(said, dict) else None
    return Noc(state) if state in ("online", "offline") else Noc.UNKNOWN
