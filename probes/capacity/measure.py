"""The bandwidth of one direction of a link: by trains when the line is idle, by a ramp when nobody needs it.

Each is one coroutine that ends by itself with a figure or the reason why there is none; cancelling it ends the load as
well. What the numbers mean is decided in `capacity.train` and `capacity.ramp`, and `PassiveCapacity` costs nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from probes.capacity.arrivals import Arrivals
from probes.capacity.far_end import TrainArrivals, take_train_packet
from probes.capacity.figure import Figure
from probes.capacity.load import send_slice
from probes.capacity.pacer import Pacer
from probes.capacity.passive import PassiveCapacity as PassiveCapacity
from probes.capacity.ramp import FEEDBACK_S, Search
from probes.capacity.session import CapacitySession
from probes.capacity.settings import CapacitySettings
from probes.capacity.train import TrainPlan, TrainSample, idle_delay, measure_train, rose_s
from probes.line_reading import CapacityReading, MeasureFailed, MeasureTrouble, Method
from probes.packets.capacity import TRAIN_STRIDE, Wish, report_ns
from probes.prober import Pin
from probes.reading import Direction

_LOOK_S = 0.010
"""So often it is asked whether users need the line. A look costs some 10 µs."""
_WATCH_S = 0.310  # before any load: one window of `user_traffic`
_TICK_S = 0.001
_MISSED_FEEDBACKS = 3
_ECHOES_IDLE, _ECHOES_BEFORE, _ECHO_EVERY_S = 10, 3, 0.010
_ECHO_PATIENCE_S = 1.0
_NEARLY_SPENT = 0.8
_TRAIN_SECONDS = 20.0
_QUIET_S = 0.15  # so long after a train's last packet nothing more is waited for: more than a slow line's gap

Outcome: TypeAlias = Figure | MeasureTrouble


async def train(
    link: str,
    pin: Pin,
    settings: CapacitySettings,
    direction: Direction,
    *,
    idle_rtt_s: float | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> CapacityReading | MeasureFailed:
    """A sample by packet trains: a second or two, at most `train_bytes_max` of load. For a line that is idle.

    Before each train the delay is looked at: 10 ms above idle is somebody else's queue, and ends it (USERS_HURT). Idle
    is `idle_rtt_s` where the caller knows the link's round trip, else what the first echoes took. Raises MisuseError
    for a key that cannot be read.
    """
    trains = _Trains(settings, direction, idle_rtt_s)
    return await _measured(link, pin, settings, direction, Method.TRAIN, trains.run, monotonic)


async def ramp(
    link: str,
    pin: Pin,
    settings: CapacitySettings,
    direction: Direction,
    *,
    hurt: Callable[[], bool],
    monotonic: Callable[[], float] = time.monotonic,
) -> CapacityReading | MeasureFailed:
    """Fills the line for a second or two and says what it carries. Only for a time when nobody needs it.

    `hurt` is asked every 10 ms, and true ends the load at once, as do the byte budget, the time, and three feedbacks
    missing. Raises MisuseError for a key that cannot be read.
    """
    load = _Ramp(settings, hurt, monotonic)
    run = load.up if direction is Direction.UP else load.down
    return await _measured(link, pin, settings, direction, Method.RAMP, run, monotonic)


async def _measured(
    link: str,
    pin: Pin,
    settings: CapacitySettings,
    direction: Direction,
    method: Method,
    run: Callable[[CapacitySession], Awaitable[Outcome]],
    monotonic: Callable[[], float],
) -> CapacityReading | MeasureFailed:
    session = CapacitySession(settings, pin)
    try:
        session.connect()
        outcome = await run(session)
    except OSError:
        outcome = MeasureTrouble.NO_ROUTE
    finally:
        session.close()
    if isinstance(outcome, MeasureTrouble):
        return MeasureFailed(link, monotonic(), direction, method, outcome, session.spent_bytes)
    return CapacityReading(
        link=link,
        at_s=monotonic(),
        direction=direction,
        method=method,
        rate_bps=outcome.rate_bps,
        low_bps=outcome.low_bps,
        high_bps=outcome.high_bps,
        confidence=outcome.confidence,
        spent_bytes=session.spent_bytes,
    )


class _Trains:
    def __init__(self, settings: CapacitySettings, direction: Direction, idle_rtt_s: float | None) -> None:
        self._settings, self._idle_rtt_s = settings, idle_rtt_s
        self._send = self._up if direction is Direction.UP else self._down

    async def run(self, session: CapacitySession) -> Outcome:
        settings = self._settings
        # Echoes, reports and lost trains on top of what trains may cost.
        most = 2 * settings.train_bytes_max + 100_000
        trouble = await session.open(Wish.TRAINS, bytes_max=most, rate_bps=1e9, seconds=_TRAIN_SECONDS)
        if trouble is not None:
            return trouble
        echoes = await self._echoes(session, _ECHOES_IDLE)
        if not echoes:
            return MeasureTrouble.NO_ANSWER
        idle_s, noise_s = idle_delay(echoes)
        idle_s = idle_s if self._idle_rtt_s is None else self._idle_rtt_s
        plan = TrainPlan(session.packet_bytes, settings.train_bytes_max, noise_s)
        while packets := plan.next_packets():
            echoes = await self._echoes(session, _ECHOES_BEFORE)
            if not echoes:
                return MeasureTrouble.NO_ANSWER
            if rose_s(idle_s, echoes) > settings.train_delay_rise_s:
                return MeasureTrouble.USERS_HURT
            plan.took(await self._send(session, len(plan.samples) + 1, packets, idle_s))
        return plan.figure() or MeasureTrouble.TOO_NOISY

    async def _echoes(self, session: CapacitySession, count: int) -> list[float]:
        """Round trips; none at all where two in a row were lost."""
        echoes: list[float] = []
        lost = 0
        for _ in range(count):
            round_trip_s = await session.round_trip_s(_ECHO_PATIENCE_S)
            if round_trip_s is not None:
                echoes.append(round_trip_s)
            lost = 0 if round_trip_s is not None else lost + 1
            if lost == 2:
                return []
            await asyncio.sleep(_ECHO_EVERY_S)
        return echoes

    async def _up(self, session: CapacitySession, order: int, packets: int, idle_s: float) -> TrainSample:
        sent_ns: list[int] = []

        def send(number: int, order: int) -> bool:
            now_ns = time.monotonic_ns()
            took = session.send_load(number, order)
            if took:
                sent_ns.append(now_ns)
            return took

        await send_slice([(order * TRAIN_STRIDE + at, order) for at in range(packets)], send, whole=True)
        # Asked too soon, the report would miss what is still on the way: the question queues behind the train.
        report = await session.report(order, packets, idle_s + 0.5)
        if report is None or len(sent_ns) < packets or report.reordered:
            return TrainSample(packets, None, 0.0)
        return measure_train(sent_ns, report_ns(report), session.packet_bytes)

    async def _down(self, session: CapacitySession, order: int, packets: int, idle_s: float) -> TrainSample:
        trains: dict[int, TrainArrivals] = {}
        sent_ns = [0] * packets
        came = asyncio.Event()

        def take(number: int, _: int, each_sent_ns: int, arrived_ns: int) -> None:
            take_train_packet(trains, number, arrived_ns)
            if (place := number - order * TRAIN_STRIDE) in range(packets):
                sent_ns[place] = each_sent_ns
                came.set()

        session.on_load = take
        session.order_train(order, packets)
        patience_s = idle_s + 0.3
        try:
            while order not in trains or len(trains[order].at_ns) < packets:
                came.clear()
                await asyncio.wait_for(came.wait(), patience_s)
                patience_s = _QUIET_S
        except TimeoutError:
            pass
        train = trains.get(order, TrainArrivals({}))
        if train.reordered:
            return TrainSample(packets, None, 0.0)
        return measure_train(sent_ns, train.times(packets), session.packet_bytes)


class _Ramp:
    def __init__(self, settings: CapacitySettings, hurt: Callable[[], bool], monotonic: Callable[[], float]) -> None:
        self._settings, self._hurt, self._monotonic = settings, hurt, monotonic
        self._look_s = 0.0

    async def up(self, session: CapacitySession) -> Outcome:
        trouble, search, ends_s, patience_s = await self._begin(session, Wish.RAMP_UP)
        if trouble is not None:
            return trouble
        now_s = self._monotonic()
        pacer, heard_s, number = Pacer(8 * session.packet_bytes, now_s), now_s, 0
        pacer.change(search.rate_bps, now_s)
        while True:
            now_s = self._monotonic()
            for feedback in session.feedbacks():
                search.feedback(feedback)
                pacer.change(search.rate_bps, now_s)
                heard_s = now_s
            silent = now_s - heard_s > patience_s
            if (outcome := self._over(session, search, now_s, ends_s, silent=silent)) is not None:
                return outcome
            due = [(number + each, search.order) for each in range(pacer.due(now_s))]
            sent = await send_slice(due, session.send_load, whole=False)
            pacer.sent(sent)
            number += sent
            await asyncio.sleep(_TICK_S)

    async def down(self, session: CapacitySession) -> Outcome:
        trouble, search, ends_s, patience_s = await self._begin(session, Wish.RAMP_DOWN)
        if trouble is not None:
            return trouble
        arrivals = Arrivals()
        session.on_load = arrivals.add
        now_s = self._monotonic()
        order_s, heard_s, received = now_s, now_s, 0
        while True:
            now_s = self._monotonic()
            if arrivals.received > received:
                heard_s, received = now_s, arrivals.received
            silent = now_s - heard_s > patience_s
            if (outcome := self._over(session, search, now_s, ends_s, silent=silent)) is not None:
                return outcome
            if now_s >= order_s:
                search.feedback(arrivals.feedback(0, 0))
                session.order(search.order, search.rate_bps)
                order_s = max(order_s + FEEDBACK_S, now_s)
            await asyncio.sleep(_LOOK_S / 2)

    async def _begin(self, session: CapacitySession, wish: Wish) -> tuple[MeasureTrouble | None, Search, float, float]:
        """Opens, times the round trip, and looks at the users before there is any load."""
        settings = self._settings
        max_bps = settings.max_mbit * 1e6
        search = Search(session.packet_bytes, start_bps=settings.ramp_start_mbit * 1e6, max_bps=max_bps)
        seconds = settings.ramp_seconds_max
        trouble = await session.open(
            wish, bytes_max=settings.ramp_bytes_max, rate_bps=max_bps, seconds=seconds + 2 * _ECHO_PATIENCE_S
        )
        round_trip_s = None if trouble is not None else await session.round_trip_s(_ECHO_PATIENCE_S)
        if round_trip_s is None:
            return trouble or MeasureTrouble.NO_ANSWER, search, 0.0, 0.0
        watched_s = self._monotonic() + _WATCH_S
        while self._monotonic() < watched_s:
            if self._users_hurt(self._monotonic()):
                return MeasureTrouble.USERS_HURT, search, 0.0, 0.0
            await asyncio.sleep(_LOOK_S)
        # The queue we make ourselves delays the way there; 0.1 s more is what it may hold before we back off.
        patience_s = _MISSED_FEEDBACKS * FEEDBACK_S + round_trip_s + 0.1
        return None, search, self._monotonic() + seconds, patience_s

    def _over(
        self, session: CapacitySession, search: Search, now_s: float, ends_s: float, *, silent: bool
    ) -> Outcome | None:
        """Why it ends now, or with which figure; None: it goes on."""
        if self._users_hurt(now_s):
            return MeasureTrouble.USERS_HURT
        if search.done:
            return search.figure() or MeasureTrouble.TOO_NOISY
        # The far end counts what it sends, and stops before we have seen the last of it.
        spent = session.spent_bytes / self._settings.ramp_bytes_max
        if spent >= 1 or (silent and spent >= _NEARLY_SPENT):
            return search.figure() or MeasureTrouble.OVER_BUDGET
        if silent:
            return search.figure() or MeasureTrouble.NO_ANSWER
        if now_s >= ends_s:
            return search.figure() or MeasureTrouble.TOO_NOISY
        return None

    def _users_hurt(self, now_s: float) -> bool:
        if now_s < self._look_s:
            return False
        self._look_s = now_s + _LOOK_S
        return self._hurt()
