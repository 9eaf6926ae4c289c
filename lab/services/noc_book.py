"""The NOC's book: each first-seen event a line of DIR/noc.jsonl, the counts beside it in DIR/noc.json.

A NOC that starts again reads its own book first, so what it had is still known as had.
"""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from lab.services.cloud_event import Event, Kind, Place, body, event, place
from lab.services.errors import PeerError
from lab.services.sequences import Streams


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
    _summed: str = ""

    def open(self) -> None:
        """Read what is there, then go on writing. A last line cut short by a kill is dropped."""
        path = self.directory / "noc.jsonl"
        if path.exists():
            known = path.read_bytes()
            whole = known[: known.rfind(b"\n") + 1]
            os.truncate(path, len(whole))
            for line in whole.splitlines():
                self._recall(line)
        self._lines = path.open("a", buffering=1)

    def close(self) -> None:
        self.summarise()
        if self._lines is not None:
            self._lines.close()

    def take(self, topic: str, payload: bytes, *, retained: bool) -> Due | None:
        """Take in one message; what is to be acknowledged for it. Raises PeerError for garbage, which is counted."""
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
        except PeerError:
            self.counts["garbage"] += 1
            raise
        return None

    def summarise(self) -> None:
        """Write DIR/noc.json anew if anything changed."""
        summary = {
            "counts": dict(sorted(self.counts.items())),
            "duplicates": self.streams.duplicates,
            "gaps": self.streams.gaps,
            "watermarks": {name: stream.watermark for name, stream in self.streams.by_name.items()},
            "states": self.states,
        }
        text = json.dumps(summary)
        if text != self._summed:
            fresh = self.directory / ".noc.json.new"
            fresh.write_text(text + "\n")
            fresh.rename(self.directory / "noc.json")
            self._summed = text

    def _event(self, at: Place, topic: str, found: Event, *, retained: bool) -> Due | None:
        stream = self.streams[found.stream]
        tier = at.kind is Kind.TIER
        before = stream.watermark
        first = stream.add(found.sequence, tier=tier)
        if first:
            self._write(topic, found, retained=retained)
        mark = stream.watermark
        again = not first and tier and mark is not None and found.sequence <= mark  # our last word did not reach it
        if mark is None or (mark == before and not again):
            return None
        return Due(f"edge/v1/{at.tenant}/{at.site}/ack", found.stream, mark)

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
