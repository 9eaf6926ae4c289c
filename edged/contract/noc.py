"""What the NOC may say to a site."""

from typing import Annotated, Literal

from pydantic import Field

from edged.contract.people import ACT_COMMANDS, ERRAND_COMMANDS, KeyName
from edged.contract.words import CommandId, Contents, Count, Form, Link, Room, Sequence, Time, Uuid, one_of
from edged.core.opaque import OPAQUE


class Acknowledgement(Contents):
    """The NOC holds every tier event of `stream` up to `seq`, on its disk. Only this lets a site forget them."""

    stream: Uuid
    seq: Count


class NocState(Contents):
    """Whether the NOC is there; `offline` is also its Will."""

    state: Literal["online", "offline"]


class Resend(Contents):
    """Say again what you hold of `from` to `to`, 10,000 numbers at most."""

    command: Literal["resend"]
    id: CommandId
    stream: Uuid
    first: Annotated[Sequence, Field(alias="from")]
    last: Annotated[Sequence, Field(alias="to")]


class Rebirth(Contents):
    """Say again how everything is."""

    command: Literal["rebirth"]
    id: CommandId


class SessionArgs(Contents):
    """`room` where the session is not known yet and there are several."""

    session: Annotated[str, Form(OPAQUE)]
    room: Room | None = None


class LinkArgs(Contents):
    link: Link


class _Signed(Contents):
    id: Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    site: Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    key: KeyName
    not_before: Time
    expires: Time
    signature: Annotated[str, Form(r"^[A-Za-z0-9+/]{85}[AQgw]==$")]


class ActCommand(_Signed):
    """Attests what somebody at the NOC did, signed by a key the site trusts: base64 of Ed25519 (RFC 8032) over
    `edged-command-v1`, a line feed, and everything but `signature` spelled as RFC 8785 says. Good from `not_before` to
    `expires`, a day at most, and once.
    """

    command: Annotated[str, one_of(ACT_COMMANDS)]
    args: SessionArgs


class ErrandCommand(_Signed):
    """Asks to find something out about a line; signed likewise."""

    command: Annotated[str, one_of(ERRAND_COMMANDS)]
    args: LinkArgs
