"""What is told on a connection: our state, answers, and what will never come."""

from typing import Annotated, Literal

from pydantic import Field

from edged.contract.people import ACT_REFUSALS, COMMAND_REFUSALS, ERRAND_REFUSALS, CommandWord
from edged.contract.words import CommandId, Contents, Count, Hash, Release, Sequence, Tier, Uuid, many, one_of

GONE = ("evicted", "expired", "coalesced", "torn", "crash")
RESEND_REFUSALS = ("too_large", "malformed", "not_allowed", "retained", "range", "unknown_stream", "busy")
AnswerRefusal = Annotated[str, one_of((*RESEND_REFUSALS, *COMMAND_REFUSALS, *ACT_REFUSALS, *ERRAND_REFUSALS))]


class Head(Contents):
    """How far a stream goes, and how far the NOC has acknowledged it."""

    stream: Uuid
    last: Count
    acknowledged: Count


class State(Contents):
    """We are here, or go in order. The last head is the stream being written."""

    state: Literal["online", "stopped"]
    version: Release
    config_hash: Hash
    durable: bool
    heads: Annotated[tuple[Head, ...], many(64)]


class Lost(Contents):
    """The Will: said by the broker when we fell silent."""

    state: Literal["lost"]
    version: Release
    config_hash: Hash


class Tiers(Contents):
    """Of coalesced events: how many there were of each tier."""

    t0: Annotated[Sequence | None, Field(alias="0")] = None
    t1: Annotated[Sequence | None, Field(alias="1")] = None
    t2: Annotated[Sequence | None, Field(alias="2")] = None
    t3: Annotated[Sequence | None, Field(alias="3")] = None
    t4: Annotated[Sequence | None, Field(alias="4")] = None


class Tombstone(Contents):
    """What a consumer does not hold of sequences `first` to `last` (null: to the end) will not come."""

    stream: Uuid
    first: Sequence
    last: Sequence | None
    why: Annotated[str, one_of(GONE)]
    tiers: Tiers | None = None


# ── answers ────────────────────────────────────────────────────────────────────────────────────────────
class Missing(Contents):
    """What a resend could not send. "never": nothing of that number was recorded; "settled": it had arrived once."""

    first: Sequence
    last: Sequence
    why: Annotated[str, one_of((*GONE, "settled", "never"))]


class ResendDone(Contents):
    """Everything asked for that there is was sent before this."""

    id: CommandId
    command: Literal["resend"]
    status: Literal["done"]
    stream: Uuid
    sent: Count
    missing_rows: Count
    missing: Annotated[tuple[Missing, ...], many(64)]


class RebirthDone(Contents):
    """State, snapshots and unacknowledged tier events follow."""

    id: CommandId
    command: Literal["rebirth"]
    status: Literal["done"]


class Result(Contents):
    """Of an act: the tier in force after it."""

    tier: Tier


class CommandAnswered(Contents):
    """A signed command was carried out, or had been before. What comes of an errand is an event of its own."""

    id: CommandId
    command: CommandWord
    status: Literal["done"]
    result: Result | None = None
    repeated: Literal[True] | None = None


class Refused(Contents):
    """A command was not carried out. `id` is null where none could be read."""

    id: CommandId | None
    command: CommandWord | None = None
    status: Literal["refused"]
    reason: AnswerRefusal
    repeated: Literal[True] | None = None
