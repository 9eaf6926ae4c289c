"""Signed commands of the NOC: what may be asked at all, by whom, and when. Pure; garbage is a Denied, never an error.

The signature comes first, and nothing of a message without a good one is believed; only its id is echoed. What is in
no row of POLICY cannot be configured, let alone asked: the course of a session as the platform knows it, a call for
more care, a measurement. Nobody attests, acknowledges, shelves or drills from afar, and a close leaves tier 4 latched.
Ed25519 (RFC 8032) over DOMAIN and the message without `signature`, spelled as RFC 8785 says.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from edged.clock import ClockQuality
from edged.control.roles import Role
from edged.core.effects import Errand
from edged.core.observations import Act, Asked, PersonActed, Reason
from edged.core.opaque import opaque
from edged.record.canonical import canonical
from edged.report.commands import MAX_BYTES

DOMAIN = b"edged-command-v1\n"
"""Before what is signed, so that no signature made for something else fits."""
LONGEST_WINDOW_S = 24 * 3600.0
TOLERANCE_S = 60.0
"""How far the NOC's clock may be ahead of ours."""
MOST_TOLERANCE_S = 600.0
"""And never further, however bad our own clock says it is."""

KEY_NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
_SITE = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"
_SIGNATURE = r"^[A-Za-z0-9+/]{85}[AQgw]==$"
"""64 bytes in base64, in the one spelling that leaves no bit unused."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Goes into the record: an opaque id, no room for text."""
Time = Annotated[str, Field(pattern=_TIME)]
"""RFC 3339, UTC."""
Whole = Annotated[int, Field(ge=-(2**53 - 1), le=2**53 - 1)]
Short = Annotated[str, Field(pattern=r"^[ -~]{0,64}$")]


class Why(StrEnum):
    """Why a signed command was refused; goes out on `cmd/res`. What the judge refuses has the judge's own codes."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    NOT_THIS_SITE = "not_this_site"
    NOT_ALLOWED = "not_allowed"  # no key may ask this, or not this one
    ROLE = "role"  # the key's role does not reach that far
    CLOCK_UNSET = "clock_unset"  # nobody here knows what time it is
    WINDOW = "window"  # longer than a day, or it ends before it begins
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    BUSY = "busy"  # too many wait already
    ID_REUSED = "id_reused"  # this id belongs to another command
    INTERRUPTED = "interrupted"  # begun once, its end unknown: never done twice
    NOT_DURABLE = "not_durable"  # the disk could not promise that it would be done once only


class Command(StrEnum):
    """Everything a key can be allowed."""

    SESSION_REQUEST = "session_request"
    SESSION_JOIN = "session_join"
    SESSION_OPEN = "session_open"
    SESSION_CLOSE = "session_close"
    CONTRAST_START = "contrast_start"
    CONTRAST_END = "contrast_end"
    MONITORING_END = "monitoring_end"
    ESCALATE = "escalate"
    PHONE_FAILED = "phone_failed"
    DIAGNOSE = "diagnose"
    PROVE = "prove"
    TRAIN = "train"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SessionArgs(_Wire):
    session: Annotated[str, AfterValidator(opaque)]
    room: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] | None = None
    """Where none is named: the room of that session, or the only one there can be meant."""


class LinkArgs(_Wire):
    link: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


@dataclass(frozen=True, slots=True)
class By:
    """Who had it done, and when (monotonic)."""

    at_s: float
    actor: str
    role: str


Meaning = PersonActed | Asked


@dataclass(frozen=True, slots=True)
class Rule:
    needs: Role
    args: type[SessionArgs] | type[LinkArgs]
    becomes: Callable[[Any, By], Meaning]
    """What the judge is told, from `args`."""


def _act(act: Act) -> Callable[[SessionArgs, By], Meaning]:
    return lambda args, by: PersonActed(by.at_s, act, by.actor, by.role, Reason.NOC_COMMAND, args.session, args.room)


def _errand(errand: Errand) -> Callable[[LinkArgs, By], Meaning]:
    return lambda args, by: Asked(by.at_s, errand, args.link, by.actor, by.role)


POLICY: Mapping[Command, Rule] = {
    Command.SESSION_REQUEST: Rule(Role.OPERATE, SessionArgs, _act(Act.SESSION_REQUESTED)),
    Command.SESSION_JOIN: Rule(Role.OPERATE, SessionArgs, _act(Act.SESSION_JOINED)),
    Command.SESSION_OPEN: Rule(Role.OPERATE, SessionArgs, _act(Act.SESSION_OPENED)),
    Command.SESSION_CLOSE: Rule(Role.OPERATE, SessionArgs, _act(Act.SESSION_CLOSED)),
    Command.CONTRAST_START: Rule(Role.OPERATE, SessionArgs, _act(Act.CONTRAST_STARTED)),
    Command.CONTRAST_END: Rule(Role.OPERATE, SessionArgs, _act(Act.CONTRAST_ENDED)),
    Command.MONITORING_END: Rule(Role.OPERATE, SessionArgs, _act(Act.MONITORING_ENDED)),
    Command.ESCALATE: Rule(Role.OPERATE, SessionArgs, _act(Act.ESCALATED)),
    Command.PHONE_FAILED: Rule(Role.OPERATE, SessionArgs, _act(Act.PHONE_FAILED)),
    Command.DIAGNOSE: Rule(Role.OPERATE, LinkArgs, _errand(Errand.DIAGNOSE)),
    Command.PROVE: Rule(Role.OPERATE, LinkArgs, _errand(Errand.PROVE)),
    Command.TRAIN: Rule(Role.OPERATE, LinkArgs, _errand(Errand.TRAIN)),
}
"""Roles as at the control socket: what is done from afar needs no less."""


class Order(_Wire):
    """A command as it was sent. Nothing in it is believed before `signer` named a key."""

    command: Code
    id: Id
    site: Annotated[str, Field(pattern=_SITE)]
    key: Annotated[str, Field(pattern=KEY_NAME)]
    not_before: Time
    expires: Time
    args: Annotated[dict[Code, Whole | Short], Field(max_length=8)]
    signature: Annotated[str, Field(pattern=_SIGNATURE)]

    @field_validator("not_before", "expires")
    @classmethod
    def _a_moment_there_is(cls, text: str) -> str:
        _wall_s(text)
        return text

    @property
    def expires_s(self) -> float:
        """Wall clock."""
        return _wall_s(self.expires)

    @property
    def not_before_s(self) -> float:
        """Wall clock."""
        return _wall_s(self.not_before)

    @property
    def digest(self) -> str:
        """What was asked, whoever spelled or signed it how: SHA-256 in hexadecimal."""
        return hashlib.sha256(self._signed()).hexdigest()

    def is_signed_with(self, public_key: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(base64.b64decode(self.signature), self._signed())
        except InvalidSignature:
            return False
        return True

    def _signed(self) -> bytes:
        return DOMAIN + canonical(self.model_dump(exclude={"signature"}))


@dataclass(frozen=True, slots=True)
class Key:
    """A key the site's configuration trusts."""

    name: str
    public_key: bytes
    """32 bytes, RFC 8032."""
    role: Role
    allow: frozenset[Command]


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, and how sure that is."""

    wall_s: float
    quality: ClockQuality
    error_s: float = 0.0
    """How far off the clock may be, where somebody says."""


@dataclass(frozen=True, slots=True)
class Denied:
    id: str | None
    why: Why


@dataclass(frozen=True, slots=True)
class Permitted:
    """A command that may be carried out now."""

    command: Command
    args: SessionArgs | LinkArgs

    def meaning(self, by: By) -> Meaning:
        return POLICY[self.command].becomes(self.args, by)


def parse_order(payload: bytes) -> Order | Denied:
    """A command by its form alone."""
    if len(payload) > MAX_BYTES:
        return Denied(None, Why.TOO_LARGE)
    try:
        said = json.loads(payload.decode(), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        return Denied(None, Why.MALFORMED)
    try:
        return Order.model_validate(said)
    except ValidationError:
        return Denied(_id_in(said), Why.MALFORMED)


def signer(order: Order, keys: Mapping[str, Key], site: str) -> Key | Why:
    """Who signed it, for us. `site` is "tenant/site". Without any key nothing signed is allowed at all."""
    if not keys:
        return Why.NOT_ALLOWED
    if (key := keys.get(order.key)) is None:
        return Why.UNKNOWN_KEY
    if not order.is_signed_with(key.public_key):
        return Why.BAD_SIGNATURE
    return key if order.site == site else Why.NOT_THIS_SITE


def permit(order: Order, key: Key, now: Moment) -> Permitted | Why:
    """Whether the owner of `key`, who signed it, may have this done now."""
    command = next((each for each in key.allow if each == order.command), None)
    if command is None:
        return Why.NOT_ALLOWED
    rule = POLICY[command]
    if key.role < rule.needs:
        return Why.ROLE
    try:
        args = rule.args.model_validate(order.args)
    except ValidationError:
        return Why.MALFORMED
    return _out_of_time(order, now) or Permitted(command, args)


def _out_of_time(order: Order, now: Moment) -> Why | None:
    if now.quality is ClockQuality.UNSET:
        return Why.CLOCK_UNSET
    if not 0 < order.expires_s - order.not_before_s <= LONGEST_WINDOW_S:
        return Why.WINDOW
    if now.wall_s + min(max(TOLERANCE_S, now.error_s), MOST_TOLERANCE_S) < order.not_before_s:
        return Why.NOT_YET
    return Why.EXPIRED if now.wall_s >= order.expires_s else None


def _wall_s(text: str) -> float:
    """Raises ValueError for the thirtieth of February and a 61st second."""
    return datetime.fromisoformat(text).timestamp()


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Raises ValueError for a key said twice: which of the two was signed?"""
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a key said twice")
    return said


class _Identified(BaseModel):
    """As much of a message as it takes to answer it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Id


def _id_in(said: object) -> str | None:
    try:
        return _Identified.model_validate(said).id
    except ValidationError:
        return None
