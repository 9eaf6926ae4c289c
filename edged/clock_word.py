"""What those who steer the clock say of it: chrony in its "tracking", the kernel through ntp_adjtime(2)."""

import ctypes
from dataclasses import dataclass

from edged import chrony
from edged.chrony import Leap, Tracking

MOST_ERROR_S = 1.0
"""A clock that may be off by more is not in sync, whatever it follows. chrony itself allows 3 s (maxdistance)."""
MOST_AGE_S = 4096.0
"""Four of chrony's longest polls (1024 s) without a word from its sources: it coasts."""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody who steers the clock says of it."""

    source: str
    """"chrony" or "kernel"."""
    synced: bool
    offset_s: float | None
    """How far it is ahead (negative: behind); None: nobody says."""
    error_s: float | None
    """It is off by no more than this."""
    leap: str
    """Announced for the end of this UTC day: "none", "insert" or "delete"."""


_LEAPS = {Leap.NORMAL: "none", Leap.INSERT: "insert", Leap.DELETE: "delete", Leap.UNSYNCHRONISED: "none"}


def chrony_says(tracking: Tracking, wall_s: float) -> Word:
    """chronyd calls itself synchronised also while it serves its own clock, and for days after it lost its sources."""
    updated = tracking.updated_wall_s
    follows = (
        tracking.leap is not Leap.UNSYNCHRONISED and 1 <= tracking.stratum <= 15 and tracking.reference != chrony.LOCAL
    )
    fresh = updated is not None and abs(wall_s - updated) <= MOST_AGE_S
    return Word(
        source="chrony",
        synced=follows and fresh and tracking.error_s <= MOST_ERROR_S,
        offset_s=tracking.ahead_s if follows else None,
        error_s=tracking.error_s if follows else None,
        leap=_LEAPS[tracking.leap],
    )


# ── the kernel: ntp_adjtime(2) ────────────────────────────────────────────────────────────────────────
_TIME_INS, _TIME_DEL, _TIME_OOP, _TIME_ERROR = 1, 2, 3, 5  # timex.h: what adjtimex(2) returns
_STA_UNSYNC = 0x0040
_KERNEL_LEAPS = {_TIME_INS: "insert", _TIME_DEL: "delete", _TIME_OOP: "insert"}  # OOP: the inserted second is now


class _Timex(ctypes.Structure):
    # struct timex of adjtimex(2); only its beginning is read, the tail is room for the kernel to write in.
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


def kernel_says() -> Word:
    """adjtimex(2) with modes 0: reads only, and needs no capability."""
    timex = _Timex()
    state = _libc.adjtimex(ctypes.byref(timex))
    return kernel_word(state, timex.status, timex.maxerror)


def kernel_word(state: int, status: int, max_error_us: int) -> Word:
    """`state` is what adjtimex(2) returned; -1: it failed, which counts as not in sync."""
    synced = state not in (-1, _TIME_ERROR) and not status & _STA_UNSYNC
    return Word("kernel", synced, None, max_error_us / 1e6 if synced else None, _KERNEL_LEAPS.get(state, "none"))
