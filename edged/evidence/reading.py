"""One row of the record, read again: exactly the spelling it was recorded in, and nothing the contract does not know.

No word of a row that fails is ever repeated: it may be the very text that does not belong there.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edged.contract import fit
from edged.contract.kinds import KINDS, Told
from edged.evidence.errors import EvidenceBroken
from edged.record.canonical import canonical
from edged.record.errors import RecordMisused

Doc = dict[str, Any]

_FRAME = {
    "specversion": re.compile(r"1\.0"),
    "id": re.compile(r"[0-9a-f-]{36}:[0-9]{1,16}"),
    "source": re.compile(r"edge/[A-Za-z0-9][A-Za-z0-9_-]{0,63}/[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
    "type": re.compile(r"edge\.[a-z0-9_.]{1,80}\.v1"),
    "time": re.compile(r"(?:19[7-9]|20[0-9]|21[0-9])[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"),
    "datacontenttype": re.compile(r"application/json"),
    "clockq": re.compile(r"synced|holdover|unset"),
    "monoms": re.compile(r"[0-9]{1,18}"),
    "bootid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "stream": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
_NUMBERS = {"sequence": 2**53, "tier": 5}


@dataclass(frozen=True, slots=True)
class Said:
    """One event, as the box said it."""

    kind: str
    """Without "edge." and ".v1"."""
    source: str
    stream: str
    sequence: int
    tier: int
    time: str
    wall_s: float
    monotonic_s: float
    boot: str
    clockq: str
    data: Doc
    known: bool
    """False: a kind this version does not know; nothing of its data may be shown."""


def said(body: bytes) -> Said:
    """Raises EvidenceBroken for what this box never wrote."""
    found = _parsed(body)
    data = found.get("data")
    if found.keys() != {*_FRAME, *_NUMBERS, "data"} or not isinstance(data, dict):
        raise EvidenceBroken("the envelope has not the fields of an event")
    for name, form in _FRAME.items():
        if not isinstance(found[name], str) or not form.fullmatch(found[name]):
            raise EvidenceBroken(f"the envelope's {name} has not its form")
    for name, end in _NUMBERS.items():
        if type(found[name]) is not int or not 0 <= found[name] < end:
            raise EvidenceBroken(f"the envelope's {name} is out of its range")
    if found["id"] != f"{found['stream']}:{found['sequence']}":
        raise EvidenceBroken("the envelope's id is not its place")
    kind = found["type"][len("edge.") : -len(".v1")]
    return Said(
        kind=kind,
        source=found["source"],
        stream=found["stream"],
        sequence=found["sequence"],
        tier=found["tier"],
        time=found["time"],
        wall_s=_wall_s(found["time"]),
        monotonic_s=int(found["monoms"]) / 1000,
        boot=found["bootid"],
        clockq=found["clockq"],
        data=data,
        known=_is_known(kind, data),
    )


def object_of(text: bytes) -> Doc:
    """One JSON object in the one spelling of RFC 8785. Raises EvidenceBroken for everything else."""
    return _parsed(text)


def _parsed(text: bytes) -> Doc:
    try:
        found = json.loads(text)  # a key said twice, and what is no number, show in the spelling
        spelled = canonical(found)
    except (ValueError, RecordMisused, RecursionError) as error:
        raise EvidenceBroken("it is no JSON") from error
    if not isinstance(found, dict):
        raise EvidenceBroken("it is no JSON object")
    if spelled != text:
        raise EvidenceBroken("it is not spelled as it was written")
    return found


def _is_known(kind: str, data: Doc) -> bool:
    """Raises EvidenceBroken for a kind that is known and says what it cannot say."""
    message = KINDS.get(kind)
    if message is None or message.told is not Told.EVENT:
        return False
    if fit(kind, data)[1]:
        raise EvidenceBroken("it says what the contract does not know")
    return True


def _wall_s(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise EvidenceBroken("the envelope's time is no time") from error
