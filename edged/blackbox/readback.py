"""A segment read back, as far as it is proven: one that a kill or a dying disk cut off ends with its last flush."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.proven import unpack
from edged.blackbox.segment import FORMAT, Header, segments
from edged.blackbox.unspell import Unspeller
from edged.core.observations import Observation

Decision = tuple[str, str]
"""Name and digest of an event."""


@dataclass(frozen=True, slots=True)
class Step:
    line: int
    """In the uncompressed text, from 1."""
    now_s: float
    observation: Observation
    decided: tuple[Decision, ...] | None
    """None: the judge failed."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a segment came from and how the judge stood when it began."""

    path: Path
    header: Header
    whole: bool
    """It was ended in order; else it was cut off, or is still being written."""
    damage: str | None
    """Why it is not read to its end, where the cause is no kill."""

    def wall_s(self, now_s: float) -> float:
        """Seconds since 1970 at a monotonic time of the recording."""
        return self.header.wall_s + now_s - self.header.now_s


def files(place: Path) -> list[Path]:
    """The segments of a directory, oldest first; of a file, itself. Raises BlackBoxBroken where there are none."""
    try:
        found = [path for _, path in segments(place)] if place.is_dir() else [place]
    except OSError as error:
        raise BlackBoxBroken(f"{place}: {error.strerror}") from error
    if not found:
        raise BlackBoxBroken(f"{place}: no recording lies there")
    return found


def read(path: Path) -> tuple[Recording, Iterator[Step]] | None:
    """The header, and the steps as they are asked for; None for a file cut off before its header was whole.

    Raises BlackBoxBroken, also while the steps are read, naming file, line and field.
    """
    found = unpack(path)
    lines = found.text.split(b"\n")[:-1]  # an ended stream that lacks its last newline is none of ours
    reader = _LineReader(path)
    for number, line in enumerate(lines, 1):
        header = reader.header(number, line)
        if header is not None:
            whole = found.ended and lines[-1].startswith(b'{"end":')
            return Recording(path, header, whole, found.damage), reader.steps(number + 1, lines[number:])
    if found.damage is not None:
        raise BlackBoxBroken(f"{path}: {found.damage}, before any header")
    return None


class _LineReader:
    def __init__(self, path: Path) -> None:
        self._path, self._software = path, ""
        self._unspeller = Unspeller(Header, Observation)

    def header(self, number: int, line: bytes) -> Header | None:
        """The header if this line is it; a line before it is taken in."""
        doc = self._json(number, line)
        if number == 1:
            self._first(doc)
            return None
        if self._explained(number, doc):
            return None
        header: Header = self._read(number, Header, doc)
        return header

    def steps(self, first: int, lines: list[bytes]) -> Iterator[Step]:
        told = 0
        for number, line in enumerate(lines, first):
            doc = self._json(number, line)
            if isinstance(doc, dict) and "sum" in doc:
                continue  # looked at where it was unpacked
            if isinstance(doc, dict) and "end" in doc:
                self._end(number, doc, told)
            elif not self._explained(number, doc):
                told += 1
                yield self._step(number, doc)

    def _first(self, doc: Any) -> None:
        if not isinstance(doc, dict) or "black_box" not in doc:
            raise BlackBoxBroken(f"{self._path}:1: this is no recording of the black box")
        self._software = str(doc.get("software"))
        if doc["black_box"] != FORMAT:
            raise BlackBoxBroken(
                f"{self._path}:1: format {doc['black_box']!r} by {self._software}, this reads {FORMAT}"
            )

    def _explained(self, number: int, doc: Any) -> bool:
        if not isinstance(doc, dict):
            return False
        try:
            self._unspeller.explain(doc.get("class"), doc.get("fields"))
        except BlackBoxBroken as error:
            raise BlackBoxBroken(self._wrong(number, error)) from error
        return True

    def _step(self, number: int, doc: Any) -> Step:
        if not isinstance(doc, list) or len(doc) not in (2, 3) or not isinstance(doc[0], float | int):
            raise BlackBoxBroken(f"{self._path}:{number}: this is no step: {doc!r:.60}")
        observation = self._read(number, Observation, doc[1])
        decided = self._read(number, tuple[tuple[str, str], ...] | None, doc[2]) if len(doc) == 3 else ()
        return Step(number, doc[0], observation, decided)

    def _end(self, number: int, doc: dict[str, Any], told: int) -> None:
        if doc["end"] != told:
            raise BlackBoxBroken(f"{self._path}:{number}: {doc['end']!r} steps were recorded, {told} are here")

    def _json(self, number: int, line: bytes) -> Any:
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BlackBoxBroken(f"{self._path}:{number}: no JSON: {error}") from error

    def _read(self, number: int, hint: Any, doc: Any) -> Any:
        try:
            return self._unspeller.read(hint, doc)
        except BlackBoxBroken as error:
            raise BlackBoxBroken(self._wrong(number, error)) from error

    def _wrong(self, number: int, error: BlackBoxBroken) -> str:
        return f"{self._path}:{number}: {error} (recorded by software {self._software})"
