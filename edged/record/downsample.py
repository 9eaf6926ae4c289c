"""Telemetry told coarser, so that days without a line fit on the disk: one value a minute, or ten, instead of one a
second. Pure.

What was bad stays visible: of each step the worst stands where a mean would hide it (`POLICY`). What nobody observed
stays null, and `seen_s` says how many seconds of a step somebody did. A message made of several carries `first`: it
stands for sequences first to sequence. Streams are never mixed, and silence of more than SILENCE_S is not bridged.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from edged.core.events import Json
from edged.record.canonical import canonical
from edged.record.errors import RecordBroken, RecordMisused

STEPS_S = (60, 600)
"""A minute, then ten."""
SILENCE_S = 600
"""Between two messages more than this: they become two, rather than a long row of nulls."""

Message: TypeAlias = Mapping[str, Any]
"""A CloudEvent, read."""
Known: TypeAlias = "Sequence[Second]"
"""Of one step: at least one."""


@dataclass(frozen=True, slots=True)
class Second:
    """One entry of a row: a second, or a step that is to become a part of a longer one."""

    end_s: float
    every_s: int
    figures: Mapping[str, Any]

    @property
    def seen_s(self) -> int:
        """How many of its seconds were observed."""
        told = self.figures.get("seen_s")
        if isinstance(told, int):
            return told
        return self.every_s if any(value is not None for value in self.figures.values()) else 0


def downsampled(messages: Sequence[Message], every_s: int) -> list[dict[str, Json]]:
    """The same told in steps of `every_s`: messages of one stream, ascending, without a gap in their numbers.

    Raises RecordMisused for others, and RecordBroken for rows that are not telemetry of ours.
    """
    _expect_one_run(messages)
    try:
        return [told for run in _runs(messages) for told in _FOLDS.get(_kind(run[0]), _last_of_each_step)(run, every_s)]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RecordBroken(f"no telemetry: {error!r}") from error


def spelled(messages: Iterable[Mapping[str, Json]]) -> list[bytes]:
    """As `edged.record.batch.pack` takes them."""
    return [canonical(dict(message)) for message in messages]


# ── policy: what stands for several ────────────────────────────────────────────────────────────────────
_SEVERITY = {"up": 1, "unknown": 2, "degraded": 3, "down": 4}
"""Not known is worse than up, and no verdict (0) is none."""


def _severity(second: Second) -> int:
    return _SEVERITY.get(str(second.figures.get("verdict")), 0)


def _of_the_worst(name: str) -> Callable[[Known], Json]:
    """The first that is as bad as it gets."""
    return lambda step: max(step, key=_severity).figures.get(name)


def _values(step: Known, name: str) -> list[Any]:
    return [value for second in step if (value := second.figures.get(name)) is not None]


def _known(name: str, choose: Callable[[list[Any]], Any]) -> Callable[[Known], Json]:
    """Of those that are known; None if none is."""

    def policy(step: Known) -> Json:
        values = _values(step, name)
        found: Json = choose(values) if values else None
        return found

    return policy


def _middle(values: list[Any]) -> Any:
    """A median that was measured: of two in the middle the worse."""
    ordered: Any = sorted(values)
    return ordered[len(ordered) // 2]


def _last(values: list[Any]) -> Any:
    return values[-1]


def _lost_of_all_sent(step: Known) -> float | None:
    """Mean loss, weighted by the probes sent; thousandths, since one probe in a calm ten minutes is 0.03 %."""
    weighed: list[tuple[float, int | None]] = [
        (loss, second.figures.get("sent")) for second in step if (loss := second.figures.get("loss_pct")) is not None
    ]
    sent = sum(weight for _, weight in weighed if weight)
    if not sent:
        return max((loss for loss, _ in weighed), default=None)
    lost: float = sum(loss * weight for loss, weight in weighed if weight)
    return round(lost / sent, 3)


POLICY: Mapping[str, Callable[[Known], Json]] = {
    "verdict": _of_the_worst("verdict"),
    "cause": _of_the_worst("cause"),
    "pace": _known("pace", _last),
    "sent": _known("sent", sum),
    "rtt_min_ms": _known("rtt_min_ms", min),
    "rtt_ms": _known("rtt_ms", _middle),
    "rtt_p95_ms": _known("rtt_p95_ms", max),
    "rtt_p99_ms": _known("rtt_p99_ms", max),
    "jitter_ms": _known("jitter_ms", max),
    "loss_pct": _lost_of_all_sent,
    "burst_longest": _known("burst_longest", max),
    "mos": _known("mos", min),
    "up_loss_pct": _known("up_loss_pct", max),
    "down_loss_pct": _known("down_loss_pct", max),
    "up_delay_ms": _known("up_delay_ms", max),
    "down_delay_ms": _known("down_delay_ms", max),
    "seen_s": lambda step: sum(second.seen_s for second in step),
}
"""Column of `links` → what one step of it says. A column not named here: its last known value."""

LEAST: Mapping[str, tuple[str, ...]] = {"ups": ("charge_pct", "runtime_s")}
"""Kind → figures of which the least of a step says more than the last one. All else, counters too: the last."""

_SUBJECT = {"ups": "ups", "qos": "interface"}
_FRAME = frozenset({"link", "age_s", "every_s", "seconds"})


# ── seconds in columns ─────────────────────────────────────────────────────────────────────────────────
def _columns(run: Sequence[Message], every_s: int) -> list[dict[str, Json]]:
    """One message; of each link one row with an entry for each step."""
    links: dict[str, list[Second]] = {}
    for message in run:
        for row in message["data"]["rows"]:
            links.setdefault(row["link"], []).extend(_seconds(row, _monotonic_s(message)))
    now_s = _monotonic_s(run[-1])
    return [_standing_for(run, {"rows": [_row(link, seconds, every_s, now_s) for link, seconds in links.items()]})]


def _seconds(row: Mapping[str, Any], now_s: float) -> Iterator[Second]:
    every_s = int(row["every_s"])
    columns = {name: value for name, value in row.items() if name not in _FRAME}
    for at in range(row["seconds"] // every_s):
        figures = {name: value[at] if isinstance(value, list) else value for name, value in columns.items()}
        yield Second(now_s - row["age_s"] + at * every_s, every_s, figures)


def _row(link: str, seconds: Sequence[Second], every_s: int, now_s: float) -> Json:
    """Steps are counted back from the last second, so that none ends in the future; the first may be cut short."""
    last_s = max(second.end_s for second in seconds)
    steps: dict[int, list[Second]] = {}
    for second in seconds:
        steps.setdefault(_back(last_s - second.end_s, second.every_s, every_s), []).append(second)
    count = max(steps) + 1
    entries = [_step(steps[back]) if back in steps else {"seen_s": 0} for back in reversed(range(count))]
    names = dict.fromkeys(name for entry in entries for name in entry)
    columns = {name: _folded([entry.get(name) for entry in entries]) for name in names}
    age_s = round(now_s - last_s + (count - 1) * every_s, 1)
    return {"link": link, "age_s": age_s, "every_s": every_s, "seconds": count * every_s, **columns}


def _back(ago_s: float, entry_s: int, every_s: int) -> int:
    """How many steps before the last one. Entries sit on their own grid, so readings a little off do not slip."""
    return math.floor(max(0, round(ago_s / entry_s)) * entry_s / every_s)


def _step(seconds: Sequence[Second]) -> dict[str, Json]:
    names = dict.fromkeys(name for second in seconds for name in (*second.figures, "seen_s"))
    return {name: POLICY.get(name, _known(name, _last))(seconds) for name in names}


def _folded(values: list[Json]) -> Json:
    """One value stands for all that are the same."""
    return values[0] if all(value == values[0] for value in values) else values


# ── rows without seconds, and kinds not known here ─────────────────────────────────────────────────────
def _rows(run: Sequence[Message], every_s: int) -> list[dict[str, Json]]:
    """For each step the last row of each subject."""
    return [_standing_for(step, {"rows": _subjects(step)}) for step in _steps(run, every_s)]


def _subjects(step: Sequence[Message]) -> list[Json]:
    kind = _kind(step[0])
    subjects: dict[str, dict[str, Json]] = {}
    for message in step:
        for row in message["data"]["rows"]:
            earlier = subjects.get(row[_SUBJECT[kind]], {})
            least = {name: _least(earlier.get(name), row.get(name)) for name in LEAST.get(kind, ()) if name in row}
            subjects[row[_SUBJECT[kind]]] = {**row, **least}
    return list(subjects.values())


def _least(one: Any, other: Any) -> Json:
    return min((value for value in (one, other) if value is not None), default=None)


def _last_of_each_step(run: Sequence[Message], every_s: int) -> list[dict[str, Json]]:
    return [_standing_for(step, step[-1]["data"]) for step in _steps(run, every_s)]


def _steps(run: Sequence[Message], every_s: int) -> list[list[Message]]:
    last_s = _monotonic_s(run[-1])
    steps: dict[int, list[Message]] = {}
    for message in run:
        steps.setdefault(int((last_s - _monotonic_s(message)) // every_s), []).append(message)
    return list(steps.values())


_FOLDS: Mapping[str, Callable[[Sequence[Message], int], list[dict[str, Json]]]] = {
    "links": _columns,
    "ups": _rows,
    "qos": _rows,
}


# ── envelopes ──────────────────────────────────────────────────────────────────────────────────────────
def _standing_for(step: Sequence[Message], data: Mapping[str, Json]) -> dict[str, Json]:
    """The envelope of the last one; its number, and `first` of the first."""
    first = _first(step[0])
    told = {name: value for name, value in step[-1].items() if name != "first"} | {"data": dict(data)}
    return told | {"first": first} if first != told["sequence"] else told


def _first(message: Message) -> int:
    return int(message.get("first", message["sequence"]))


def _kind(message: Message) -> str:
    return str(message["type"]).removeprefix("edge.tel.").removesuffix(".v1")


def _monotonic_s(message: Message) -> float:
    return int(message["monoms"]) / 1000


def _runs(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Cut where nothing was told for long."""
    run: list[Message] = []
    for message in messages:
        if run and _monotonic_s(message) - _monotonic_s(run[-1]) > SILENCE_S:
            yield run
            run = []
        run.append(message)
    if run:
        yield run


def _expect_one_run(messages: Sequence[Message]) -> None:
    for before, after in pairwise(messages):
        if before["stream"] != after["stream"] or before["type"] != after["type"]:
            raise RecordMisused("two streams are never made one")
        if _first(after) != before["sequence"] + 1:
            raise RecordMisused(f"between {before['sequence']} and {_first(after)} something is missing")
