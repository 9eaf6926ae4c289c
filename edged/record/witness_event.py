"""The event a signed checkpoint is recorded as, where rows are looked through without reading all of them."""

import json

from edged.record.recorded import Recorded

TYPE = "edge.ledger.checkpoint.v1"
_MARK = f'"type":"{TYPE}"'.encode()


def is_checkpoint(body: bytes) -> bool:
    """Of a row as it is spelled: keys sorted, no spaces (RFC 8785)."""
    return _MARK in body


def sealed_place(body: bytes) -> tuple[str, int] | None:
    """The stream and sequence a checkpoint names; None for what is no checkpoint."""
    if not is_checkpoint(body):
        return None
    data = json.loads(body)["data"]
    stream, at = data.get("stream"), data.get("at")
    return (stream, at) if isinstance(stream, str) and type(at) is int else None


def seals_the_row_before(row: Recorded) -> bool:
    """Whether it is no more than a signature under all there is before it."""
    return sealed_place(row.body) == (row.stream, row.sequence - 1)
