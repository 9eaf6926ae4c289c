"""The containment protocol as the facility writes it: each sentence a person is shown, who acts on it, and by when.

What a row sees and when it clears is code (containment.py). What to say then is the facility's, in one file with a
version and a hash. Within REQUIREMENTS.md it may be stricter, never laxer.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from edged.core import protocol_text
from edged.core.events import Json
from edged.core.phase import Phase

ROLES = ("technologist", "radiologist", "on-site physician", "field engineer", "NOC")
MAX_SENTENCE = 120
SENTENCE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029{}\[\]<>]+[.]$"
"""What every sentence of a protocol matches: no control characters, nothing left to fill in, a full stop at the end.
Also a regular expression of ECMA 262, for the contract.
"""
VERSION = r"^[0-9]{4}-(0[1-9]|1[0-2])([.][0-9]{1,3})?$"
"""Year and month, and a number for the second of that month: "2026-11", "2026-11.2"."""


@dataclass(frozen=True, slots=True)
class Response:
    """One short imperative sentence, who carries it out, and within how many seconds (None: no deadline)."""

    say: str
    who: str
    by_s: float | None = None


Step: TypeAlias = Response
"""One step of a script: the same three things, in the order they are done."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The latest a facility may ask for, and where that is written."""

    at_most_s: float
    source: str
    setting: str | None = None
    """Name of the threshold (edged.core.plan.Thresholds) a site may tighten it by; None: there is none."""


_CONFIRM = Deadline(30.0, "rule 4", "confirm_within_s")
_CALL = Deadline(120.0, "rule 8", "phone_within_s")
_AT_ONCE = Deadline(0.0, "T4: at once")

DEADLINES: Mapping[str, Deadline] = {
    "t2.switching": Deadline(15.0, "rule 6", "failover_grace_s"),
    "t2.failover": _CONFIRM,
    "t2.video": _CONFIRM,
    "t3.av": _CALL,
    "t3.audio": _CALL,
    "t3.unconfirmed": _CALL,
    "t3.links": _CALL,
    "t4.phone_dead": _AT_ONCE,
    "t4.no_contact": _AT_ONCE,
    "t4.two_minutes": _AT_ONCE,
    "t5.contrast_given": _AT_ONCE,
}

BY_PHONE = frozenset({"t3.av", "t3.audio", "t3.unconfirmed", "t3.links"})
"""Rows that send somebody to the phone: `Protocol.phone_prompt` is shown with them (C2)."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """Every sentence in force. Made from the shipped text (`DEFAULT`) or from a file (edged.protocol_file)."""

    version: str
    responses: Mapping[str, Response]
    """By row of the containment table; `t5.contrast_given` is shown instead of a T4 row's once contrast was given."""
    phone_prompt: str
    """C2: what to say on the phone, and what not."""
    on_the_phone: str
    """Instead of such a row's sentence once somebody was reached."""
    clearing: Mapping[int, str]
    """By tier: what to do while a row is up but its clear rule already holds."""
    script: Mapping[Phase, tuple[Step, ...]]
    """T5: what to do when tier 4 strikes in that phase."""
    readiness: Mapping[str, str]
    """By code: why a room is not ready for the next injection, and what to do about it."""
    alarms: Mapping[str, Response]
    """The one response each warning and alarm requires, by condition."""
    information: Response
    """For conditions that require none."""
    hash: str = field(init=False)
    """First 16 hexadecimal digits of the SHA-256 of the content: layout and comments of the file do not count."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", hashlib.sha256(spelled(self.content())).hexdigest()[:16])

    @property
    def label(self) -> str:
        """Version and hash, for the record: "2026-11 0123456789abcdef"."""
        return f"{self.version} {self.hash}"

    def alarm(self, condition: str) -> Response:
        return self.alarms.get(condition, self.information)

    def content(self) -> Mapping[str, Json]:
        """All of it as JSON, for the hash and for whoever keeps the text in force beside the record."""
        return {
            "version": self.version,
            "rows": {row: _written(response) for row, response in self.responses.items()},
            "phone_prompt": self.phone_prompt,
            "on_the_phone": self.on_the_phone,
            "clearing": {f"t{tier}": said for tier, said in self.clearing.items()},
            "script": {phase.value: [_written(step) for step in steps] for phase, steps in self.script.items()},
            "readiness": dict(self.readiness),
            "alarms": {name: _written(response) for name, response in self.alarms.items()},
            "information": _written(self.information),
        }


def spelled(content: Mapping[str, Json]) -> bytes:
    """RFC 8785, as far as a protocol needs it: keys are ASCII, numbers are seconds up to an hour."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _written(response: Response) -> dict[str, Json]:
    by_s = response.by_s
    whole = int(by_s) if by_s is not None and by_s == int(by_s) else by_s
    return {"say": response.say, "who": response.who, "by_s": whole}


def _made(said: protocol_text.Said) -> Response:
    return Response(*said)


DEFAULT = Protocol(
    version=protocol_text.VERSION,
    responses={row: _made(said) for row, said in protocol_text.ROWS.items()},
    phone_prompt=protocol_text.PHONE_PROMPT,
    on_the_phone=protocol_text.ON_THE_PHONE,
    clearing=protocol_text.CLEARING,
    script={Phase(phase): tuple(map(_made, steps)) for phase, steps in protocol_text.SCRIPT.items()},
    readiness=protocol_text.READINESS,
    alarms={name: _made(said) for name, said in protocol_text.ALARMS.items()},
    information=_made(protocol_text.INFORMATION),
)
"""The shipped text; config/protocol.toml says the same."""
