"""The packet: the rows themselves, which are the proof, and what they say, readable without our software.

One JSON document in the one spelling of RFC 8785, so that one packet has one hash. Nothing in it comes from anywhere
but the rows, save the containment protocol, which the rows name by its hash.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from edged.core.events import Json
from edged.evidence.derived import derived
from edged.evidence.errors import EvidenceBroken, EvidenceMisused
from edged.evidence.proof import ProofRow, keys, proof_row, signed_places
from edged.evidence.reading import Doc, object_of
from edged.record.canonical import canonical
from edged.record.evidence_rows import ChainedRow

FORMAT = "edged-evidence-1"
PARTS = frozenset({"format", "site", "session", "rows", "holes", "head", "keys", "protocol", "derived"})
_HASH = re.compile(r"[0-9a-f]{64}")
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Packet:
    """As it was read; only its shape was looked at."""

    site: str
    session: str
    rows: tuple[ProofRow, ...]
    holes: tuple[int, ...]
    """Rows, from 0, before which the box had deleted some."""
    head: str
    keys: tuple[tuple[str, str], ...]
    protocol: Doc | None
    derived: Doc
    hash: str
    """SHA-256 of the file."""


def build(rows: Sequence[ChainedRow], session: str, protocol: Mapping[str, Json] | None = None) -> bytes:
    """The file. `rows` ascending, as `edged.record.evidence_rows` gives them; `protocol` is left out unless the rows
    name it by its hash.

    Raises EvidenceMisused if the rows are not about that session, EvidenceBroken for a row this box never wrote: no
    word of such a row gets into a packet.
    """
    if not rows:
        raise EvidenceMisused(f"no row is about session {session}")
    proof = [_sound(each) for each in rows]
    found = derived([each.said for each in proof], session)
    known: list[Json] = [{"fingerprint": key, "public_key": public} for key, public in keys(signed_places(proof))]
    return canonical(
        {
            "format": FORMAT,
            "site": site_of(proof),
            "session": session,
            "rows": [{"previous": each.previous.hex(), "body": each.body.decode()} for each in proof],
            "holes": [at for at in range(1, len(rows)) if rows[at].row != rows[at - 1].row + 1],
            "head": proof[-1].hash.hex(),
            "keys": known,
            "protocol": protocol if protocol is not None and is_named(protocol, found) else None,
            "derived": found,
        }
    )


def site_of(rows: Sequence[ProofRow]) -> str:
    """Raises EvidenceBroken if they are of several."""
    sites = {row.said.source for row in rows}
    if len(sites) != 1:
        raise EvidenceBroken("the rows are of several sites")
    return sites.pop().removeprefix("edge/")


def protocol_hash(protocol: Mapping[str, Json]) -> str:
    """As the daemon records it: the first 16 digits of SHA-256 over the content."""
    return sha256(canonical(protocol)).hexdigest()[:16]


def is_named(protocol: Mapping[str, Json], found: Mapping[str, Any]) -> bool:
    """Whether a row names this protocol, by version and hash."""
    version, hashed = protocol.get("version"), protocol_hash(protocol)
    named = ((each["protocol"], each["protocol_hash"]) for each in found["software"])
    return any(each in ((version, hashed), (f"{version} {hashed}", None)) for each in named)


def _sound(each: ChainedRow) -> ProofRow:
    try:
        return proof_row(each.previous, each.body)
    except EvidenceBroken as error:
        raise EvidenceBroken(f"row {each.row} of the record: {error}") from error


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────
def read(content: bytes) -> Packet:
    """Raises EvidenceBroken for what is no packet, is not spelled as one, or has a row this box never wrote."""
    doc = object_of(content)
    if doc.get("format") != FORMAT:
        raise EvidenceBroken(f"it is no packet of the form {FORMAT}")
    if doc.keys() != PARTS:
        raise EvidenceBroken("it has not the parts of a packet")
    return Packet(
        site=_text(doc["site"]),
        session=_formed(doc["session"], _SESSION),
        rows=tuple(_row(at, each) for at, each in enumerate(_list(doc["rows"]))),
        holes=tuple(_place(each) for each in _list(doc["holes"])),
        head=_formed(doc["head"], _HASH),
        keys=tuple(_key(each) for each in _list(doc["keys"])),
        protocol=None if doc["protocol"] is None else _object(doc["protocol"]),
        derived=_object(doc["derived"]),
        hash=sha256(content).hexdigest(),
    )


def _row(at: int, each: object) -> ProofRow:
    doc = _object(each)
    if doc.keys() != {"previous", "body"}:
        raise EvidenceBroken(f"row {at + 1} has not the parts of a row")
    try:
        return proof_row(bytes.fromhex(_formed(doc["previous"], _HASH)), _text(doc["body"]).encode())
    except EvidenceBroken as error:
        raise EvidenceBroken(f"row {at + 1}: {error}") from error


def _key(each: object) -> tuple[str, str]:
    doc = _object(each)
    if doc.keys() != {"fingerprint", "public_key"}:
        raise EvidenceBroken("a key has not the parts of a key")
    return _text(doc["fingerprint"]), _text(doc["public_key"])


def _object(value: object) -> Doc:
    if not isinstance(value, dict):
        raise EvidenceBroken("a part of it is no object")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise EvidenceBroken("a part of it is no list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise EvidenceBroken("a part of it is no text")
    return value


def _formed(value: object, form: re.Pattern[str]) -> str:
    text = _text(value)
    if not form.fullmatch(text):
        raise EvidenceBroken("a part of it has not its form")
    return text


def _place(value: object) -> int:
    if type(value) is not int or value < 1:
        raise EvidenceBroken("a hole is no place in it")
    return value
