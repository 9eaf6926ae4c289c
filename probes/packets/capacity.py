"""The packets of a capacity measurement between the box and its far end in the NOC. Bytes in, facts out.

Every packet is `eC`, version, kind, session, number, the fields of its kind, and HMAC-SHA-256 over all that, cut to 16
bytes (as RFC 8762 does). What follows is padding that means nothing. The opening is signed with the shared key, the
rest with a key made of it and of both sides' nonces, so that nothing of one session is good in another:

    client                          far end
    HELLO  nonce            ──▶               keeps nothing; answers no more bytes than it was asked with
                            ◀──  CHALLENGE    cookie: good for this nonce, from this address and port, for seconds
    OPEN   nonce, cookie    ──▶               the address is proven now
                            ◀──  OPENED       or REFUSED; DENIED, the one packet without a signature, to a wrong key
    ECHO, LOAD_UP, ORDER, TRAIN, ASK, END ⇄ ECHOED, LOAD_DOWN, FEEDBACK, REPORT

Numbers only rise: a control packet seen before is refused by its number.
"""

import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from probes.errors import MisuseError, PeerError

PORT = 8620
OPENING_BYTES = 160
"""HELLO and OPEN are padded to this size, and no answer to them is larger."""
NONCE_BYTES, COOKIE_BYTES = 16, 24
TRAIN_PACKETS_MAX = 290
"""So that the report of a whole train fits one packet."""
TRAIN_STRIDE = 1024
"""Packet `at` of train `order` has the number order * 1024 + at."""
MISSING = 0xFFFF_FFFF
"""In a report: this packet of the train did not arrive."""
REPORT_UNIT_NS = 100

_MAGIC, _VERSION, _MAC_BYTES = b"eC", 1, 16
_HEAD = struct.Struct("!2sBB")
_ROUTE = struct.Struct("!QI")


class Why(IntEnum):
    """Why the far end refuses a session."""

    BUSY = 1  # this client has one, or the table is full
    STALE = 2  # the cookie is too old, or was used


class Wish(IntEnum):
    """What a session is for."""

    RAMP_UP = 1  # the client sends load, the far end feedback
    RAMP_DOWN = 2  # the far end sends load as ordered
    TRAINS = 3  # either way


@dataclass(frozen=True, slots=True)
class Hello:
    session: int
    number: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    session: int
    number: int
    nonce: bytes
    cookie: bytes


@dataclass(frozen=True, slots=True)
class Open:
    session: int
    number: int
    nonce: bytes
    cookie: bytes
    wish: int
    packet_bytes: int
    """UDP payload of one load packet."""
    bytes_max: int
    rate_kbps: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What was granted: of each wish that much at most."""

    session: int
    number: int
    bytes_max: int
    rate_kbps: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Refused:
    session: int
    number: int
    nonce: bytes
    why: int


@dataclass(frozen=True, slots=True)
class Denied:
    """Signed by nobody: proves no more than that somebody on the path saw our nonce."""

    session: int
    number: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Echo:
    session: int
    number: int


@dataclass(frozen=True, slots=True)
class Echoed:
    session: int
    number: int


@dataclass(frozen=True, slots=True)
class Order:
    """Send load at this rate until the next order; without one within 150 ms, stop."""

    session: int
    number: int
    order: int
    rate_kbps: int


@dataclass(frozen=True, slots=True)
class Train:
    """Send so many load packets back to back, all marked `order`."""

    session: int
    number: int
    order: int
    packets: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Report when the packets of train `order`, which had so many, arrived."""

    session: int
    number: int
    order: int
    packets: int


@dataclass(frozen=True, slots=True)
class End:
    session: int
    number: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """What arrived. Counts are since the session began; times are nanoseconds of the receiver's or sender's clock."""

    session: int
    number: int
    order: int
    """Of the newest load packet."""
    received: int
    """Packets, each counted once."""
    expected: int
    """Highest load number seen, plus one."""
    reordered: int
    arrived_ns: int
    """When the newest load packet arrived, receiver's clock."""
    sent_ns: int
    """When it was sent, sender's clock."""
    delay_min_ns: int
    """One-way delay, least of what arrived since the last feedback, plus the offset between the two clocks."""
    delay_max_ns: int


@dataclass(frozen=True, slots=True)
class Report:
    """When the packets of one train arrived, in units of 100 ns after the first that did; MISSING for a lost one."""

    session: int
    number: int
    order: int
    reordered: int
    arrivals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoadUp:
    session: int
    number: int
    order: int
    sent_ns: int


@dataclass(frozen=True, slots=True)
class LoadDown:
    session: int
    number: int
    order: int
    sent_ns: int


Message: TypeAlias = (
    Hello
    | Challenge
    | Open
    | Opened
    | Refused
    | Denied
    | Echo
    | Echoed
    | Order
    | Train
    | Ask
    | End
    | Feedback
    | Report
    | LoadUp
    | LoadDown
)

# kind on the wire → what it is, and its fields after the head. A report's arrivals follow its fields.
_KINDS: dict[int, tuple[type[Message], struct.Struct]] = {
    1: (Hello, struct.Struct("!QI16s")),
    2: (Challenge, struct.Struct("!QI16s24s")),
    3: (Open, struct.Struct("!QI16s24sBHQII")),
    4: (Opened, struct.Struct("!QIQII")),
    5: (Refused, struct.Struct("!QI16sB")),
    6: (Denied, struct.Struct("!QI16s")),
    7: (Echo, struct.Struct("!QI")),
    8: (Echoed, struct.Struct("!QI")),
    9: (Order, struct.Struct("!QIII")),
    10: (Train, struct.Struct("!QIIH")),
    11: (Ask, struct.Struct("!QIIH")),
    12: (End, struct.Struct("!QI")),
    13: (Feedback, struct.Struct("!QIIIIIQQqq")),
    14: (Report, struct.Struct("!QIIHH")),
    15: (LoadUp, struct.Struct("!QIIQ")),
    16: (LoadDown, struct.Struct("!QIIQ")),
}
_KIND_OF = {what: kind for kind, (what, _) in _KINDS.items()}
_REPORT, _DENIED = _KIND_OF[Report], _KIND_OF[Denied]
_LOAD = struct.Struct("!2sBBQIIQ")
LOAD_HEAD_BYTES = _LOAD.size + _MAC_BYTES
"""A load packet is at least this long; all behind it is padding."""


def kind_and_session(data: bytes) -> tuple[type[Message], int]:
    """What a packet claims to be and whose, before its key is known. Raises PeerError if it is none of ours."""
    if len(data) < _HEAD.size + _ROUTE.size:
        raise PeerError(f"capacity packet of {len(data)} bytes, at least {_HEAD.size + _ROUTE.size} expected")
    magic, version, kind = _HEAD.unpack_from(data)
    if (magic, version) != (_MAGIC, _VERSION) or kind not in _KINDS:
        raise PeerError(f"not a capacity packet: {data[:4].hex()}")
    return _KINDS[kind][0], _ROUTE.unpack_from(data, _HEAD.size)[0]


def encode(message: Message, key: bytes, *, size: int = 0) -> bytes:
    """The signed packet, padded with zeros to `size`. Raises MisuseError if a value does not fit its field."""
    kind = _KIND_OF[type(message)]
    values = [getattr(message, name) for name in message.__slots__]
    tail = b""
    if isinstance(message, Report):
        tail = _pack(struct.Struct(f"!{len(message.arrivals)}I"), message.arrivals)
        values[-1] = len(message.arrivals)
    packet = _HEAD.pack(_MAGIC, _VERSION, kind) + _pack(_KINDS[kind][1], values) + tail
    return (packet + (bytes(_MAC_BYTES) if kind == _DENIED else _mac(packet, key))).ljust(size, b"\0")


def decode(data: bytes, key: bytes) -> Message:
    """Reads any packet. Raises PeerError if it is none of ours, too short, or not signed with `key`."""
    what, _ = kind_and_session(data)
    kind = data[3]
    layout = _KINDS[kind][1]
    end = _HEAD.size + layout.size
    if len(data) < end + _MAC_BYTES:
        raise PeerError(f"capacity {what.__name__} of {len(data)} bytes, at least {end + _MAC_BYTES} expected")
    values = layout.unpack_from(data, _HEAD.size)
    if kind == _REPORT:
        return _report(data, values, end, key)
    if kind != _DENIED:
        _verify(data, end, key)
    return what(*values)


def unsigned_hello(data: bytes) -> Hello | None:
    """What a HELLO says that was signed with another key, good for a DENIED and for nothing else."""
    layout = _KINDS[_KIND_OF[Hello]][1]
    if len(data) < OPENING_BYTES or data[3] != _KIND_OF[Hello]:
        return None
    return Hello(*layout.unpack_from(data, _HEAD.size))


def load_head(kind: type[LoadUp | LoadDown], session: int, number: int, order: int, sent_ns: int, key: bytes) -> bytes:
    """A load packet without its padding: what `encode` makes, at the cost of 8,000 a second. No value is checked."""
    packet = _LOAD.pack(_MAGIC, _VERSION, _KIND_OF[kind], session, number, order, sent_ns)
    return packet + hmac.digest(key, packet, "sha256")[:_MAC_BYTES]


def read_load(data: bytes, key: bytes) -> tuple[int, int, int]:
    """Number, order and time of sending of a load packet whose kind and session are known. Raises PeerError if it is
    too short or not signed with `key`.
    """
    if len(data) < LOAD_HEAD_BYTES:
        raise PeerError(f"capacity load of {len(data)} bytes, at least {LOAD_HEAD_BYTES} expected")
    _verify(data, _LOAD.size, key)
    _, _, _, _, number, order, sent_ns = _LOAD.unpack_from(data)
    return number, order, sent_ns


def session_key(shared: bytes, nonce: bytes, cookie: bytes) -> bytes:
    """32 bytes that only who knows the shared key can make, and only for these two nonces."""
    return hmac.digest(shared, b"edged capacity session" + nonce + cookie, "sha256")


def report_units(arrivals_ns: Sequence[int | None]) -> tuple[int, ...]:
    """Times of arrival as a report carries them. Later than seven minutes is missing."""
    came = [ns for ns in arrivals_ns if ns is not None]
    first = min(came, default=0)
    units = (MISSING if ns is None else (ns - first) // REPORT_UNIT_NS for ns in arrivals_ns)
    return tuple(min(unit, MISSING) for unit in units)


def report_ns(report: Report) -> list[int | None]:
    """The reverse: nanoseconds after the first."""
    return [None if unit == MISSING else unit * REPORT_UNIT_NS for unit in report.arrivals]


def _report(data: bytes, values: tuple[int, ...], end: int, key: bytes) -> Report:
    session, number, order, reordered, count = values
    whole = end + 4 * count
    if count > TRAIN_PACKETS_MAX or len(data) < whole + _MAC_BYTES:
        raise PeerError(f"capacity report on {count} packets in {len(data)} bytes")
    _verify(data, whole, key)
    return Report(session, number, order, reordered, struct.unpack_from(f"!{count}I", data, end))


def _pack(layout: struct.Struct, values: Sequence[int | bytes]) -> bytes:
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise MisuseError(f"a field of a capacity packet does not fit: {values}") from error


def _verify(data: bytes, end: int, key: bytes) -> None:
    if not hmac.compare_digest(hmac.digest(key, data[:end], "sha256")[:_MAC_BYTES], data[end : end + _MAC_BYTES]):
        raise PeerError("capacity packet not signed with our key")


def _mac(packet: bytes, key: bytes) -> bytes:
    return hmac.digest(key, packet, "sha256")[:_MAC_BYTES]
