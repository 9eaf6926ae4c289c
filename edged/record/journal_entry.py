"""The tier journal's entries, as bytes. Pure.

    magic "edgT" | CRC-32 of all that follows | payload length u32 | generation u32 | kind u8 | payload

    event    row u64 | sequence u64 | tier u8 | length of the stream's name u8 | previous 32 bytes | name | body
    settled  first u64 | last u64 | name

little-endian. Every entry names its generation, so what an earlier one left behind it in the same half is told from
its own; and it begins with the magic, so a reader finds the next one behind a damaged one.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never
from zlib import crc32

MAGIC = b"edgT"
END = 2**63 - 1
"""Above every sequence."""
_FRAME = struct.Struct("<4sIIIB")
_CHECKED_FROM = 8
_EVENT = struct.Struct("<QQBB32s")
_SETTLED = struct.Struct("<QQ")
_EVENT_KIND, _SETTLED_KIND, _WHOLE_KIND = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Kept:
    """A tier event."""

    row: int
    stream: str
    sequence: int
    tier: int
    previous: bytes
    body: bytes

    @property
    def name(self) -> tuple[str, int]:
        return self.stream, self.sequence


@dataclass(frozen=True, slots=True)
class Settled:
    """Nobody waits for these sequences of the stream any more; 1 to 0: there is such a stream; 1 to END: it is
    forgotten.
    """

    stream: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Whole:
    """All that mattered of the generation before is in this one."""


Entry: TypeAlias = Kept | Settled | Whole


@dataclass(frozen=True, slots=True)
class Found:
    offset: int
    end: int
    generation: int
    entry: Entry


def encode(entry: Entry, generation: int) -> bytes:
    kind, payload = _payload(entry)
    frame = _FRAME.pack(MAGIC, 0, len(payload), generation, kind)
    crc = crc32(payload, crc32(frame[_CHECKED_FROM:]))
    return _FRAME.pack(MAGIC, crc, len(payload), generation, kind) + payload


def entries(data: bytes) -> Iterator[Found]:
    """All sound entries, in order, whatever lies between them."""
    at = data.find(MAGIC)
    while at >= 0:
        found = _decoded(data, at)
        if found:
            yield found
        at = data.find(MAGIC, found.end if found else at + 1)


def _payload(entry: Entry) -> tuple[int, bytes]:
    match entry:
        case Kept():
            name = entry.stream.encode()
            head = _EVENT.pack(entry.row, entry.sequence, entry.tier, len(name), entry.previous)
            return _EVENT_KIND, head + name + entry.body
        case Settled():
            return _SETTLED_KIND, _SETTLED.pack(entry.first, entry.last) + entry.stream.encode()
        case Whole():
            return _WHOLE_KIND, b""
        case _:
            assert_never(entry)


def _decoded(data: bytes, at: int) -> Found | None:
    if len(data) - at < _FRAME.size:
        return None
    _, crc, length, generation, kind = _FRAME.unpack_from(data, at)
    end = at + _FRAME.size + length
    if end > len(data) or crc32(data[at + _CHECKED_FROM : end]) != crc:
        return None
    entry = _entry(kind, data[at + _FRAME.size : end])
    return Found(at, end, generation, entry) if entry else None


def _entry(kind: int, payload: bytes) -> Entry | None:
    """None for a kind of a later version."""
    if kind == _EVENT_KIND:
        row, sequence, tier, length, previous = _EVENT.unpack_from(payload)
        name, body = payload[_EVENT.size : _EVENT.size + length], payload[_EVENT.size + length :]
        return Kept(row, name.decode(), sequence, tier, previous, body)
    if kind == _SETTLED_KIND:
        return Settled(payload[_SETTLED.size :].decode(), *_SETTLED.unpack_from(payload))
    return Whole() if kind == _WHOLE_KIND else None
