"""Probes one link: asks its targets in turn at the pace of the hour, feeds the detector, tells what it holds.

One coroutine per link and no task per probe: it wakes when a probe is due or an answer overdue. Targets are asked in
staggered phases, so that between them the link is seen as often as possible. Where this process itself was late, what
was under way then is not held against the link.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import structlog

from probes.aim import Aim
from probes.carrier import Carrier
from probes.flight import Fate, Flight, Lane
from probes.link_figures import link_reading
from probes.link_settings import LinkSettings
from probes.outside import Outside
from probes.pace import Pace, PaceControl
from probes.prober import Answered
from probes.reading import LinkReading, Verdict
from probes.verdict import Holding, LinkDetector

log = structlog.get_logger()

_SUMMARY_S = 1.0
_STALL_INTERVALS = 2
_LEAST_STALL_S = 0.05  # a busy box wakes us 20 ms late now and then; replies are read before anything is called overdue


async def watch_link(
    settings: LinkSettings,
    emit: Callable[[LinkReading], None],
    *,
    pace: PaceControl,
    outside: Outside | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> None:
    """Emits a reading at once, at each change of verdict or cause, and once a second, until cancelled.

    `wall` is UTC seconds, for the months of a budget alone.

    Nothing the network does raises. Raises MisuseError for a target that cannot work, such as an unreadable key.
    """
    link = LinkProber(settings, emit, pace=pace, outside=outside or Outside(), monotonic=monotonic, wall=wall)
    try:
        await link.run()
    finally:
        link.close()


class LinkProber:
    """The work of `watch_link`. Made on the running loop; `close` lets go of every socket."""

    def __init__(
        self,
        settings: LinkSettings,
        emit: Callable[[LinkReading], None],
        *,
        pace: PaceControl,
        outside: Outside,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._settings, self._emit, self._control = settings, emit, pace
        self._outside, self._budget, self._stretch = outside, outside.budget, 1.0
        self._monotonic, self._wall = monotonic, wall
        self._log = log.bind(link=settings.name)
        self._rules = settings.rules
        self._aims = [Aim(target, settings.timeout_s) for target in settings.targets]
        for aim in self._aims:
            aim.prober = aim.target.prober(settings.pin, partial(self._heard, aim))
        self._by_label = {aim.label: aim for aim in self._aims}
        now_s = monotonic()
        self._detector = LinkDetector(
            self._rules,
            [aim.label for aim in self._aims if not aim.heavy],
            [aim.label for aim in self._aims if aim.heavy],
            now_s=now_s,
        )
        self._told = self._detector.judge(now_s)
        # In this order: a witness is heard before the silence it may contradict.
        self._lanes = self._slow_lane, self._fast_lane, self._mute_lane = Lane(), Lane(), Lane()
        self._pace, self._suspicious, self._in_doubt = Pace.CALM, False, False
        self._summary_s = now_s
        self._carrier = Carrier(settings.interface) if settings.interface is not None else None
        self._stagger(now_s)

    async def run(self) -> None:
        planned_s = self._monotonic()
        while True:
            now_s = self._monotonic()
            self.tick(now_s, planned_s)
            planned_s = self._next_s()
            await asyncio.sleep(max(0.0, planned_s - self._monotonic()))

    def close(self) -> None:
        for aim in self._aims:
            aim.prober.close()
        if self._carrier is not None:
            self._carrier.close()

    def tick(self, now_s: float, planned_s: float) -> None:
        """All that is due at `now_s`; `planned_s` is when this should have run."""
        if now_s - planned_s > max(_LEAST_STALL_S, _STALL_INTERVALS * self._settings.paces.interval_s(self._pace)):
            self._stalled(planned_s, now_s)
        self._look_outside(now_s)
        for aim in self._aims:
            for number in aim.expire(now_s):
                self._detector.ways.lost(aim.label, number, now_s, learn=self._detector.learning)
        for lane in self._lanes:
            for flight, missed in lane.settled(now_s):
                self._detector.outcome(flight.target, now_s, missed=missed, quickly=flight.quickly)
                self._by_label[flight.target].bursts.feed(now_s, missed)
        self._tell(now_s)
        self._follow_pace(now_s)
        for aim in self._aims:
            if aim.due_s <= now_s:
                self._probe(aim, now_s)

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────
    def _probe(self, aim: Aim, now_s: float) -> None:
        aim.due_s = max(aim.due_s, now_s - aim.interval_s) + aim.interval_s
        number = aim.next_number()
        refusal = aim.prober.send(number)
        self._detector.refused(aim.label, refusal)
        if refusal is None:
            if self._budget is not None:
                self._budget.spend(aim.target.wire_bytes, self._wall())
            patience_s = aim.delay.patience_s(self._settings.timeout_s)
            flight = Flight(aim.label, number, now_s, now_s + patience_s, quickly=self._in_doubt)
            aim.under_way[number] = flight
            self._lane_of(aim).launch(flight)

    def _lane_of(self, aim: Aim) -> Lane:
        """A target that never answered is given the whole timeout, and others must not wait that long behind it."""
        if aim.heavy:
            return self._slow_lane
        mute = self._detector.targets[aim.label].test.tripped or not aim.delay.known
        return self._mute_lane if mute else self._fast_lane

    def _heard(self, aim: Aim, number: int, answered: Answered) -> None:
        flight = aim.under_way.pop(number, None)
        if flight is None:
            return
        now_s = self._monotonic()
        if answered.stamps not in aim.stamps_seen:
            aim.stamps_seen.add(answered.stamps)
            self._log.info("round_trips_stamped_by", target=aim.label, stamps=answered.stamps)
        self._detector.excess(aim.label, aim.answered(answered.rtt_s, now_s), now_s)
        if answered.two_way is not None:
            self._detector.ways.answered(aim.label, number, answered.two_way, now_s, learn=self._detector.learning)
        if flight.fate is Fate.OVERDUE:
            self._detector.late(aim.label, now_s)
        else:
            flight.fate = Fate.ANSWERED

    def _follow_pace(self, now_s: float) -> None:
        suspicious, in_doubt = self._detector.suspicious(now_s), self._detector.in_doubt
        pace = self._control.pace(suspicious=suspicious)
        if (pace, suspicious, in_doubt) == (self._pace, self._suspicious, self._in_doubt):
            return
        self._log.debug("link_pace", pace=pace, suspicious=suspicious, in_doubt=in_doubt)
        self._pace, self._suspicious, self._in_doubt = pace, suspicious, in_doubt
        self._detector.session(pace is Pace.SESSION)
        self._stagger(now_s)

    def _stagger(self, now_s: float) -> None:
        """Spreads the targets whose pace changed over one new interval. The phases are those of the clock, the same on
        every link, so that links of one pace share their wake-ups. A slow kind is asked now: with the first miss, its
        answer may contradict the silence before it trips.
        """
        for heavy in (True, False):
            wanted = [(aim, self._interval_s(aim)) for aim in self._aims if aim.heavy == heavy]
            changed = [(aim, interval_s) for aim, interval_s in wanted if aim.interval_s != interval_s]
            for place, (aim, interval_s) in enumerate(changed):
                phase_s = place * interval_s / len(changed)
                aim.interval_s = interval_s
                aim.due_s = now_s + (phase_s if heavy else (phase_s - now_s) % interval_s)

    def _interval_s(self, aim: Aim) -> float:
        paces = self._settings.paces
        if aim.heavy:
            interval_s = paces.heavy_interval_s(aim.target, suspicious=self._suspicious)
            return interval_s if self._suspicious else interval_s * self._stretch
        interval_s = paces.interval_s(self._pace, in_doubt=self._in_doubt)
        return interval_s * self._stretch if self._pace is Pace.CALM and not self._in_doubt else interval_s

    def _next_s(self) -> float:
        """When there is something to do again."""
        overdue = (lane.next_overdue_s() for lane in self._lanes)
        return min(self._summary_s, *(aim.due_s for aim in self._aims), *(at_s for at_s in overdue if at_s is not None))

    def _keep_to_budget(self, now_s: float) -> None:
        stretch = self._budget.stretch(self._wall()) if self._budget is not None else 1.0
        if stretch != self._stretch:
            self._log.info("calm_pace_stretched", times=round(stretch, 2))
            self._stretch = stretch
            self._stagger(now_s)

    # ── what is not the far side's doing ───────────────────────────────────────────────────────────────
    def _stalled(self, planned_s: float, now_s: float) -> None:
        self._log.info("own_process_stalled", for_s=round(now_s - planned_s, 3))
        self._detector.stalled(planned_s)
        for lane in self._lanes:
            lane.void()
        for aim in self._aims:
            aim.forget_all()
        self._detector.ways.count_anew()

    def _look_outside(self, now_s: float) -> None:
        """The carrier costs a few µs, so at every turn: a pulled cable is known before the first probe is missed.
        Users' bytes cost more: once a second, and when they may decide.
        """
        if self._carrier is not None:
            self._detector.carrier(self._carrier.up())
        self._detector.far_carrier(self._outside.far_carrier, now_s)
        if self._in_doubt or self._told.verdict is not Verdict.UP or now_s >= self._summary_s:
            self._detector.user_bytes(self._outside.user_bytes(), now_s)

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────
    def _tell(self, now_s: float) -> None:
        before, held = self._told, self._detector.judge(now_s)
        summary = now_s >= self._summary_s
        if summary:
            self._summary_s = max(self._summary_s, now_s - _SUMMARY_S) + _SUMMARY_S
            self._keep_to_budget(now_s)
        if summary or held is not before:
            self._told = held
            self._emit(self._reading(now_s, held, changed=held.verdict is not before.verdict))
        if held is not before:
            self._log.info("link_verdict", verdict=held.verdict, cause=held.cause, before=before.verdict)

    def _reading(self, now_s: float, held: Holding, *, changed: bool) -> LinkReading:
        return link_reading(
            self._settings,
            self._aims,
            self._detector,
            held,
            now_s,
            changed=changed,
            pace=self._pace,
            budget=self._budget.reading(self._wall()) if self._budget else None,
        )
