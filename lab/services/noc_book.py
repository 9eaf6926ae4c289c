"""The NOC's book: each first-seen event a line of DIR/noc.jsonl, each tombstone one of DIR/noc.gone.jsonl, the counts
beside them in DIR/noc.json.

What came in a batch is written as if it had come alone. A NOC that starts again reads its own book first, so what it
had is still known as had.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import structlog

from lab.services.cloud_event import (
    Event,
    Kind,
    Place,
    alone,
    body,
    event,
    members,
    numbered,
    place,
    tombstone,
)
from lab.services.errors import PeerError
from lab.services.sequences import Streams

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """An acknowledgement to send: all tier events of `stream` up to `sequence` are here."""

    topic: str
    stream: str
    sequence: int


@dataclass(slots=True)
class Book:
    """What the NOC has taken in."""

    directory: Path
    streams: Streams = field(default_factory=Streams)
    counts: Counter[str] = field(default_factory=Counter)
    states: dict[str, dict[str, object]] = field(default_factory=dict)
    """The last state of each site, by `tenant/site`."""
    _lines: TextIO | None = None
    _gone: TextIO | None = None
    _summed: str = ""

    def open(self) -> None:
        """Read what is there, then go on writing. A last line cut short by a kill is dropped."""
        self._lines = _continued(self.directory / "noc.jsonl", self._recall)
        self._gone = _continued(self.directory / "noc.gone.jsonl", self._recall_gone)

    def close(self) -> None:
        self.summarise()
        for file in (self._lines, self._gone):
            if file is not None:
                file.close()

    def take(self, topic: str, payload: bytes, *, retained: bool) -> list[Due]:
        """Take in one message; what is to be acknowledged for it, at most one word a stream. Raises PeerError for
        garbage, which is counted.
        """
        at = place(topic)
        self.counts[at.kind] += 1
        try:
            match at.kind:
                case Kind.TIER | Kind.LOG:
                    return self._event(at, topic, event(payload), retained=retained)
                case Kind.STATE if payload:
                    self.states[f"{at.tenant}/{at.site}"] = body(payload)
                case Kind.TELEMETRY | Kind.SNAPSHOT if payload:
                    body(payload)
                case Kind.HISTORY:
                    return self._batch(at, topic, members(payload))
        except PeerError:
            self.counts["garbage"] += 1
            raise
        return []

    def summarise(self) -> None:
        """Write DIR/noc.json anew if anything changed."""
        summary = {
            "counts": dict(sorted(self.counts.items())),
            "duplicates": self.streams.duplicates,
            "gaps": self.streams.gaps,
            "gone": {name: stream.gone for name, stream in self.streams.by_name.items() if stream.gone},
            "watermarks": {name: stream.watermark for name, stream in self.streams.by_name.items()},
            "states": self.states,
        }
        text = json.dumps(summary)
        if text != self._summed:
            fresh = self.directory / ".noc.json.new"
            fresh.write_text(text + "\n")
            fresh.rename(self.directory / "noc.json")
            self._summed = text

    def _batch(self, batch: Place, topic: str, found: list[dict[str, object]]) -> list[Due]:
        """A member that is garbage costs only itself, and is told at the end."""
        due: dict[str, Due] = {}
        wrong: list[PeerError] = []
        for member in found:
            try:
                told = self._member(batch, topic, member)
            except PeerError as error:
                wrong.append(error)
            else:
                due |= {each.stream: each for each in told}
        if wrong:
            self.counts["garbage"] += len(wrong)
            log.warning("garbage in a batch", members=len(wrong), first=str(wrong[0]))
        return list(due.values())

    def _member(self, batch: Place, topic: str, member: dict[str, object]) -> list[Due]:
        at, alone_on = alone(batch, topic, member)
        match at.kind:
            case Kind.TIER | Kind.LOG:
                due = self._event(at, alone_on, numbered(member), retained=False)
            case Kind.TOMBSTONE:
                due = self._bury(at, member)
            case Kind.TELEMETRY:
                due = []
            case _:
                raise PeerError(f"a batch does not hold {member.get('type')!r:.60}")
        self.counts[at.kind] += 1
        return due

    def _event(self, at: Place, topic: str, found: Event, *, retained: bool) -> list[Due]:
        stream = self.streams[found.stream]
        tier = at.kind is Kind.TIER
        before = stream.watermark
        first = stream.add(found.sequence, tier=tier)
        if first:
            self._write(topic, found, retained=retained)
        mark = stream.watermark
        again = not first and tier and mark is not None and found.sequence <= mark  # our last word did not reach it
        if mark is None or (mark == before and not again):
            return []
        return [_due(at, found.stream, mark)]

    def _bury(self, at: Place, member: dict[str, object]) -> list[Due]:
        its = tombstone(member)
        stream = self.streams[its.stream]
        before = stream.watermark
        stream.close(its.first, its.last)
        if self._gone is not None:
            self._gone.write(json.dumps(member) + "\n")
        mark = stream.watermark
        return [] if mark is None or mark == before else [_due(at, its.stream, mark)]

    def _write(self, topic: str, found: Event, *, retained: bool) -> None:
        if self._lines is not None:
            now_s = time.time()
            line = {
                "arrived": datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds"),
                "arrived_s": round(now_s, 3),
                "topic": topic,
                "retained": retained,
                "duplicates": self.streams.duplicates,
                "event": found.body,
            }
            self._lines.write(json.dumps(line) + "\n")

    def _recall(self, line: bytes) -> None:
        """A line of our own; one that is not is no harm."""
        try:
            known = body(line)
            found = event(json.dumps(known.get("event")).encode())
        except PeerError:
            return
        self.streams[found.stream].add(found.sequence, tier=place(str(known.get("topic"))).kind is Kind.TIER)

    def _recall_gone(self, line: bytes) -> None:
        try:
            its = tombstone(body(line))
        except PeerError:
            return
        self.streams[its.stream].close(its.first, its.last)


def _due(at: Place, stream: str, mark: int) -> Due:
    return Due(f"edge/v1/{at.tenant}/{at.site}/ack", stream, mark)


def _continued(path: Path, recall: Callable[[bytes], None]) -> TextIO:
    if path.exists():
        known = path.read_bytes()
        whole = known[: known.rfind(b"\n") + 1]
        os.truncate(path, len(whole))
        for line in whole.splitlines():
            recall(line)
    return path.open("a", buffering=1)
