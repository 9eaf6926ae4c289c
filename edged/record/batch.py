"""Several messages as one: a JSON array of CloudEvents, deflated (zlib, RFC 1950). Pure.

The members are the bytes they would have had alone. Fifty mixed events shrink to a fifth. On the disk and on the wire
it is the same bytes.
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from edged.record.errors import RecordBroken

CONTENT_TYPE = "application/cloudevents-batch+json; charset=utf-8; encoding=deflate"
MAX_MESSAGES = 64
MAX_BYTES = 64 << 10
"""Of a batch before it is deflated; a single member may be longer."""
MAX_INFLATED = 4 << 20
"""What a reader should believe a batch to be at most."""


class NoBatch(RecordBroken):
    """What came is not a batch."""


def pack(bodies: Sequence[bytes]) -> bytes:
    """One payload for `hist`. `bodies` are JSON texts, UTF-8."""
    return zlib.compress(b"[" + b",".join(bodies) + b"]", level=9)


def unpack(payload: bytes) -> list[dict[str, Any]]:
    """The members. Raises NoBatch."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(payload, MAX_INFLATED)
        if inflater.unconsumed_tail or not inflater.eof:
            raise NoBatch("a batch is cut short, or longer than is believed")
        members = json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise NoBatch(f"no batch: {error}") from error
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise NoBatch("a batch is an array of objects")
    return members


def joined(payloads: Sequence[bytes]) -> bytes:
    """All their members in one, spelled as they were. `payloads` are what `pack` made, not empty. Raises NoBatch."""
    try:
        texts = [zlib.decompress(payload) for payload in payloads]
    except zlib.error as error:
        raise NoBatch(f"no batch: {error}") from error
    return pack([text[1:-1] for text in texts])


def portions(bodies: Sequence[bytes]) -> int:
    """How many of `bodies`, from the first, one batch should hold; at least one if there is any."""
    size = 0
    for count, body in enumerate(bodies[:MAX_MESSAGES]):
        size += len(body)
        if size > MAX_BYTES:
            return max(1, count)
    return min(len(bodies), MAX_MESSAGES)
