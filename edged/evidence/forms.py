"""Fields of an event, each in its form. What is absent is None: not recorded, never good.

A second lock behind the contract: nothing is shown that is not a code, a name, a number or a sentence.
"""

import re
from collections.abc import Mapping
from typing import Any

from edged.evidence.errors import EvidenceBroken

Data = Mapping[str, Any]

_CODE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@\\+%\[\]-]{0,279}\$?( [A-Za-z0-9_.:@%\[\]()/+-]{1,280}){0,4}")
_SENTENCE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029{}\[\]<>]{1,200}")
_WHO = re.compile(r"[A-Za-z][A-Za-z -]{1,39}")
_TEXT = re.compile(r"[A-Za-z0-9+/=._ -]{1,128}")
_LANE = re.compile(r"[LDU]{1,600}")
_AV = re.compile(r"[YNU]{1,600}")


def code(data: Data, name: str) -> str | None:
    return _formed(data, name, _CODE)


def codes(data: Data, name: str) -> list[str]:
    """None of them is none."""
    value = data.get(name)
    if value is not None and not isinstance(value, list):
        raise EvidenceBroken(f"{name} is no list")
    return [found for each in value or () if (found := code({name: each}, name))]


def named(data: Data, name: str) -> str | None:
    """Of a room, a link, an account, a marker: given by an engineer or a system."""
    return _formed(data, name, _NAME)


def sentence(data: Data, name: str) -> str | None:
    """Of the containment protocol."""
    return _formed(data, name, _SENTENCE)


def who(data: Data, name: str) -> str | None:
    return _formed(data, name, _WHO)


def token(data: Data, name: str) -> str | None:
    """A key, a hash, a signature, a version."""
    return _formed(data, name, _TEXT)


def lane(data: Data, name: str) -> str | None:
    return _formed(data, name, _LANE)


def compliance(data: Data, name: str) -> str | None:
    return _formed(data, name, _AV)


def seconds(data: Data, name: str) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e10 <= value <= 1e10:
        raise EvidenceBroken(f"{name} is no number of seconds")
    return round(float(value), 3)


def whole(data: Data, name: str) -> int | None:
    value = data.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < 2**53):
        raise EvidenceBroken(f"{name} is no whole number")
    return value


def truth(data: Data, name: str) -> bool | None:
    value = data.get(name)
    if value is not None and type(value) is not bool:
        raise EvidenceBroken(f"{name} is neither true nor false")
    return value


def inner(data: Data, name: str) -> Data:
    value = data.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise EvidenceBroken(f"{name} is no object")
    return value or {}


def _formed(data: Data, name: str, form: re.Pattern[str]) -> str | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not form.fullmatch(value):
        raise EvidenceBroken(f"{name} has not its form")
    return value
