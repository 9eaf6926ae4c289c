"""What came, from bytes to facts. Pure: what is no telemetry of edged raises Garbage, and never anything else.

A member of a `hist` batch keeps the very bytes the site spelled: they are hashed into the site's chain.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

ROOT = "edge/v1/"
MAX_BYTES = 1 << 20
MAX_INFLATED = 4 << 20
MAX_SEQUENCE = 2**53 - 1
_KIND = re.compile(r"edge\.([a-z0-9_.]{1,64})\.v1")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CODE = re.compile(r"[a-z0-9_]{1,32}")

Doc = Mapping[str, Any]


class Garbage(ValueError):
    """`args[0]` is a code: one of few, fit to count by."""


class Channel(StrEnum):
    """What a topic holds; the level behind the site's name."""

    TIER = "tier"  # evt/t0 … evt/t4
    LOG = "log"  # evt/log
    TELEMETRY = "telemetry"  # tel/…
    HISTORY = "history"  # hist
    SNAPSHOT = "snapshot"  # snap/…
    STATE = "state"
    ANSWER = "answer"  # cmd/res


@dataclass(frozen=True, slots=True)
class Place:
    tenant: str
    site: str
    channel: Channel
    thing: str
    """The last level: which snapshot, which telemetry."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event or a measurement: it has a place in a stream. `first`: it stands for first..sequence."""

    stream: str
    first: int
    sequence: int
    kind: str
    time: str
    tier: int | None
    data: Doc
    body: bytes

    @property
    def is_telemetry(self) -> bool:
        return self.kind.startswith("tel.")


@dataclass(frozen=True, slots=True)
class Stone:
    """What is not held of first..last (None: to the end) will not come."""

    stream: str
    first: int
    last: int | None
    why: str


@dataclass(frozen=True, slots=True)
class SiteState:
    state: str
    stream: str
    """The one `epoch` counts in."""
    epoch: int
    durable: bool | None
    heads: tuple[tuple[str, int, int], ...]
    """Stream, last, acknowledged."""


@dataclass(frozen=True, slots=True)
class Answer:
    id: str
    done: bool
    reason: str
    stones: tuple[Stone, ...]
    """Of a `resend`: what the site cannot send."""


def place(topic: str) -> Place | None:
    """None for what a NOC itself says: `edge/v1/{tenant}/noc/…`."""
    if not topic.startswith(ROOT):
        raise Garbage("topic")
    tenant, site, *rest = [*topic.removeprefix(ROOT).split("/"), ""]
    if site == "noc":
        return None
    channel, thing = _channel(rest[:-1])
    if not _NAME.fullmatch(tenant) or not _NAME.fullmatch(site):
        raise Garbage("topic")
    return Place(tenant, site, channel, thing)


def _channel(levels: list[str]) -> tuple[Channel, str]:
    match levels:
        case ["evt", "log"]:
            return Channel.LOG, "log"
        case ["evt", "t0" | "t1" | "t2" | "t3" | "t4" as thing]:
            return Channel.TIER, thing
        case ["tel", thing]:
            return Channel.TELEMETRY, thing
        case ["snap", thing]:
            return Channel.SNAPSHOT, thing
        case ["hist"]:
            return Channel.HISTORY, "hist"
        case ["state"]:
            return Channel.STATE, "state"
        case ["cmd", "res"]:
            return Channel.ANSWER, "res"
    raise Garbage("topic")


def envelope(payload: bytes) -> Doc:
    if len(payload) > MAX_BYTES:
        raise Garbage("too_long")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Garbage("no_json") from error
    if not isinstance(found, dict):
        raise Garbage("no_object")
    return found


def members(payload: bytes) -> Iterator[tuple[Doc, bytes]]:
    """Of a `hist` batch (zlib, RFC 1950): each CloudEvent and its bytes. One bad member spoils those after it."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(payload, MAX_INFLATED)
        text = raw.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise Garbage("no_batch") from error
    if not inflater.eof or not text.startswith("[") or not text.endswith("]"):
        raise Garbage("no_batch")
    decoder, at = json.JSONDecoder(), 1
    while at < len(text) - 1:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise Garbage("no_json") from error
        if not isinstance(found, dict):
            raise Garbage("no_object")
        yield found, text[at:end].encode()
        if text[end] not in ",]":
            raise Garbage("no_batch")
        at = end + 1


def kind_of(found: Doc) -> str:
    match = _KIND.fullmatch(_text(found.get("type"), "type"))
    if match is None:
        raise Garbage("type")
    return match[1]


def numbered(found: Doc, body: bytes) -> Numbered:
    sequence = _number(found.get("sequence"), "sequence", least=1)
    first = _number(found.get("first", sequence), "first", least=1)
    tier = found.get("tier")
    if first > sequence:
        raise Garbage("first")
    return Numbered(
        stream=_text(found.get("stream"), "stream"),
        first=first,
        sequence=sequence,
        kind=kind_of(found),
        time=_text(found.get("time"), "time"),
        tier=tier if type(tier) is int and 0 <= tier <= 4 else None,
        data=_object(found.get("data")),
        body=body,
    )


def tombstone(found: Doc) -> Stone:
    data = _object(found.get("data"))
    return _stone(data, _text(data.get("stream"), "stream"))


def site_state(found: Doc) -> SiteState:
    data = _object(found.get("data"))
    state, durable, heads = data.get("state"), data.get("durable"), data.get("heads", [])
    if state not in ("online", "stopped", "lost") or not isinstance(heads, list):
        raise Garbage("state")
    return SiteState(
        state=state,
        stream=_text(found.get("id"), "id").partition("/")[0],
        epoch=_number(found.get("epoch"), "epoch"),
        durable=durable if isinstance(durable, bool) else None,
        heads=tuple(_head(_object(each)) for each in heads),
    )


def answer(found: Doc) -> Answer:
    data = _object(found.get("data"))
    stones: tuple[Stone, ...] = ()
    missing = data.get("missing")
    if data.get("command") == "resend" and isinstance(missing, list):
        stream = _text(data.get("stream"), "stream")
        stones = tuple(_stone(_object(each), stream) for each in missing)
    asked, reason = data.get("id"), data.get("reason")
    return Answer(
        id=asked if isinstance(asked, str) else "",
        done=data.get("status") == "done",
        reason=reason if isinstance(reason, str) and _CODE.fullmatch(reason) else "other",
        stones=stones,
    )


def _head(each: Doc) -> tuple[str, int, int]:
    return (
        _text(each.get("stream"), "stream"),
        _number(each.get("last"), "heads"),
        _number(each.get("acknowledged", 0), "heads"),
    )


def _stone(found: Doc, stream: str) -> Stone:
    first, last, why = _number(found.get("first"), "first", least=1), found.get("last"), found.get("why")
    if last is not None and _number(last, "last", least=1) < first:
        raise Garbage("last")
    return Stone(stream, first, last, why if isinstance(why, str) and _CODE.fullmatch(why) else "other")


def _object(value: object) -> Doc:
    if not isinstance(value, dict):
        raise Garbage("no_object")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 128 or not value.isascii() or not value.isprintable():
        raise Garbage(what)
    return value


def _number(value: object, what: str, least: int = 0) -> int:
    if type(value) is not int or not least <= value <= MAX_SEQUENCE:
        raise Garbage(what)
    return value
