"""What an SNMP agent said, as plain Python: OIDs are tuples, values are int, bytes, str (OIDs and IP addresses) or
None.

None means the agent has nothing under that OID (noSuchObject, noSuchInstance, endOfMibView): an answer, not an error.
The readers below take any value and return None for one of the wrong type: what a router says is never trusted to fit
its MIB.
"""

from collections.abc import Mapping
from typing import TypeAlias

Oid: TypeAlias = tuple[int, ...]
Value: TypeAlias = int | bytes | str | None
Varbinds: TypeAlias = Mapping[Oid, Value]

MAX_TEXT = 64
"""Characters kept of a name: Peplink allows 32, ifAlias 64."""


def oid(text: str) -> Oid:
    """'1.3.6.1' as a tuple. Raises ValueError."""
    return tuple(int(part) for part in text.split("."))


def dotted(of: Oid) -> str:
    return ".".join(map(str, of))


def column(varbinds: Varbinds, root: Oid) -> dict[Oid, Value]:
    """What lies under `root`, by the index that follows it (never empty), in the order of the indices, without the
    missing.
    """
    depth = len(root)
    rows = {
        at[depth:]: value
        for at, value in varbinds.items()
        if at[:depth] == root and len(at) > depth and value is not None
    }
    return dict(sorted(rows.items()))


def as_int(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def as_text(value: Value) -> str | None:
    """Printable text on one line, at most `MAX_TEXT` characters; None if nothing is left."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        return None
    line = " ".join(value.split())
    return "".join(c for c in line if c.isprintable())[:MAX_TEXT].strip() or None
