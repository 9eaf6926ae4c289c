"""What the NOC must read of an edge's message: where it belongs (topic) and which event it is (CloudEvents). Pure."""

import json
from dataclasses import dataclass
from enum import StrEnum

from lab.services.errors import PeerError

ROOT = ("edge", "v1")
TIERS = frozenset({"t0", "t1", "t2", "t3", "t4"})
PAYLOAD_LIMIT = 1 << 20
SEQUENCE_LIMIT = 2**63
STREAM_LIMIT = 128


class Kind(StrEnum):
    TIER = "tier"  # evt/t0 … evt/t4
    LOG = "log"  # evt/log
    TELEMETRY = "telemetry"
    STATE = "state"
    SNAPSHOT = "snapshot"
    OTHER = "other"  # commands, answers, history, the NOC's own


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


def event(payload: bytes) -> Event:
    """An event with its place in its stream. Raises PeerError naming what is missing."""
    found = body(payload)
    stream, sequence = found.get("stream"), found.get("sequence")
    if not isinstance(stream, str) or not 0 < len(stream) <= STREAM_LIMIT:
        raise PeerError(f"event without a usable stream: {stream!r:.60}")
    if isinstance(sequence, str) and sequence.isascii() and sequence.isdigit() and len(sequence) < 20:
        sequence = int(sequence)
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 <= sequence < SEQUENCE_LIMIT:
        raise PeerError(f"event without a usable sequence: {sequence!r:.60}")
    return Event(stream, sequence, found)
