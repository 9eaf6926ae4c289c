"""What fits the contract is said; what does not is left out and named. Pure, and safe in any thread.

Called for every message before it is spelled, so the good case is one validation and nothing is copied: 1 µs for most,
10 for a tier event, 20 for ten seconds of two links.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, TypeAlias

from pydantic import ValidationError

from edged.contract.kinds import KINDS, Message
from edged.core.events import Json

UNKNOWN_KIND = "*"
"""Stands for everything, where nobody knows what may be said."""
_ROUNDS = 8
"""What lies under a thing left out shows in the next round; no message is deeper than this."""
_NAME_CHARS = 80
"""Of a name, which may be the very text that does not belong there."""

Path: TypeAlias = tuple[str | int, ...]
Check: TypeAlias = Callable[[Any], object]
"""Raises ValidationError."""

_building = Lock()
_checks: dict[str, tuple[Check, ...]] = {}
"""By the name of the message; made when it is first said, half a millisecond each."""


def fit(kind: str, data: Mapping[str, Json]) -> tuple[Mapping[str, Json], list[str]]:
    """The data with everything left out that the contract does not know, and the names of what was left out or is
    missing, such as "rows.0.cause"; [] when all is well. `kind` as in `edged.contract.kinds`; of an unknown one nothing
    is left.
    """
    message = KINDS.get(kind)
    if message is None:
        return {}, [UNKNOWN_KIND]
    checks = _checks.get(message.name) or _built(message)
    for check in checks:
        try:
            check(data)
        except ValidationError:
            continue
        return data, []
    return min((_cut(check, data) for check in checks), key=lambda attempt: len(attempt[1]))


def _built(message: Message) -> tuple[Check, ...]:
    """One at a time: events are spelled in the record's thread, all else in the loop's, and models share parts."""
    with _building:
        for contents in message.contents:
            contents.model_rebuild()
        checks = tuple(contents.__pydantic_validator__.validate_python for contents in message.contents)
    _checks[message.name] = checks
    return checks


def _cut(check: Check, data: Mapping[str, Json]) -> tuple[Mapping[str, Json], list[str]]:
    left = _copied(data)
    named: dict[str, None] = {}
    blanked: set[Path] = set()
    for _ in range(_ROUNDS):
        wrong, missing = _misfits(check, left)
        named |= dict.fromkeys(_name(path) for path in (*wrong, *missing))
        if not wrong:
            break
        for path in wrong:
            _leave_out(left, path, blanked)
    return left, list(named)


def _misfits(check: Check, data: Mapping[str, Json]) -> tuple[list[Path], list[Path]]:
    """What is wrong, later places of a list first, and what is missing."""
    try:
        check(data)
    except ValidationError as error:
        found = [(each["loc"], each["type"] == "missing") for each in error.errors(include_url=False)]
        missing = {(*_path(data, location[:-1]), location[-1]) for location, lacks in found if lacks}
        wrong = {_path(data, location) for location, lacks in found if not lacks}
        return sorted(_deepest(wrong), key=_place, reverse=True), sorted(missing, key=_place)
    return [], []


def _leave_out(data: Any, path: Path, blanked: set[Path]) -> None:
    """A key goes. A place in a list becomes null, since its neighbours have places too, and goes if it may not be."""
    for step in path[:-1]:
        data = data[step]
    last: Any = path[-1]
    if isinstance(data, list) and path not in blanked:
        data[last] = None
        blanked.add(path)
    else:
        del data[last]


def _path(data: Any, location: Iterable[str | int]) -> Path:
    """The location in the data; steps that are the model's alone (which kind of a union) are left out."""
    path: list[str | int] = []
    for step in location:
        there = step in data if isinstance(data, dict) else isinstance(data, list) and isinstance(step, int)
        if there:
            data = data[step]
            path.append(step)
    return tuple(path)


def _deepest(paths: set[Path]) -> set[Path]:
    """Where one place of a list is wrong, the other kind of a union complains of the whole list."""
    above = {path[:depth] for path in paths for depth in range(len(path))}
    return paths - above


def _place(path: Path) -> list[str]:
    return [f"{step:08}" if isinstance(step, int) else step for step in path]


def _name(path: Path) -> str:
    return ".".join(map(str, path))[:_NAME_CHARS]


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(held) for key, held in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_copied(held) for held in value]
    return value
