"""Two clocks side by side → steps; and the watch itself, with hands moved by the test."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import structlog

from edged import clock_watch
from edged.chrony import ChronySilent, Tracking
from edged.clock import ClockQuality, SystemClock
from edged.clock_watch import Gap, clock_set, compare, gap, reading, watch_clock
from edged.core.observations import ClockReading, ClockStepped
from tests.edged.test_clock import FOLLOWS, KERNEL_NO, KERNEL_YES, NOW, HandClock

TOLD, UNTOLD = True, False


@pytest.mark.parametrize(
    ("after_s", "moved_s", "told", "step_s"),
    [
        (1.0, 0.0, UNTOLD, None),
        (1.0, 0.0, TOLD, None),  # set to what it showed
        (1.0, 0.0005, UNTOLD, None),  # 500 ppm
        (1.0, 0.09, UNTOLD, None),
        (1.0, 0.101, UNTOLD, 0.101),
        (1.0, -0.101, UNTOLD, -0.101),
        (1.0, 0.009, TOLD, None),
        (1.0, 0.011, TOLD, 0.011),
        (1.0, -1.0, TOLD, -1.0),  # an inserted leap second
        (5.0, 1.767e9, TOLD, 1.767e9),  # from 1970
        (300.0, 0.14, UNTOLD, None),  # the loop was away for long; the machine's two clocks drift apart
        (300.0, 0.26, UNTOLD, 0.26),
    ],
)
def test_a_step_is_what_no_drift_explains(after_s: float, moved_s: float, told: bool, step_s: float | None) -> None:
    _, found = compare(Gap(100.0, 50.0), Gap(100.0 + after_s, 50.0 + moved_s), told=told)
    assert found == (None if step_s is None else pytest.approx(step_s))


def test_a_pause_between_the_two_readings_is_no_step() -> None:
    assert compare(Gap(0.0, 0.0), Gap(1.0, 0.15, unsure_s=0.2), told=UNTOLD)[1] is None


def test_small_steps_add_up() -> None:
    base = Gap(0.0, 0.0)
    for second in (1.0, 2.0):
        base, step = compare(base, Gap(second, 0.04 * second), told=UNTOLD)
        assert step is None
    _, step = compare(base, Gap(3.0, 0.12), told=UNTOLD)
    assert step == pytest.approx(0.12)


def test_after_a_step_the_new_time_is_what_is_compared_with() -> None:
    base, _ = compare(Gap(0.0, 0.0), Gap(1.0, 3600.0), told=UNTOLD)
    assert compare(base, Gap(2.0, 3600.0), told=UNTOLD)[1] is None


def test_a_slow_drift_is_followed() -> None:
    base = Gap(0.0, 0.0)
    for second in range(1, 3600):
        base, step = compare(base, Gap(float(second), 0.0004 * second), told=UNTOLD)
        assert step is None


class PausingClock(HandClock):
    """Somebody else gets the processor between its readings, the first two times."""

    pauses = 2

    def wall(self) -> float:
        if self.pauses:
            self.pauses -= 1
            self.go(1.0)
        return super().wall()


def test_clocks_read_with_a_pause_between_are_read_again() -> None:
    clock = PausingClock()
    assert gap(clock) == Gap(clock.monotonic_s, NOW - 1000.0, 0.0)


def test_the_real_clocks_are_read_close_together() -> None:
    first, second = gap(SystemClock()), gap(SystemClock())
    assert compare(first, second, told=UNTOLD)[1] is None


# ── the watch ──────────────────────────────────────────────────────────────────────────────────────────
Told = ClockReading | ClockStepped


async def no_chrony() -> Tracking:
    raise ChronySilent("nobody")


class Watched:
    """A watch on a clock of the test's own. `until` waits for what it tells."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.told: list[Told] = []
        self._more = asyncio.Event()

    def hear(self, observation: Told) -> None:
        self.told.append(observation)
        self._more.set()

    async def until(self, wanted: Callable[[Told], bool]) -> Told:
        async with asyncio.timeout(10):
            while True:
                for each in self.told:
                    if wanted(each):
                        return each
                self._more.clear()
                await self._more.wait()

    async def quality(self, quality: ClockQuality) -> ClockReading:
        found = await self.until(lambda each: isinstance(each, ClockReading) and each.quality == quality.value)
        assert isinstance(found, ClockReading)
        return found

    async def step(self) -> ClockStepped:
        found = await self.until(lambda each: isinstance(each, ClockStepped))
        assert isinstance(found, ClockStepped)
        return found


@asynccontextmanager
async def watching(
    clock: HandClock, *, ask: Callable[[], Awaitable[Tracking]] | None = None, look_s: float = 0.01
) -> AsyncIterator[Watched]:
    watched = Watched(clock)
    asking = ask or no_chrony
    task = asyncio.create_task(watch_clock(watched.hear, clock, ask=asking, look_s=look_s, ask_s=3600.0))
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_a_reading_says_what_the_kernel_says_where_there_is_no_chrony() -> None:
    async with watching(HandClock(says=KERNEL_YES)) as watched:
        assert await watched.quality(ClockQuality.SYNCED) == ClockReading(1000.0, "synced", "kernel", None, 0.1)


async def test_chronys_word_is_told_as_soon_as_it_answers() -> None:
    answer: asyncio.Future[Tracking] = asyncio.get_running_loop().create_future()
    async with watching(HandClock(), ask=lambda: answer, look_s=3600.0) as watched:
        assert (await watched.quality(ClockQuality.UNSET)).source == "kernel"
        answer.set_result(FOLLOWS)
        found = await watched.quality(ClockQuality.SYNCED)
    assert found == ClockReading(1000.0, "synced", "chrony", 0.002, FOLLOWS.error_s)


async def test_a_box_that_boots_in_1970_says_so_and_then_that_its_clock_was_set() -> None:
    clock = HandClock(wall_s=12.0)
    async with watching(clock) as watched:
        assert not (await watched.quality(ClockQuality.UNSET)).plausible
        clock.wall_s = NOW
        assert (await watched.step()).by_s == pytest.approx(NOW - 12.0)
        clock.says = KERNEL_YES
        assert (await watched.quality(ClockQuality.SYNCED)).plausible


async def test_the_quality_told_with_a_step_is_that_of_the_clock_as_it_is_now() -> None:
    clock = HandClock()
    answers = iter([FOLLOWS])

    async def answers_once() -> Tracking:
        for each in answers:
            return each
        raise ChronySilent("it died")

    async with watching(clock, ask=answers_once) as watched:
        await watched.quality(ClockQuality.SYNCED)
        clock.wall_s -= 86_400.0
        step = await watched.step()
    assert step.by_s == pytest.approx(-86_400.0)
    assert step.quality == "unset"


async def test_chrony_is_asked_anew_after_a_step() -> None:
    clock, asked = HandClock(), asyncio.Event()
    times = 0

    async def answers() -> Tracking:
        nonlocal times
        times += 1
        if times == 2:
            asked.set()
        return FOLLOWS

    async with watching(clock, ask=answers) as watched:
        await watched.quality(ClockQuality.SYNCED)
        clock.wall_s += 5.0
        await watched.step()
        await asyncio.wait_for(asked.wait(), 10)


async def test_an_announced_leap_second_is_in_every_reading_and_its_step_is_a_step() -> None:
    clock = HandClock(says=KERNEL_YES)
    async with watching(clock) as watched:
        await watched.quality(ClockQuality.SYNCED)
        clock.says = replace(KERNEL_YES, leap="insert")
        await watched.until(lambda each: isinstance(each, ClockReading) and each.leap == "insert")
        clock.wall_s -= 1.0
        step = await watched.step()
    assert step.by_s == pytest.approx(-1.0)
    assert step.quality == "synced"


async def test_the_silence_of_chrony_is_said_once() -> None:
    clock = HandClock()
    with structlog.testing.capture_logs() as logs:
        async with watching(clock) as watched:
            await watched.quality(ClockQuality.UNSET)
            for _ in range(3):
                watched.told.clear()
                clock.wall_s += 10.0
                await watched.step()
    said = [entry for entry in logs if entry["event"].startswith("chrony tells nothing")]
    assert [entry["log_level"] for entry in said].count("info") == 1


# ── the kernel tells ───────────────────────────────────────────────────────────────────────────────────
async def test_the_real_kernel_takes_the_order_to_tell() -> None:
    called: list[str] = []
    with structlog.testing.capture_logs() as logs, clock_set(lambda: called.append("set")):
        timer = clock_watch._cancelled_on_set()
        assert not clock_watch._was_cancelled(timer), "nobody has set the clock, and the timer never runs out"
        os.close(timer)
    assert not called
    assert not logs


async def test_what_the_kernel_tells_wakes_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's clock is not for tests to set: a timer that has run out wakes the loop as a cancelled one does."""
    monkeypatch.setattr(clock_watch, "_NEVER", 1)
    called = asyncio.Event()
    with clock_set(called.set):
        await asyncio.wait_for(called.wait(), 10)


async def test_a_kernel_that_cannot_tell_is_said_and_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_watch, "_NEVER", -1)  # EINVAL
    with structlog.testing.capture_logs() as logs, clock_set(lambda: None):
        pass
    assert [entry["log_level"] for entry in logs] == ["warning"]


async def test_a_small_step_counts_when_the_kernel_tells() -> None:
    clock, told = HandClock(says=KERNEL_NO), list[Told]()
    watch = clock_watch._Watch(told.append, clock)
    clock.wall_s += 0.05
    watch.clock_was_set()
    steps = [each for each in told if isinstance(each, ClockStepped)]
    assert [round(each.by_s, 6) for each in steps] == [0.05]


def test_a_reading_carries_what_was_seen() -> None:
    clock = HandClock(says=KERNEL_YES, wall_s=0.0)
    assert reading(clock.look(), 7.0) == ClockReading(7.0, "unset", "kernel", None, 0.1, plausible=False)
