"""Watches the wall clock: how good it is, once a second and at each change; and every step of it, at once.

The kernel tells of each setting of the clock (a timer that is cancelled by it, timerfd_create(2)). As a net under that,
wall and monotonic time are compared once a second: NTP slews both alike, so what parts them is a step.
"""

import asyncio
import ctypes
import errno
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from edged import chrony
from edged.chrony import ChronyError, Tracking
from edged.clock import ClockQuality, Look, SystemClock
from edged.core.observations import ClockReading, ClockStepped

log = structlog.get_logger()

LOOK_S = 1.0
ASK_S = 10.0
"""How often chrony is asked."""
TOLD_STEP_S = 0.01
"""The least that counts when the kernel says that the clock was set."""
UNTOLD_STEP_S = 0.1
"""The least that counts when it does not."""
MOST_SLEW = 500e-6
"""What the kernel's own discipline (adjtimex(2)) moves a clock by. Where the two drift apart, as in some virtual
machines, that is no step."""
_SURE_S = 0.005
"""Both clocks are read within this, or once more: a pause between the two readings would look like a step."""
_TRIES = 3


# ── steps, pure ────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Gap:
    """How far wall time is ahead of monotonic time."""

    at_s: float
    """Monotonic."""
    ahead_s: float
    unsure_s: float = 0.0
    """The two were read within this."""


def compare(before: Gap, now: Gap, *, told: bool) -> tuple[Gap, float | None]:
    """What to compare with from now on, and the step in seconds if there was one (positive: forwards). `told`: the
    kernel says that the clock was set. What is too small for a step and too large for a drift is kept, and adds up.
    """
    moved = now.ahead_s - before.ahead_s
    drift = MOST_SLEW * (now.at_s - before.at_s) + max(before.unsure_s, now.unsure_s)
    if abs(moved) <= drift:
        return now, None
    if abs(moved) > drift + (TOLD_STEP_S if told else UNTOLD_STEP_S):
        return now, moved
    return before, None


def gap(clock: SystemClock) -> Gap:
    """The surest of at most three."""
    found = _gap(clock)
    for _ in range(_TRIES - 1):
        if found.unsure_s <= _SURE_S:
            break
        found = min(found, _gap(clock), key=lambda each: each.unsure_s)
    return found


def _gap(clock: SystemClock) -> Gap:
    before, wall, after = clock.monotonic(), clock.wall(), clock.monotonic()
    return Gap(after, wall - (before + after) / 2, after - before)


def reading(look: Look, at_s: float) -> ClockReading:
    word = look.word
    return ClockReading(
        at_s, look.quality.value, word.source, word.offset_s, word.error_s, leap=word.leap, plausible=look.plausible
    )


# ── the watch ──────────────────────────────────────────────────────────────────────────────────────────
async def watch_clock(
    emit: Callable[[ClockReading | ClockStepped], None],
    clock: SystemClock,
    *,
    ask: Callable[[], Awaitable[Tracking]] = chrony.ask,
    look_s: float = LOOK_S,
    ask_s: float = ASK_S,
) -> None:
    """Until cancelled. `ask` raises ChronyError where there is no chrony: then the kernel's word counts."""
    watch = _Watch(emit, clock)
    with clock_set(watch.clock_was_set):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.look_on(look_s))
            tasks.create_task(watch.ask_on(ask, ask_s))


class _Watch:
    def __init__(self, emit: Callable[[ClockReading | ClockStepped], None], clock: SystemClock) -> None:
        self._emit, self._clock = emit, clock
        self._gap = gap(clock)
        self._quality: ClockQuality | None = None
        self._ask_now = asyncio.Event()

    async def look_on(self, look_s: float) -> None:
        while True:
            self._compare(told=False)
            self._tell(self._clock.look())
            await asyncio.sleep(look_s)

    async def ask_on(self, ask: Callable[[], Awaitable[Tracking]], ask_s: float) -> None:
        answers = True  # the first silence is worth a word
        while True:
            self._ask_now.clear()
            try:
                self._clock.heard(await ask())
                answers = True
            except ChronyError as error:
                (log.info if answers else log.debug)("chrony tells nothing; the kernel is asked", error=str(error))
                answers = False
            self._tell_change()
            await _set_within(self._ask_now, ask_s)

    def clock_was_set(self) -> None:
        self._compare(told=True)
        self._ask_now.set()
        self._tell_change()

    def _compare(self, *, told: bool) -> None:
        self._gap, by_s = compare(self._gap, gap(self._clock), told=told)
        if by_s is None:
            return
        self._clock.stepped(by_s)
        quality = self._clock.quality()
        log.warning("the wall clock was set", by_s=round(by_s, 3), quality=quality.value)
        self._emit(ClockStepped(self._clock.monotonic(), by_s, quality.value))
        self._ask_now.set()

    def _tell_change(self) -> None:
        look = self._clock.look()
        if look.quality is not self._quality:
            self._tell(look)

    def _tell(self, look: Look) -> None:
        if look.quality is not self._quality:
            log.info("the wall clock", quality=look.quality.value, source=look.word.source, plausible=look.plausible)
        self._quality = look.quality
        self._emit(reading(look, self._clock.monotonic()))


async def _set_within(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass


# ── the kernel tells: timerfd_create(2), TFD_TIMER_CANCEL_ON_SET ───────────────────────────────────────
_TFD_TIMER_ABSTIME, _TFD_TIMER_CANCEL_ON_SET = 1, 2
_NEVER = (1 << (8 * ctypes.sizeof(ctypes.c_long) - 1)) - 1  # the largest time_t


class _TimerSpec(ctypes.Structure):
    # struct itimerspec: the interval, then the moment
    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "at_s", "at_ns"))


_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def clock_set(called: Callable[[], None]) -> Iterator[None]:
    """Calls `called` from the running loop whenever CLOCK_REALTIME is set. A kernel that cannot tell is not an error:
    the log says so, and the comparison once a second remains.
    """
    try:
        timer = _cancelled_on_set()
    except OSError as error:
        log.warning("the kernel does not tell when the clock is set", error=str(error))
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(timer, lambda: called() if _was_cancelled(timer) else None)
    try:
        yield
    finally:
        loop.remove_reader(timer)
        os.close(timer)


def _cancelled_on_set() -> int:
    """A timer that never runs out. Raises OSError."""
    timer = int(_libc.timerfd_create(0, os.O_NONBLOCK | os.O_CLOEXEC))  # 0: CLOCK_REALTIME
    if timer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    flags, moment = _TFD_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET, _TimerSpec(at_s=_NEVER)
    # ECANCELED: it was set while we armed it; armed it is all the same
    if _libc.timerfd_settime(timer, flags, ctypes.byref(moment), None) < 0 and ctypes.get_errno() != errno.ECANCELED:
        code = ctypes.get_errno()
        os.close(timer)
        raise OSError(code, os.strerror(code))
    return timer


def _was_cancelled(timer: int) -> bool:
    """Reading takes the news, and leaves the timer armed."""
    try:
        os.read(timer, 8)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno != errno.ECANCELED:
            raise
    return True
