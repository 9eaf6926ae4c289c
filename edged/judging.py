"""The one consumer: takes observations in order, lets the judge decide, records, and only then acts.

Nothing else owns the state, so there are no locks. What is durable before it is acted on survives the action.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from edged.blackbox.recorder import BlackBox
from edged.clock import Clock
from edged.core.checkpoint import CheckpointUnreadable, Moment, dump, load
from edged.core.effects import Effect
from edged.core.events import Channel, Event
from edged.core.incident_state import Incidents
from edged.core.judge import Judged, judge
from edged.core.observations import Observation, Tick
from edged.core.plan import Plan
from edged.core.state import State

_log = structlog.get_logger()

TICK_S = 0.25
"""Silence is judged as often: four times within the shortest dwell."""
QUEUE = 1024
"""Every source repeats itself each second; a queue this long means the judge hung, and older facts are worth more."""


class Recorder(Protocol):
    """The part of the record that judging needs."""

    async def append(self, events: Sequence[Event], checkpoint: bytes | None = None) -> object: ...

    async def checkpoint(self) -> bytes | None: ...

    async def last_incident(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Told:
    observation: Observation
    judged: asyncio.Future[tuple[Event, ...]] | None


class Judging:
    """Made once; `run` is vital: when it ends the process ends."""

    def __init__(
        self,
        plan: Plan,
        recorder: Recorder,
        clock: Clock,
        *,
        boot_id: str,
        act: Callable[[Effect], None],
        ticked: Callable[[], None],
        black_box: BlackBox | None = None,
    ) -> None:
        self.plan = plan
        self.state = State(started_s=clock.monotonic())
        self._recorder, self._clock, self._boot_id = recorder, clock, boot_id
        self._act, self._ticked, self._black_box = act, ticked, black_box
        self.ticked_once = asyncio.Event()
        self._queue: asyncio.Queue[_Told] = asyncio.Queue(QUEUE)
        self._overrun = 0

    async def resume(self) -> None:
        """Go on from the recorded state, if there is one and it can be read. Without it no incident gets a number that
        the record has given already.
        """
        blob = await self._recorder.checkpoint()
        if blob is not None:
            self._go_on(blob)
        if not self.state.incidents.last:
            self.state = replace(self.state, incidents=Incidents(await self._recorder.last_incident()))

    def _go_on(self, blob: bytes) -> None:
        try:
            self.state = load(blob, self._moment())
        except CheckpointUnreadable as error:
            _log.warning("starting without the past", error=str(error))
            return
        _log.info("resumed", tier=self.state.tier, session=self.state.session.id if self.state.session else None)

    def tell(self, observation: Observation) -> None:
        """Take a fact; never blocks, never raises."""
        try:
            self._queue.put_nowait(_Told(observation, None))
        except asyncio.QueueFull:
            self._overrun += 1
            _log.warning("judge overrun", dropped=self._overrun, kind=type(observation).__name__)

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        """Take a fact and wait for what came of it, recorded."""
        judged: asyncio.Future[tuple[Event, ...]] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Told(observation, judged))
        return await judged

    async def run(self) -> None:
        """Judge until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick(), name="tick")
            while True:
                told = await self._queue.get()
                events = await self._step(told.observation)
                if told.judged is not None and not told.judged.done():
                    told.judged.set_result(events)

    async def _step(self, observation: Observation) -> tuple[Event, ...]:
        now = self._clock.monotonic()
        judged = self._judge(observation, now)
        if judged.events:
            await self._recorder.append(judged.events, dump(judged.state, self._moment()))
        self.state = judged.state
        for event in judged.events:
            report = _log.info if event.channel is Channel.TIER else _log.debug
            report(event.name, tier=event.tier, **{key: event.data[key] for key in _LOGGED if key in event.data})
        for effect in judged.effects:
            self._act(effect)
        if isinstance(observation, Tick):
            self._ticked()
            self.ticked_once.set()
        return judged.events

    def _judge(self, observation: Observation, now: float) -> Judged:
        """Kept in the black box with what came of it, and above all when nothing did."""
        events = None
        try:
            judged = judge(self.plan, self.state, observation, now)
            events = judged.events
        finally:
            if self._black_box:
                self._black_box.step(self.state, observation, now, events)
        return judged

    async def _tick(self) -> None:
        while True:
            self.tell(Tick(self._clock.monotonic()))
            await asyncio.sleep(TICK_S)

    def _moment(self) -> Moment:
        return Moment(self._boot_id, self._clock.monotonic(), self._clock.wall())


_LOGGED = ("previous", "row", "cause", "cause_at", "at", "act", "source", "error")
