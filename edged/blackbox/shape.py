"""What a frozen dataclass is made of, by its type hints: the one thing the speller and its reader must agree on."""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from edged.core.events import Json

_KNOWN = {"Json": Any, "Mapping": Mapping, "Sequence": Sequence}
"""`Json` is recursive; below its first step anything goes."""


def _json(value: Json) -> None: ...


_JSON = get_type_hints(_json, localns=_KNOWN)["value"]


def hints(kind: type) -> dict[str, Any]:
    """The type of each field that its constructor takes, in order."""
    told = get_type_hints(kind, localns=_KNOWN)
    return {field.name: told[field.name] for field in dataclasses.fields(kind) if field.init}


def is_json(hint: Any) -> bool:
    """Whether it is spelled and read as it is."""
    return hint is Any or hint == _JSON


def is_record(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)


def is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and hasattr(origin, "keys")


def as_object(key: Any) -> bool:
    """Whether a mapping with such keys is a JSON object; any other is a list of pairs."""
    return key is Any or key is str or (isinstance(key, type) and issubclass(key, str) and issubclass(key, Enum))


def parts(hint: Any) -> tuple[Any, ...]:
    """A union's members, flat; of anything else itself."""
    return get_args(hint) if is_union(hint) else (hint,)


def records_within(*roots: Any) -> dict[str, type]:
    """Every dataclass that can be met below these hints, by name.

    Raises ValueError when two of them share a name: a tag would then mean both.
    """
    found: dict[str, type] = {}
    waiting = list(roots)
    while waiting:
        hint = waiting.pop()
        if not is_record(hint):
            waiting += [each for each in get_args(hint) if each is not Ellipsis]
            continue
        if found.setdefault(hint.__name__, hint) is not hint:
            raise ValueError(f"{hint.__module__} and {found[hint.__name__].__module__} both have a {hint.__name__}")
        waiting += [each for each in hints(hint).values() if not (is_record(each) and each.__name__ in found)]
    return found
