"""One link's capacity measured by itself now and then, and when asked: only with leave, one link at a time.

Leave is the daemon's to give and to take back; withdrawn, it ends what is under way. Trains are not started while users
need the line; a ramp is ended by them.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import structlog

from probes.capacity.measure import ramp, train
from probes.capacity.settings import CapacitySettings
from probes.line_reading import CapacityReading, MeasureFailed, MeasureTrouble, Method
from probes.prober import Pin
from probes.reading import Direction

_FIRST_AFTER_S = 60.0  # a starting box has other things to do
_AGAIN_AFTER_S = 300.0  # after a train that failed or was not allowed
_LOOK_AGAIN_S = 5.0
_WAITS_FOR_LEAVE_S = 60.0
_LOOK_S, _LOOKS = 0.05, 8  # longer than the window over which users' traffic is judged

Outcome: TypeAlias = CapacityReading | MeasureFailed

log = structlog.get_logger()


@dataclass(slots=True)
class Permit:
    """What may be put on the link now. None until somebody says so."""

    trains: bool = False
    ramps: bool = False

    def allows(self, method: Method) -> bool:
        return self.ramps if method is Method.RAMP else self.trains


class CapacityMeter:
    """`run` until cancelled; `ask` for more at any time."""

    def __init__(
        self,
        link: str,
        pin: Pin,
        settings: CapacitySettings,
        emit: Callable[[Outcome], None],
        *,
        permit: Permit,
        users: Callable[[], bool],
        turn: asyncio.Lock,
        by_itself: bool = True,
        spent: Callable[[int], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`users()` says whether users need the line now. `turn` is shared by all links: two measurements at once would
        measure each other. `by_itself`: samples come from its own clock, not only when asked for.
        """
        self._link, self._pin, self._settings, self._emit = link, pin, settings, emit
        self._permit, self._users, self._turn = permit, users, turn
        self._by_itself, self._spent, self._monotonic = by_itself, spent, monotonic
        self._asked: asyncio.Queue[Method] = asyncio.Queue(4)

    def ask(self, method: Method) -> bool:
        """Have it measured both ways as soon as may be. False: too much is waiting already."""
        with suppress(asyncio.QueueFull):
            self._asked.put_nowait(method)
            return True
        return False

    async def run(self) -> None:
        due_s = self._monotonic() + _FIRST_AFTER_S
        while True:
            wait_s = max(0.0, due_s - self._monotonic()) if self._by_itself else None
            try:
                method = await asyncio.wait_for(self._asked.get(), wait_s)
            except TimeoutError:
                due_s = self._monotonic() + await self._in_turn()
            else:
                await self.measure(method)

    async def measure(self, method: Method) -> tuple[Outcome, ...]:
        """Both directions, up first; emitted as they come. Nothing is sent without leave."""
        outcomes = []
        async with self._turn:
            for direction in Direction:
                outcome = await self._one(method, direction)
                self._spent(outcome.spent_bytes)
                self._emit(outcome)
                outcomes.append(outcome)
        return tuple(outcomes)

    async def sample(self) -> tuple[Outcome, ...]:
        """By trains, for whoever needs a figure: waits a minute for leave, which a starting box has not given yet."""
        give_up_s = self._monotonic() + _WAITS_FOR_LEAVE_S
        while not self._permit.trains and self._monotonic() < give_up_s:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(1.0)
        return await self.measure(Method.TRAIN)

    async def _in_turn(self) -> float:
        """The sample that is due; returns the seconds to the next try."""
        if not await self._idle(Method.TRAIN):
            return _LOOK_AGAIN_S
        outcomes = await self.measure(Method.TRAIN)
        whole = all(isinstance(outcome, CapacityReading) for outcome in outcomes)
        return self._settings.train_every_s if whole else _AGAIN_AFTER_S

    async def _one(self, method: Method, direction: Direction) -> Outcome:
        if not await self._idle(method):
            return self._not_now(method, direction)
        log.info("capacity_measured_by", link=self._link, direction=direction, method=method)
        if method is Method.RAMP:
            hurt = partial(self._hurt_by, method)
            return await ramp(self._link, self._pin, self._settings, direction, hurt=hurt, monotonic=self._monotonic)
        return await self._train_while_allowed(direction)

    async def _train_while_allowed(self, direction: Direction) -> Outcome:
        """A train looks at the delay by itself; that a session begins it cannot see."""
        work = asyncio.create_task(train(self._link, self._pin, self._settings, direction, monotonic=self._monotonic))
        try:
            while not work.done():
                if self._hurt_by(Method.TRAIN):
                    return self._not_now(Method.TRAIN, direction)
                await asyncio.wait({work}, timeout=_LOOK_S)
            return work.result()
        finally:
            work.cancel()

    async def _idle(self, method: Method) -> bool:
        """Whether this may begin: with leave, and after a while of looking at nobody."""
        for _ in range(_LOOKS):
            if self._hurt_by(method):
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    def _hurt_by(self, method: Method) -> bool:
        return not self._permit.allows(method) or self._users()

    def _not_now(self, method: Method, direction: Direction) -> MeasureFailed:
        why = MeasureTrouble.USERS_HURT
        return MeasureFailed(self._link, self._monotonic(), direction, method, why, spent_bytes=0)
