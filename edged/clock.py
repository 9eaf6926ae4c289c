"""The one clock. Decisions use monotonic time; wall-clock time is for the wire, and says how good it is."""

import ctypes
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


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


@dataclass
class SystemClock:
    """CLOCK_BOOTTIME, so that a suspended box does not lengthen a deadline; the kernel says whether it is in sync."""

    _was_synced: bool = field(default=False, init=False)

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        return time.time()

    def quality(self) -> ClockQuality:
        if _kernel_is_synchronised():
            self._was_synced = True
            return ClockQuality.SYNCED
        return ClockQuality.HOLDOVER if self._was_synced else ClockQuality.UNSET


def boot_id() -> str:
    """The kernel's id of this boot (random(4)); monotonic times compare only within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def rfc3339(wall_s: float) -> str:
    """Wall-clock seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ── the kernel's word: ntp_adjtime(2) ──────────────────────────────────────────────────────────────────
_TIME_ERROR = 5  # timex.h: clock not synchronised
_STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    # struct timex of adjtimex(2); only modes and status are read, the tail is room for the kernel to write in.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_byte * 256),
    )


_libc = ctypes.CDLL(None, use_errno=True)


def _kernel_is_synchronised() -> bool:
    timex = _Timex()  # modes 0: read only, needs no capability
    state = _libc.adjtimex(ctypes.byref(timex))
    return bool(state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC)
