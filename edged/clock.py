"""The one clock. Decisions use monotonic time; wall-clock time is for the wire, and says how good it is.

chrony's word counts while it is fresh, else the kernel's (`edged.clock_watch` brings the former). A clock that shows a
time that cannot be is unset, whoever vouches for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from edged.chrony import Tracking
from edged.clock_word import Word, chrony_says, kernel_says

EARLIEST_S = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""This software was not there before: a clock that shows less has lost its battery, or never had one."""
RECORDED_SLACK_S = 60.0
"""A clock set back by less against what was recorded is a step like any other."""
CHRONY_COUNTS_S = 30.0
"""It is asked every 10 s: two answers may be missing."""
COASTS_THROUGH_S = 2.0
"""A clock set by more than this while it coasts is no longer what was in sync; a leap second moves it by one."""


class ClockQuality(StrEnum):
    SYNCED = "synced"
    HOLDOVER = "holdover"  # was synchronised since boot, is not now
    UNSET = "unset"


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never stepping."""

    def wall(self) -> float:
        """Seconds since 1970, as good as `quality` says."""

    def quality(self) -> ClockQuality: ...


@dataclass(frozen=True, slots=True)
class Look:
    """The wall clock at one moment."""

    quality: ClockQuality
    plausible: bool
    word: Word


def quality_of(*, plausible: bool, synced: bool, was_synced: bool) -> ClockQuality:
    if not plausible:
        return ClockQuality.UNSET
    if synced:
        return ClockQuality.SYNCED
    return ClockQuality.HOLDOVER if was_synced else ClockQuality.UNSET


@dataclass
class SystemClock:
    """CLOCK_BOOTTIME, so that a suspended box does not lengthen a deadline."""

    kernel: Callable[[], Word] = kernel_says
    _was_synced: bool = field(default=False, init=False)
    _chrony: tuple[Word, float] | None = field(default=None, init=False)
    """With the monotonic time it was heard at."""
    _earliest_s: float = field(default=EARLIEST_S, init=False)
    _recorded_s: float | None = field(default=None, init=False)
    _in_sync: tuple[float, float] | None = field(default=None, init=False)
    """Wall and monotonic time when it was last seen in sync."""

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        return time.time()

    def quality(self) -> ClockQuality:
        """Asked for every envelope: two or three system calls."""
        return self._judge(self._word().synced, self.plausible())

    def plausible(self) -> bool:
        return self.wall() >= self._earliest_s

    def look(self) -> Look:
        word, plausible = self._word(), self.plausible()
        quality = self._judge(word.synced, plausible)
        if quality is ClockQuality.SYNCED:
            self._in_sync = self.wall(), self.monotonic()
        return Look(quality, plausible, word)

    def known_wall(self) -> float | None:
        """What time it is by the last moment in sync and the monotonic clock, whatever was set since; else the newest
        time ever recorded: it is at least that. None: nobody knows.
        """
        if self._in_sync is None:
            return self._recorded_s
        wall_s, monotonic_s = self._in_sync
        return wall_s + self.monotonic() - monotonic_s

    # ── what it is told ────────────────────────────────────────────────────────────────────────────────
    def not_before(self, wall_s: float) -> None:
        """The newest time recorded by a clock *in sync*: with one that was not, a wrong year would stay for ever."""
        self._recorded_s = max(wall_s, self._recorded_s or wall_s)
        self._earliest_s = max(self._earliest_s, wall_s - RECORDED_SLACK_S)

    def heard(self, tracking: Tracking) -> None:
        self._chrony = chrony_says(tracking, self.wall()), self.monotonic()

    def stepped(self, by_s: float) -> None:
        """What chrony said is of the clock as it was; and a clock that somebody set does not coast."""
        self._chrony = None
        if abs(by_s) > COASTS_THROUGH_S:
            self._was_synced = False

    # ── judging ────────────────────────────────────────────────────────────────────────────────────────
    def _word(self) -> Word:
        if self._chrony and self.monotonic() - self._chrony[1] <= CHRONY_COUNTS_S:
            return self._chrony[0]
        return self.kernel()

    def _judge(self, synced: bool, plausible: bool) -> ClockQuality:
        self._was_synced = self._was_synced or (synced and plausible)
        return quality_of(plausible=plausible, synced=synced, was_synced=self._was_synced)


def boot_id() -> str:
    """The kernel's id of this boot (random(4)); monotonic times compare only within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def rfc3339(wall_s: float) -> str:
    """Wall-clock seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
