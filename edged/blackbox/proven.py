"""The text of a segment as far as the file itself proves it: what is damaged is never taken for what was recorded.

A stream that came to its end carries a checksum over all of it (RFC 1950). One that did not, after a kill or while it
is being written, is proven up to its last sum; what stands behind that was cut off in mid-write, or is damaged.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.segment import sum_line

_FLUSHED = b"\x00\x00\xff\xff"
"""Ends each piece that the writer puts on the disk (RFC 1951 section 3.2.4, an empty block): the next is on its way."""
_SUM_BYTES = len(sum_line(b""))
_READ_BYTES = 64 << 10
_MISSES_MAX = 3
"""Flushes without their sum: one may be four bytes that only look like a flush (one in 4,000 segments has such)."""


@dataclass(frozen=True, slots=True)
class Proven:
    text: bytes
    ended: bool
    """The stream came to its end; else it was cut off, or is still being written."""
    damage: str | None
    """Why what stands behind the text is not in it; None where there is nothing, or the last piece is cut off."""


def unpack(path: Path) -> Proven:
    """Raises BlackBoxBroken for a file that cannot be read."""
    stream, text, proven = zlib.decompressobj(), bytearray(), 0
    at = proven_at = misses = 0
    why = None
    try:
        for piece in _pieces(path):
            text += stream.decompress(piece)
            if stream.eof:
                beyond = at + len(piece) - len(stream.unused_data)
                return Proven(bytes(text), True, _beyond(path, beyond))
            at += len(piece)
            if text[-_SUM_BYTES:] == sum_line(text[proven:-_SUM_BYTES]):
                proven, proven_at, why, misses = len(text), at, None, 0
            elif piece.endswith(_FLUSHED):
                why, misses = "its sum is another", misses + 1
                if misses > _MISSES_MAX:
                    break
        if why is None and _is_torn(text[proven:]):
            why = "what stands there says nothing"
    except zlib.error as error:
        why = str(error)
    except OSError as error:
        raise BlackBoxBroken(f"{path}: {error.strerror}") from error
    return Proven(bytes(text[:proven]), False, why and f"damaged near byte {proven_at} ({why})")


def _is_torn(tail: bytes | bytearray) -> bool:
    """Whether it is not the beginning of a piece either: to zlib, almost anything is data."""
    *lines, half = tail.split(b"\n")
    try:
        for line in lines:
            json.loads(line)
    except (ValueError, RecursionError):
        return True
    return not half.isascii()


def _beyond(path: Path, end: int) -> str | None:
    size = path.stat().st_size
    return f"damaged near byte {end} (it ended there, and goes on)" if size > end else None


def _pieces(path: Path) -> Iterator[bytes]:
    """The file, cut behind each flush; what is no recording may be of any size."""
    rest = b""
    with path.open("rb") as file:
        while read := file.read(_READ_BYTES):
            *whole, rest = (rest + read).split(_FLUSHED)
            yield from (piece + _FLUSHED for piece in whole)
            if len(rest) > _READ_BYTES:
                yield rest[: 1 - len(_FLUSHED)]
                rest = rest[1 - len(_FLUSHED) :]
    if rest:
        yield rest
