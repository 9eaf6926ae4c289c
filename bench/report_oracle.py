"""What a site called durable, against what its NOC holds. Pure.

The oracle is a file the site appends a line to for each event whose `append` said that it is on the disk: channel,
stream, sequence and the event's own mark. The mark tells whether the NOC holds that very event, and not another one
under its number.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.report_talk import mark_of

Number = tuple[str, int]
"""Stream and sequence."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the oracle."""

    tier: bool
    number: Number
    mark: str

    def line(self) -> bytes:
        return f"{'T' if self.tier else 'L'} {self.number[0]} {self.number[1]} {self.mark}\n".encode()


@dataclass(frozen=True, slots=True)
class Holding:
    """What the NOC holds: rows as they lie in its database, and its books of the streams."""

    rows: Sequence[tuple[Number, str]]
    """With the mark."""
    gone: frozenset[Number]
    """What the site said will not come, and did not."""
    open_holes: int
    telemetry_holes: int
    again: int
    """What came although it was here, before de-duplication."""
    ends: Mapping[str, int] = field(default_factory=dict)
    """Of streams that end with a tombstone: from where on nothing will come."""

    def named(self, number: Number) -> bool:
        """Whether the site said that it will not come."""
        stream, sequence = number
        return number in self.gone or (stream in self.ends and sequence >= self.ends[stream])


NOTHING = Holding([], frozenset(), 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    told: int
    """Tier events called durable."""
    lost: list[Told] = field(default_factory=list)
    """Tier events the NOC does not hold, and nobody said why."""
    named: list[Told] = field(default_factory=list)
    """Tier events the NOC does not hold, and the site said so."""
    lost_logs: list[Told] = field(default_factory=list)
    duplicates: int = 0
    """Numbers or marks that the NOC holds more than once."""
    gaps: int = 0
    telemetry_gaps: int = 0
    again: int = 0

    @property
    def standing(self) -> tuple[int, ...]:
        """What is still missing; as long as this changes, more may come."""
        return len(self.lost), len(self.lost_logs), self.gaps, self.telemetry_gaps

    @property
    def quiet(self) -> bool:
        """Nothing is to be waited for any more."""
        return not self.lost and not self.lost_logs and not self.gaps


def parse_oracle(text: bytes) -> list[Told]:
    """A last line cut short by a kill was told to nobody."""
    whole = text[: text.rfind(b"\n") + 1].decode()
    fields = (line.split(" ") for line in whole.splitlines())
    return [Told(channel == "T", (stream, int(sequence)), mark) for channel, stream, sequence, mark in fields]


def compare(told: Iterable[Told], held: Holding) -> Verdict:
    marks = dict(held.rows)
    absent = [each for each in told if marks.get(each.number) != each.mark]
    lost = [each for each in absent if not held.named(each.number)]
    return Verdict(
        told=sum(each.tier for each in told),
        lost=[each for each in lost if each.tier],
        named=[each for each in absent if each.tier and held.named(each.number)],
        lost_logs=[each for each in lost if not each.tier],
        duplicates=_twice(number for number, _ in held.rows) + _twice(mark for _, mark in held.rows),
        gaps=held.open_holes,
        telemetry_gaps=held.telemetry_holes,
        again=held.again,
    )


def holding(rows: Iterable[tuple[str, int, str]], books: Iterable[tuple[str, str, str]]) -> Holding:
    """From (stream, sequence, body) of each event kept, and (stream, kind, book) of each stream, book as the kit's
    StreamBook spells itself.
    """
    events = [((stream, sequence), mark_of(json.loads(body))) for stream, sequence, body in rows]
    known = [(stream, kind, json.loads(book)) for stream, kind, book in books]
    gone = {(stream, number) for stream, kind, book in known if kind == "event" for number in _gone(book)}
    holes = Counter[str]()
    for _, kind, book in known:
        holes[kind] += book["known_last"] - len(_numbers(book["held"]) | _gone(book))
    again = sum(book["duplicates"] for _, kind, book in known if kind == "event")
    ends = {stream: book["end"][0] for stream, _, book in known if book["end"]}
    return Holding(events, frozenset(gone), holes["event"], holes["telemetry"], again, ends)


def _gone(book: Mapping[str, Any]) -> set[int]:
    told = {number for ranges in book["gone"].values() for number in _numbers(ranges)}
    return told - _numbers(book["held"])


def _numbers(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def _twice(keys: Iterable[object]) -> int:
    return sum(count - 1 for count in Counter(keys).values())
