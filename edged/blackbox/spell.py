"""Frozen dataclasses as JSON, exactly and quickly: a tuple of the class's name and its fields' values, in order.

What the order is, a line of its own says before a class is first used: {"class":"Tick","fields":["at_s"]}. Floats are
written with the digits that give the same double back (`float.__repr__`), enums by value, mappings with other keys than
text as lists of pairs. Mappings come back as dicts, and sequences of plain JSON (`Json`) as lists.
"""

import dataclasses
import json
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, cast, get_args, get_origin

from edged.blackbox.errors import BlackBoxMisused
from edged.blackbox.shape import as_object, hints, is_json, is_mapping, is_union

_Spelling = Callable[[Any], Any]


class Speller:
    """One for each stream: it remembers which classes the stream already explains."""

    def __init__(self) -> None:
        self._spellings: dict[type, _Spelling] = {}
        self._explained: list[str] = []
        encoder = json.JSONEncoder(check_circular=False, default=self._take_apart, separators=(",", ":"))
        self._encode = encoder.encode

    def line(self, value: object) -> bytes:
        """The value, with a line before it for each class met for the first time; each ends with a newline.

        Raises BlackBoxMisused for what has no spelling.
        """
        try:
            text = self._encode(value)
        except (TypeError, ValueError, NameError, RecursionError) as error:
            raise BlackBoxMisused(f"{type(value).__name__} cannot be spelled: {error}") from error
        if self._explained:
            text = "\n".join((*self._explained, text))
            self._explained.clear()
        return text.encode("ascii") + b"\n"

    def _take_apart(self, value: Any) -> Any:
        """What JSON does not know, in what it knows; asked by the encoder for each such part."""
        kind = type(value)
        spelling = self._spellings.get(kind)
        if spelling is None:
            explained, spelling = _spelling_of(cast(Hashable, kind))
            self._spellings[kind] = spelling
            if explained is not None:
                self._explained.append(explained)
        return spelling(value)


@cache
def _spelling_of(kind: type) -> tuple[str | None, _Spelling]:
    """Of a class: the line that explains it, and how to spell it. Kept for all streams: finding out takes 0.2 ms."""
    if dataclasses.is_dataclass(kind):
        told = hints(kind)
        explained = json.dumps({"class": kind.__name__, "fields": list(told)}, separators=(",", ":"))
        return explained, _record_spelling(kind.__name__, told)
    if issubclass(kind, Enum):
        return None, attrgetter("value")
    if issubclass(kind, Mapping):
        return None, dict
    if issubclass(kind, (set, frozenset)):
        return None, _in_order
    raise BlackBoxMisused(f"{kind.__module__}.{kind.__qualname__} has no spelling")


def _in_order(members: Collection[Any]) -> list[Any]:
    return sorted(members, key=repr)


def _record_spelling(tag: str, told: Mapping[str, Any]) -> _Spelling:
    get = _getter(tuple(told))
    odd = [(index, spelling) for index, hint in enumerate(told.values(), 1) if (spelling := _odd(hint)) is not None]
    if not odd:
        return lambda record: (tag, *get(record))

    def spelled(record: Any) -> list[Any]:
        values = [tag, *get(record)]
        for index, spelling in odd:
            values[index] = spelling(values[index])
        return values

    return spelled


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """All fields in one call into C, which is what makes it fast."""
    if len(names) > 1:
        many: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)
        return many
    if not names:
        return lambda _: ()
    one = attrgetter(names[0])
    return lambda record: (one(record),)


# ── what the encoder cannot spell by itself: keys that are no text ─────────────────────────────────────
def _odd(hint: Any) -> _Spelling | None:
    """How to spell a field of this type first; None where the encoder may have it as it is."""
    if is_json(hint):
        return None
    if is_union(hint):
        return _odd_one_of(hint)
    if is_mapping(hint):
        return _odd_mapping(*get_args(hint))
    origin = get_origin(hint)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return _odd_sequence(get_args(hint))
    return None


def _odd_one_of(hint: Any) -> _Spelling | None:
    found = [(member, spelling) for member in get_args(hint) if (spelling := _odd(member)) is not None]
    if not found:
        return None
    if len(found) > 1 or len(get_args(hint)) != 2 or type(None) not in get_args(hint):
        raise BlackBoxMisused(f"{hint}: only None may stand beside a mapping with such keys")
    spelling = found[0][1]
    return lambda value: None if value is None else spelling(value)


def _odd_mapping(key: Any, value: Any) -> _Spelling | None:
    inner = _odd(value)
    if as_object(key):
        return None if inner is None else lambda held: {each: inner(it) for each, it in held.items()}
    if inner is None:
        return lambda held: list(held.items())
    return lambda held: [(each, inner(it)) for each, it in held.items()]


def _odd_sequence(members: tuple[Any, ...]) -> _Spelling | None:
    inner = [_odd(each) for each in members if each is not Ellipsis]
    if not any(inner):
        return None
    if Ellipsis in members or len(members) == 1:
        every = inner[0]
        return lambda held: [every(each) for each in held] if every else list(held)
    return lambda held: [spell(each) if spell else each for spell, each in zip(inner, held, strict=True)]
