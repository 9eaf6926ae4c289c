"""What a NOC holds of a box's checkpoints: the file config/noc/checkpoints.py writes. Pure."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edged.evidence.errors import EvidenceBroken
from edged.record.witness import Statement, check, fingerprint

FORMAT = "edged-witness-1"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_TEXTS = ("stream", "row_hash", "key", "public_key", "signature", "time")


@dataclass(frozen=True, slots=True)
class Witnessed:
    statement: Statement
    key: str
    time: str
    """When the box recorded it, RFC 3339, by its own clock."""
    late_s: float | None = None
    """How much later the NOC heard of it; None where the export does not say."""


@dataclass(frozen=True, slots=True)
class Witness:
    site: str
    checkpoints: tuple[Witnessed, ...]

    @property
    def keys(self) -> set[str]:
        return {each.key for each in self.checkpoints}


def read(content: bytes) -> Witness:
    """Raises EvidenceBroken for what is no such file, or has a checkpoint nobody signed."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EvidenceBroken("the witness file is no JSON") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("checkpoints"), list):
        raise EvidenceBroken(f"the witness file is not of the form {FORMAT}")
    return Witness(str(found.get("site")), tuple(_one(at, each) for at, each in enumerate(found["checkpoints"], 1)))


def _one(at: int, each: object) -> Witnessed:
    if not isinstance(each, dict) or not all(isinstance(each.get(name), str) for name in _TEXTS):
        raise EvidenceBroken(f"checkpoint {at} of the witness file is incomplete")
    sequence = each.get("at")
    if type(sequence) is not int or not 0 < sequence < 2**53 or not _TIME.fullmatch(each["time"]):
        raise EvidenceBroken(f"checkpoint {at} of the witness file has not its form")
    statement = Statement(each["stream"], sequence, each["row_hash"])
    try:
        own = fingerprint(each["public_key"]) == each["key"]
    except ValueError:
        own = False
    if not own or not check(each["public_key"], statement, each["signature"]):
        raise EvidenceBroken(f"checkpoint {at} of the witness file is not signed by the key it names")
    return Witnessed(statement, each["key"], each["time"], _late_s(at, each))


def _late_s(at: int, each: dict[str, Any]) -> float | None:
    arrived = each.get("arrived")
    if arrived is None:
        return None
    try:
        return (datetime.fromisoformat(arrived) - datetime.fromisoformat(each["time"])).total_seconds()
    except (TypeError, ValueError) as error:
        raise EvidenceBroken(f"checkpoint {at} of the witness file has not its form") from error
