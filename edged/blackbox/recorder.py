"""The black box of the daemon: takes every step of the judge, and has it on the disk seconds later.

It never blocks and never raises. Where it cannot go on it drops the rest of the segment, and the next one says so.
"""

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog

from edged.blackbox.errors import BlackBoxMisused
from edged.blackbox.segment import FORMAT, Header, Lost, decisions
from edged.blackbox.spell import Speller
from edged.blackbox.writer import SegmentWriter
from edged.core.events import Channel, Event
from edged.core.observations import Observation
from edged.core.plan import Plan
from edged.core.state import State
from edged.record.errors import RecordMisused

_log = structlog.get_logger()

SEGMENT_S = 900.0
"""Four headers an hour cost 2 % of the room, and a bad segment costs a quarter of an hour."""
FLUSH_S = 2.0
"""What a kill may cost."""
FLUSH_BYTES = 16 << 10
RETRY_S = 60.0
"""After a refusal; a header is 0.2 ms of the judge's time."""


class BlackBox:
    """One for each life of the judge. `keep_mib` bounds the ring in `directory`, which is made where it is missing."""

    def __init__(
        self,
        directory: Path,
        *,
        keep_mib: int,
        plan: Plan,
        software: str,
        config_hash: str,
        protocol_hash: str,
        boot_id: str,
        wall: Callable[[], float],
    ) -> None:
        keep_bytes = keep_mib << 20
        self._writer = SegmentWriter(directory, keep_bytes=keep_bytes, segment_bytes=min(1 << 20, keep_bytes // 8))
        life = secrets.token_hex(4)
        self._header = partial(Header, software, config_hash, protocol_hash, boot_id, life, plan=plan)
        self._software, self._wall = software, wall
        self._part = -1
        self._began_s: float | None = None
        """When the segment in hand began; None: there is none …"""
        self._again_s = float("-inf")
        """… until then."""
        self._why, self._error, self._lost_steps = "", "", 0
        self._speller = Speller()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._waiting_steps = 0
        """Spelled and not yet handed to the writer."""
        self._steps = 0
        """Of the segment in hand."""
        self._handed_s = 0.0

    def step(self, before: State, observation: Observation, now: float, events: Sequence[Event] | None) -> None:
        """One step of the judge: its state before, what it was told, when, and what it made of it. None: it failed.

        Takes 3 µs for a tick, 25 µs for a link's reading, 50 to 100 µs more for each event; `before` is looked at only
        where a segment begins.
        """
        self._turn_over(before, now)
        if self._began_s is None:
            self._lost_steps += 1
            return
        try:
            self._take(self._speller.line(_told(observation, now, events)))
        except (BlackBoxMisused, RecordMisused) as error:
            self._lost_steps += 1
            self._stop(now, "unspelled", type(observation).__name__, str(error))
            return
        self._steps += 1
        self._waiting_steps += 1
        if _is_urgent(events) or self._bytes >= FLUSH_BYTES or now - self._handed_s >= FLUSH_S:
            self._hand_over(now)

    def close(self) -> None:
        """End the segment in order. Waits for the disk, two seconds at most."""
        if self._began_s is not None:
            self._end(self._handed_s)
        self._writer.close()

    def _turn_over(self, before: State, now: float) -> None:
        """Begin and end segments as time, the writer and what went wrong before ask for it."""
        if self._began_s is not None:
            if self._writer.failed is not None and self._writer.failed[0] == self._part:
                self._stop(now, "disk", self._writer.failed[1])
            elif self._writer.full == self._part or now - self._began_s >= SEGMENT_S:
                self._end(now)
        if self._began_s is None and now >= self._again_s:
            self._begin(before, now)

    def _begin(self, before: State, now: float) -> None:
        self._part += 1
        self._speller, self._began_s, self._steps = Speller(), now, 0
        lost_steps = self._lost_steps + self._writer.dropped_steps
        lost = Lost(self._why or "disk", self._error, lost_steps) if lost_steps else None
        header = self._header(part=self._part, wall_s=self._wall(), now_s=now, lost=lost, state=before)
        try:
            self._take(self._speller.line({"black_box": FORMAT, "software": self._software}))
            self._take(self._speller.line(header))
        except BlackBoxMisused as error:
            self._stop(now, "unspelled", "Header", str(error))
            return
        self._hand_over(now, begins=True)

    def _end(self, now: float) -> None:
        self._take(b'{"end":%d}\n' % self._steps)
        self._hand_over(now, ends=True)
        if self._began_s is not None:
            self._began_s, self._again_s = None, now

    def _stop(self, now: float, why: str, error: str = "", detail: str = "") -> None:
        """Drop the rest of the segment."""
        self._lost_steps += self._waiting_steps
        self._why, self._error = why, error
        self._began_s, self._again_s = None, now + RETRY_S
        self._clear()
        _log.warning("black box interrupted", why=why, error=error, detail=detail, again_in_s=RETRY_S)

    def _take(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)

    def _hand_over(self, now: float, *, begins: bool = False, ends: bool = False) -> None:
        data = b"".join(self._lines)
        if self._writer.put(self._part, data, steps=self._waiting_steps, begins=begins, ends=ends):
            self._handed_s = now
            self._clear()
        else:
            self._stop(now, "slow")

    def _clear(self) -> None:
        self._lines.clear()
        self._bytes = self._waiting_steps = 0


def _told(observation: Observation, now: float, events: Sequence[Event] | None) -> tuple[object, ...]:
    if events is None:
        return now, observation, None
    return (now, observation, decisions(events)) if events else (now, observation)


def _is_urgent(events: Sequence[Event] | None) -> bool:
    return events is None or any(event.channel is Channel.TIER for event in events)
