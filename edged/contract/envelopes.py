"""What is around the data: CloudEvents 1.0, structured JSON. A whole message of each kind is one model."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from pydantic import create_model

from edged.contract.kinds import Message, Told
from edged.contract.words import ClockQuality, Contents, Count, Form, MessageId, Sequence, Tier, Uuid, one_of

Milliseconds = Annotated[str, Form(r"^[0-9]{1,18}$")]
Moment = Annotated[str, Form(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
Site = Annotated[str, Form(r"^edge/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class Frame(Contents):
    """`clockq` is how good `time` is; `monoms` counts milliseconds on the monotonic clock of the boot `bootid`."""

    specversion: Literal["1.0"]
    id: MessageId
    source: Site
    time: Moment
    datacontenttype: Literal["application/json"]
    clockq: ClockQuality
    monoms: Milliseconds
    bootid: Uuid


class EventFrame(Frame):
    """(`stream`, `sequence`) names the event for ever; `tier` is the one in force after it: of the site, that is of its
    worst room; of `tier.entered` that of its room.
    """

    stream: Uuid
    sequence: Sequence
    tier: Tier


class MeasurementFrame(Frame):
    """A message with `first` was made of several: it stands for `first` to `sequence`."""

    stream: Uuid
    sequence: Sequence
    first: Sequence | None = None


class MomentFrame(Frame):
    """`epoch` counts connections: the larger one is the later one."""

    epoch: Count


FRAMES: Mapping[Told, type[Frame]] = {
    Told.EVENT: EventFrame,
    Told.MEASUREMENT: MeasurementFrame,
    Told.MOMENT: MomentFrame,
}


def type_of(kind: str) -> str:
    """The CloudEvents type of a kind."""
    return f"edge.{kind}.v1"


def envelope_of(message: Message) -> type[Contents]:
    """The whole message."""
    types: Any = Annotated[str, one_of(map(type_of, message.kinds))]
    data: Any = Union[message.contents]  # noqa: UP007  of as many as there are
    name = "".join(part.capitalize() for part in message.name.replace("_", ".").split("."))
    fields: dict[str, Any] = {"type": (types, ...), "data": (data, ...)}
    return create_model(f"{name}Message", __base__=FRAMES[message.told], __doc__=message.summary, **fields)
