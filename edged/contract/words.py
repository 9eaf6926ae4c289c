"""The words a message is made of. There is no plain text among them: a string is a code of a list, a name of the form
names of this site have, an address, an id, a hash or a time. Numbers are finite and bounded, lists have an end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from edged.core.phase import Phase
from edged.core.protocol import MAX_SENTENCE, ROLES, SENTENCE, VERSION

MAX_INTEGER = 2**53 - 1
"""RFC 7493: beyond it a reader that holds numbers as doubles would see another number."""

T = TypeVar("T")


class Contents(BaseModel):
    """Everything said is one of these: nothing but its fields, each exactly of its type.

    What validates them is made when it is first needed: all of it at once would cost every start of the daemon 0.1 s.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotates a string that is one of these words: the members of an enum, or the sentences of a table."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.words))


def one_of(words: Iterable[str]) -> OneOf:
    """In the order given, each once."""
    return OneOf(tuple(dict.fromkeys(str(word) for word in words)))


@dataclass(frozen=True, slots=True)
class Form:
    """Annotates a string of this form: a regular expression of ECMA 262 from ^ to $.

    Python's own engine, since it keeps each expression once for the whole process: 20 to 40 KiB less for every field
    that has one, and 0.4 µs more to check it.
    """

    pattern: str
    most: int | None = None
    """Characters, where the pattern has no end of its own."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = self.pattern.removesuffix("$") + r"\Z"  # Python's $ would let a line feed follow
        return core_schema.str_schema(pattern=whole, max_length=self.most, regex_engine="python-re")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}


def many(most: int) -> Any:
    """Of a tuple: at most so many. A list is as good."""
    return Field(strict=False, max_length=most)


# ── names: given by the engineer who set the site up, or by the system ─────────────────────────────────
Link = Annotated[str, Form(r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Room = Annotated[str, Form(r"^[a-z0-9][a-z0-9-]{0,62}$")]
Name = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Interface = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}$")]
Device = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9_.:()/+-]{0,31}( [A-Za-z0-9_.:()/+-]{1,31}){0,4}$")]
"""What people call a device or a line of the router: five words at most, no sentence."""
Source = Annotated[str, Form(r"^[a-z]{1,16}(:[A-Za-z0-9\[\]_.:%-]{1,262})?$")]
"""An instrument: "router", "link:fiber", "upsd:10.0.0.5:3493"."""
Account = Annotated[str, Form(r"^[A-Za-z0-9_][A-Za-z0-9_.:@\\+-]{0,63}\$?$")]
"""Of a local account, or "noc:" and the name of a key that signs for the NOC."""
Session = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Opaque; whose procedure it is knows nobody but the room."""
CommandId = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$")]
"""The NOC's own, echoed in the answer."""
MessageId = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$")]
ErrorName = Annotated[str, Form(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
"""Of an error's class."""
UpsFlag = Annotated[str, Form(r"^[A-Za-z][A-Za-z0-9_-]{0,23}$")]
"""As NUT gives them (RFC 9271): OL, OB, LB, CHRG. Drivers know more than the RFC."""
KernelWord = Annotated[str, Form(r"^[a-z][a-z0-9_]{0,15}$")]
Release = Annotated[str, Form(r"^[A-Za-z0-9][A-Za-z0-9.+_-]{0,39}$")]

# ── forms ──────────────────────────────────────────────────────────────────────────────────────────────
Uuid = Annotated[str, Form(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Hash = Annotated[str, Form(r"^[0-9a-f]{6,64}$")]
Time = Annotated[str, Form(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)$")]
"""RFC 3339, UTC."""
Month = Annotated[str, Form(r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
_V4 = r"((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_V6 = r"[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}(:([0-9]{1,3}\.){3}[0-9]{1,3})?(%[A-Za-z0-9_.-]{1,15})?"
Address = Annotated[str, Form(rf"^({_V4}|{_V6})$")]
"""Of IPv4 or IPv6."""

_ALARM = r"[a-z][a-z0-9]{0,15}\.[a-z0-9_]{1,24} [A-Za-z0-9][A-Za-z0-9_.:%\[\]-]{0,279}"
Alarm = Annotated[str, Form(rf"^{_ALARM}$")]
"""A condition or a row of the containment table, and what it is about: "link.down fiber", "t3.av room-1"."""
Subject = Annotated[str, Form(rf"^({_ALARM}|[A-Za-z0-9][A-Za-z0-9._-]{{0,63}})$")]
"""An alarm, or the opaque marker another system gave to something of its own."""
Base64 = Annotated[str, Form(r"^[A-Za-z0-9+/]{40,86}={0,2}$")]
"""Of a key or a signature (Ed25519: 32 and 64 bytes)."""

# ── the protocol file ──────────────────────────────────────────────────────────────────────────────────
Say = Annotated[str, Form(SENTENCE, MAX_SENTENCE)]
"""A sentence of the protocol in force: a file the facility approves, with version and hash, checked when it is read.
Nobody types it while a patient is on the table, so it can hold nothing about one. Numbers, names and ids are not put
into it.
"""
Who = Annotated[str, one_of(ROLES)]
By = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
ProtocolVersion = Annotated[str, Form(VERSION)]

NetworkCode = Annotated[str, Form(r"^[0-9]{3}-[0-9]{2,3}$")]
"""Country and network of a mobile operator (ITU-T E.212): "310-260"."""

# ── codes of more than one room ────────────────────────────────────────────────────────────────────────
Role = Literal["none", "view", "operate", "admin"]
PhaseCode = Annotated[str, one_of(Phase)]
ClockQuality = Literal["synced", "holdover", "unset"]

# ── numbers ────────────────────────────────────────────────────────────────────────────────────────────
Tier = Annotated[int, Field(ge=0, le=4)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Sequence = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Few = Annotated[int, Field(ge=0, le=10_000)]
Asn = Annotated[int, Field(ge=1, le=2**32 - 1)]
Dscp = Annotated[int, Field(ge=0, le=63)]
Ttl = Annotated[int, Field(ge=1, le=255)]
PacketBytes = Annotated[int, Field(ge=0, le=65_535)]
Port = Annotated[int, Field(ge=1, le=65_535)]
SignalDbm = Annotated[int, Field(ge=-200, le=100)]
_finite = {"allow_inf_nan": False}
Seconds = Annotated[float, Field(ge=0, le=1e10, **_finite)]
SignedSeconds = Annotated[float, Field(ge=-1e10, le=1e10, **_finite)]
"""A clock that begins at 1970 and then learns the time jumps by 1.8e9 s."""
Milliseconds = Annotated[float, Field(ge=0, le=1e7, **_finite)]
SignedMilliseconds = Annotated[float, Field(ge=-1e7, le=1e7, **_finite)]
Percent = Annotated[float, Field(ge=0, le=100, **_finite)]
LoadPercent = Annotated[float, Field(ge=0, le=500, **_finite)]
"""A UPS can be overloaded."""
Share = Annotated[float, Field(ge=0, le=1, **_finite)]
Mos = Annotated[float, Field(ge=1, le=5, **_finite)]
Nats = Annotated[float, Field(ge=-1e9, le=1e9, **_finite)]
Megabytes = Annotated[float, Field(ge=0, le=1e9, **_finite)]
Mbit = Annotated[float, Field(ge=0, le=1e6, **_finite)]
BitsPerSecond = Annotated[float, Field(ge=0, le=1e12, **_finite)]


class OfIncident(Contents):
    """`incident`: the number of the incident it belongs to, where there is one."""

    incident: Sequence | None = None
