"""One metric: where its value stands in the status snapshot, and what it counts as. Pure.

A path names keys, `[]` goes through a list. What is null, absent or of another type gives no sample: unknown is never
zero. Names follow Prometheus: base units, `_ratio` from 0 to 1, `_total` for counters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from edged.core.events import Json

Value: TypeAlias = Callable[[Json], float | None]


def scaled(scale: float) -> Value:
    def value(found: Json) -> float | None:
        return found * scale if isinstance(found, (int, float)) and not isinstance(found, bool) else None

    return value


plain, milli, percent, mega = scaled(1.0), scaled(0.001), scaled(0.01), scaled(1e6)


def flag(found: Json) -> float | None:
    return float(found) if isinstance(found, bool) else None


def present(found: Json) -> float | None:
    return None if found is None else 1.0


def tallied(what: str) -> Value:
    """Of a tally: what never happened is zero, and known to be. A series that began at one would hide the first."""
    return lambda found: plain(found.get(what, 0)) if isinstance(found, Mapping) else None


def number_of(found: Json) -> float | None:
    """How many there are in a list."""
    return float(len(found)) if isinstance(found, Sequence) and not isinstance(found, str) else None


def word(**values: float) -> Value:
    """What a word counts as; one that is not listed gives no sample."""
    return lambda found: values.get(found) if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    path: str
    value: Value
    help: str
    labels: Mapping[str, str]
    """Label to path; the path goes through the same elements of the same lists."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    same_as: str | None = None
    """A path: the value is 1 if it stands there too, 0 if not; no sample if nothing stands there."""


Row: TypeAlias = tuple[str, str, Value, str]


def below(base: str, labels: Mapping[str, str], *rows: Row) -> list[Metric]:
    """Rows whose paths, and whose labels' paths, begin with `base`."""
    places = {label: f"{base}{path}" for label, path in labels.items()}
    return [Metric(name, f"{base}{path}", value, meaning, places) for name, path, value, meaning in rows]
