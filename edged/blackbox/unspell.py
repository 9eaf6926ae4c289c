"""Reads back what `spell` wrote, strictly by type hints: a class, field or value this software does not know is an
error that names the field. Only `edged replay` needs it.

A field the recording lacks takes its default: an older software recorded it, and the default means "as before".
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.shape import as_object, hints, is_json, is_mapping, is_record, is_union, records_within

_Read = Callable[[Any], Any]


class _UnfitError(Exception):
    """A value that its type does not allow; collects where it stood on the way out."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.steps: list[str] = []

    def at(self, step: str) -> "_UnfitError":
        self.steps.insert(0, step)
        return self

    def __str__(self) -> str:
        return f"{'.'.join(self.steps).replace('.[', '[')}: {self.args[0]}" if self.steps else str(self.args[0])


class Unspeller:
    """One for each stream; `roots` are the types that may stand in it."""

    def __init__(self, *roots: Any) -> None:
        self._kinds = records_within(*roots)
        self._makers: dict[str, Callable[[list[Any]], Any]] = {}
        self._readers: dict[Any, _Read] = {}

    def explain(self, name: object, fields: object) -> None:
        """Take a line that says in what order a class's values come.

        Raises BlackBoxBroken for a class or field unknown here, or where the recording lacks one that has no default.
        """
        if not isinstance(name, str) or not isinstance(fields, list):
            raise BlackBoxBroken(f"no explanation of a class: {name!r:.40}")
        kind = self._kinds.get(name)
        if kind is None:
            raise BlackBoxBroken(f"{name}: this software knows no such class")
        known = hints(kind)
        if strange := [each for each in fields if each not in known]:
            raise BlackBoxBroken(f"{name}.{strange[0]}: this software knows no such field")
        if lacking := _required(kind) - set(fields):
            raise BlackBoxBroken(f"{name}.{min(lacking)}: missing, and this software has no default for it")
        self._makers[name] = _maker(kind, [(each, self._reader(known[each])) for each in fields])

    def read(self, hint: Any, value: Any) -> Any:
        """The value as `hint` says. Raises BlackBoxBroken naming class and field."""
        try:
            return self._reader(hint)(value)
        except _UnfitError as error:
            raise BlackBoxBroken(str(error)) from error

    # ── one reader for each type ───────────────────────────────────────────────────────────────────────
    def _reader(self, hint: Any) -> _Read:
        if hint not in self._readers:
            self._readers[hint] = self._make_reader(hint)
        return self._readers[hint]

    def _make_reader(self, hint: Any) -> _Read:
        if is_json(hint):
            return lambda value: value
        if is_record(hint):
            return self._record({hint.__name__})
        if is_union(hint):
            return self._one_of(get_args(hint))
        if is_mapping(hint):
            return self._mapping(*get_args(hint))
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _enum(hint)
        return _plain(hint) or self._collection(hint)

    def _record(self, allowed: set[str]) -> _Read:
        makers = self._makers

        def read(value: Any) -> Any:
            if type(value) is not list or not value or type(value[0]) is not str:
                raise _UnfitError(f"{value!r:.60} where {_names(allowed)} should be")
            name = value[0]
            if name not in allowed:
                raise _UnfitError(f"{name!r:.60} where {_names(allowed)} should be")
            if name not in makers:
                raise _UnfitError(f"{name} is used before it is explained")
            return makers[name](value)

        return read

    def _one_of(self, members: tuple[Any, ...]) -> _Read:
        tags = {each.__name__ for each in members if is_record(each)}
        readers = [self._reader(each) for each in members if each is not NoneType and not is_record(each)]
        if tags:
            readers.append(self._record(tags))
        optional = NoneType in members
        *others, last = readers

        def read(value: Any) -> Any:
            if value is None and optional:
                return None
            for reader in others:
                try:
                    return reader(value)
                except _UnfitError:
                    continue
            return last(value)

        return read

    def _mapping(self, key: Any, value: Any) -> _Read:
        of_key, of_value, named = self._reader(key), self._reader(value), as_object(key)

        def read(held: Any) -> dict[Any, Any]:
            if not isinstance(held, dict if named else list):
                raise _UnfitError(f"{held!r:.60} is no mapping")
            pairs = held.items() if isinstance(held, dict) else [_sized(each, 2) for each in held]
            return {of_key(each): _under(f"[{each!r}]", of_value, it) for each, it in pairs}

        return read

    def _collection(self, hint: Any) -> _Read:
        origin, members = get_origin(hint), get_args(hint)
        if origin is Literal:
            return _literal(members)
        if origin is tuple and Ellipsis not in members:
            each_reads = [self._reader(each) for each in members]
            return lambda value: tuple(
                _under(f"[{i}]", *each)
                for i, each in enumerate(zip(each_reads, _sized(value, len(each_reads)), strict=True))
            )
        if isinstance(origin, type) and issubclass(origin, (Sequence, set, frozenset)):
            make = origin if origin in (list, set, frozenset) else tuple
            one = self._reader(members[0])
            return lambda value: make(_under(f"[{i}]", one, each) for i, each in enumerate(_sized(value)))
        raise BlackBoxBroken(f"{hint} is a type without a spelling")


def _maker(kind: type, fields: list[tuple[str, _Read]]) -> Callable[[list[Any]], Any]:
    def make(spelled: list[Any]) -> Any:
        if len(spelled) != len(fields) + 1:
            raise _UnfitError(f"{len(spelled) - 1} values for {len(fields)} fields").at(kind.__name__)
        values = {}
        for (name, read), value in zip(fields, spelled[1:], strict=True):
            try:
                values[name] = read(value)
            except _UnfitError as error:
                raise error.at(f"{kind.__name__}.{name}") from None
        return kind(**values)

    return make


def _required(kind: type) -> set[str]:
    missing = dataclasses.MISSING
    return {
        field.name
        for field in dataclasses.fields(kind)
        if field.init and field.default is missing and field.default_factory is missing
    }


def _under(step: str, read: _Read, value: Any) -> Any:
    try:
        return read(value)
    except _UnfitError as error:
        raise error.at(step) from None


def _sized(value: Any, size: int | None = None) -> list[Any]:
    if type(value) is not list or (size is not None and len(value) != size):
        raise _UnfitError(f"{value!r:.60} is no list{'' if size is None else f' of {size}'}")
    return value


_PLAIN: Mapping[Any, tuple[type, ...]] = {
    NoneType: (NoneType,),
    str: (str,),
    bool: (bool,),
    int: (int, bool),
    float: (float, int, bool),  # as the annotation float allows
}


def _plain(hint: Any) -> _Read | None:
    allowed = _PLAIN.get(hint)
    if allowed is None:
        return None

    def read(value: Any) -> Any:
        if type(value) not in allowed:
            raise _UnfitError(f"{value!r:.60} is no {hint.__name__}")
        return value

    return read


def _enum(kind: type[Enum]) -> _Read:
    def read(value: Any) -> Any:
        try:
            return kind(value)
        except (ValueError, TypeError):
            raise _UnfitError(f"there is no {kind.__name__} {value!r:.60}") from None

    return read


def _literal(members: tuple[Any, ...]) -> _Read:
    def read(value: Any) -> Any:
        if not any(value == each and type(value) is type(each) for each in members):
            raise _UnfitError(f"{value!r:.60} is none of {members}")
        return value

    return read


def _names(allowed: set[str]) -> str:
    return min(allowed) if len(allowed) == 1 else f"one of {len(allowed)} classes"
