"""What the NOC must read of an edge's message: where it belongs (topic) and which event it is (CloudEvents). Pure.

`hist` carries many at once, deflated: each is read as if it had come alone.
"""

import json
import zlib
from dataclasses import dataclass
from enum import StrEnum

from lab.services.errors import PeerError

ROOT = ("edge", "v1")
TIERS = frozenset({"t0", "t1", "t2", "t3", "t4"})
PAYLOAD_LIMIT = 1 << 20
SEQUENCE_LIMIT = 2**63
STREAM_LIMIT = 128
INFLATED_LIMIT = 4 << 20
TIER_TYPE = "edge.tier."
TELEMETRY_TYPE = "edge.tel."
TOMBSTONE_TYPE = "edge.tombstone.v1"


class Kind(StrEnum):
    TIER = "tier"  # evt/t0 … evt/t4
    LOG = "log"  # evt/log
    TELEMETRY = "telemetry"
    STATE = "state"
    SNAPSHOT = "snapshot"
    HISTORY = "history"  # a batch of any of those that have a place in a stream, and of tombstones
    TOMBSTONE = "tombstone"  # only ever in a batch
    OTHER = "other"  # commands, answers, the NOC's own


@dataclass(frozen=True, slots=True)
class Place:
    """What a topic says. `tenant` and `site` are empty where it names none."""

    kind: Kind
    tenant: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    stream: str
    sequence: int
    body: dict[str, object]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What nobody holds of `first` to `last` (None: to the end of the stream) will not come."""

    stream: str
    first: int
    last: int | None


def place(topic: str) -> Place:
    """Where a message belongs; OTHER for every topic the NOC does not read."""
    levels = topic.split("/")
    if tuple(levels[:2]) != ROOT or len(levels) < 5 or levels[3] == "noc":
        return Place(Kind.OTHER)
    tenant, site, what, *rest = levels[2:]
    match what, rest:
        case "evt", [channel] if channel in TIERS:
            kind = Kind.TIER
        case "evt", ["log"]:
            kind = Kind.LOG
        case "tel", [_]:
            kind = Kind.TELEMETRY
        case "snap", [_]:
            kind = Kind.SNAPSHOT
        case "state", []:
            kind = Kind.STATE
        case "hist", []:
            kind = Kind.HISTORY
        case _:
            kind = Kind.OTHER
    return Place(kind, tenant, site)


def body(payload: bytes) -> dict[str, object]:
    """The JSON object a payload is. Raises PeerError where it is none."""
    if len(payload) > PAYLOAD_LIMIT:
        raise PeerError(f"payload of {len(payload)} bytes, at most {PAYLOAD_LIMIT} are read")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PeerError(f"payload is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise PeerError(f"payload is {type(found).__name__}, not an object")
    return found


def members(payload: bytes) -> list[dict[str, object]]:
    """What a batch holds: a JSON array, deflated (zlib, RFC 1950). Raises PeerError where it is none."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(payload, INFLATED_LIMIT)
        whole = inflater.eof and not inflater.unconsumed_tail
        found = json.loads(text) if whole else None
    except (zlib.error, ValueError, RecursionError) as error:
        raise PeerError(f"no batch: {error}") from error
    if not isinstance(found, list) or not all(isinstance(member, dict) for member in found):
        raise PeerError("a batch is an array of objects, whole, and not longer than is believed")
    return found


def alone(batch: Place, topic: str, member: dict[str, object]) -> tuple[Place, str]:
    """Where a member of a batch that came on `topic` would have come alone. A tombstone never does."""
    what, above = str(member.get("type")), topic.removesuffix("/hist")
    if what == TOMBSTONE_TYPE:
        return Place(Kind.TOMBSTONE, batch.tenant, batch.site), topic
    if what.startswith(TELEMETRY_TYPE):
        below = f"tel/{what.removeprefix(TELEMETRY_TYPE).rpartition('.')[0]}"
    else:
        below = f"evt/t{member.get('tier')}" if what.startswith(TIER_TYPE) else "evt/log"
    return place(f"{above}/{below}"), f"{above}/{below}"


def event(payload: bytes) -> Event:
    """An event with its place in its stream. Raises PeerError naming what is missing."""
    return numbered(body(payload))


def numbered(found: dict[str, object]) -> Event:
    """The same, of a body that was read. Raises PeerError naming what is missing."""
    return Event(_stream(found), _number(found.get("sequence")), found)


def tombstone(found: dict[str, object]) -> Tombstone:
    """Raises PeerError naming what is missing."""
    told = found.get("data")
    if not isinstance(told, dict):
        raise PeerError("tombstone without data")
    last = None if told.get("last") is None else _number(told["last"])
    return Tombstone(_stream(told), _number(told.get("first")), last)


def _stream(found: dict[str, object]) -> str:
    stream = found.get("stream")
    if not isinstance(stream, str) or not 0 < len(stream) <= STREAM_LIMIT:
        raise PeerError(f"event without a usable stream: {stream!r:.60}")
    return stream


def _number(sequence: object) -> int:
    if isinstance(sequence, str) and sequence.isascii() and sequence.isdigit() and len(sequence) < 20:
        sequence = int(sequence)
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 <= sequence < SEQUENCE_LIMIT:
        raise PeerError(f"event without a usable sequence: {sequence!r:.60}")
    return sequence
