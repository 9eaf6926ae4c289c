"""The composition root: wires the parts of the configuration, runs them in one TaskGroup, and takes them down.

Judge, reporting and control are vital: if one ends, the process ends and systemd starts it again. Every instrument is
supervised: it may fail for ever, and each failure is an observation.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, assert_never

import structlog

from edged import __version__
from edged.blackbox.recorder import BlackBox
from edged.clock import SystemClock, boot_id
from edged.clock_watch import watch_clock
from edged.config import ConfigError, Loaded, load
from edged.control.desk import Desk
from edged.control.protocol import Refusal
from edged.control.server import refuse_second, serve
from edged.core.effects import Effect, Leave, Pace, ProbeAt, ReportVia, Run, ShapeFor
from edged.core.observations import DaemonPhase, Phase, RecordReading, SourceFailed, Tick
from edged.core.state import State
from edged.judging import Judging
from edged.notify import notify
from edged.passive import PassiveMeter
from edged.record.backlog import Backlog
from edged.record.envelope import Origin
from edged.record.newest import newest_time
from edged.record.store import Store
from edged.record.witness_key import load_or_make
from edged.record.witness_sealing import Sealing
from edged.report.metrics import serve_metrics
from edged.report.reading import BrokerReading
from edged.report.settings import MetricsSettings
from edged.reporting import Reporting
from edged.status import Status
from edged.supervise import Backoff, supervise
from edged.surroundings import Surroundings, room_side
from edged.surveyor import Surveyor
from edged.telemetry import SecondRecords
from probes.budget import Budget, Spent
from probes.budget_file import BudgetFile, keep_budgets
from probes.link import watch_link
from probes.media import watch_media
from probes.mobile import watch_mobile
from probes.pace import PaceControl
from probes.phone import watch_phone
from probes.reading import LinkReading
from qos import shaper
from qos.rates import Rates, WantedRates
from ups.settings import by_server
from ups.watch import NutWatcher
from wan.reading import ActiveWanChanged, RouterReading
from wan.watch import RouterWatcher

log = structlog.get_logger()

SELF_LOOK_S = 1.0
"""How often the daemon looks at its own clock and record."""
UPSD_BACKOFF = Backoff(first_s=1.0, cap_s=10.0)
"""A restarted upsd is back within two seconds."""


async def run(path: Path) -> None:
    """Run until SIGTERM or SIGINT; a reload builds the house anew from the file.

    Raises:
        ConfigError: the file is bad. (A reload refuses a bad file, and the old house stays.)
        AlreadyRunning: another daemon has the control socket.
        RecordMisused: another process writes in the state directory.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    loaded: Loaded | None = load(path)
    clock = SystemClock()
    while loaded is not None:
        loaded = await _live(loaded, clock, stop)


async def _live(loaded: Loaded, clock: SystemClock, stop: asyncio.Event) -> Loaded | None:
    """One life with one configuration; returns the next one's, or None to end."""
    refuse_second(loaded.config.control.socket)
    site = loaded.config.site
    origin = Origin(site.tenant, site.name)
    store = await Store.open(site.state_dir, origin=origin, clock=clock, settings=loaded.config.record)
    backlog = await Backlog.open(site.state_dir, origin=origin, clock=clock, settings=loaded.config.telemetry)
    if (newest_s := await newest_time(store)) is not None:
        clock.not_before(newest_s)
    try:
        house = House(loaded, store, backlog, clock)
        await house.judging.resume()
        return await house.live(stop)
    finally:
        await backlog.close()
        await store.close()


class House:
    """All parts, wired. It decides nothing: it only says who is who."""

    def __init__(self, loaded: Loaded, store: Store, backlog: Backlog, clock: SystemClock) -> None:
        self._loaded, self._config, self._store, self._clock = loaded, loaded.config, store, clock
        self._next: Loaded | None = None
        self._over = asyncio.Event()
        self._sealing: Sealing | None = None
        self._paces = {name: PaceControl() for name in self._config.links}
        self._rates = WantedRates()
        self._router = RouterWatcher(self._config.router) if self._config.router else None
        boot = boot_id()
        self._black_box = self._open_black_box(boot)
        self.judging = Judging(
            loaded.plan(),
            store,
            clock,
            boot_id=boot,
            act=self._act,
            ticked=partial(notify, "WATCHDOG=1"),
            black_box=self._black_box,
        )
        self._status = Status(loaded, clock, boot, plan=self.judging.plan, state=self._state, record=store.status)
        self._budget_file = BudgetFile(self._config.site.state_dir / "budgets.json")
        spent = self._budget_file.read().spent
        self._budgets = self._open_budgets(spent)
        self._surroundings = self._look_around()
        self._surveyor = self._make_surveyor()
        counters, carrier = self._surroundings.room_bytes, self._surroundings.carrier
        self._passive = PassiveMeter(counters, carrier, self.judging.tell, monotonic=clock.monotonic)
        self._seconds = SecondRecords(self._config.links, clock.monotonic())
        self._reporting = self._make_reporting(backlog, spent)
        self._desk = Desk(
            self.judging,
            clock,
            document=self._status.document,
            recent=store.recent,
            reload=self._reload,
            state_dir=self._config.site.state_dir,
            seal=self._seal_now,
        )

    async def live(self, stop: asyncio.Event) -> Loaded | None:
        """Until told to stop, or to go on with another configuration."""
        if self._router:
            await self._router.prepare()  # blocks the loop for 0.2 s: before anything is timed
        try:
            with closing(self._surroundings):
                await self._until_told(stop)
        finally:
            if self._black_box:
                await asyncio.to_thread(self._black_box.close)
        return self._next

    async def _until_told(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part, name=name) for name, part in self._parts().items()]
            self.judging.tell(self._phase(Phase.STARTED))
            log.info("watching", site=self._config.site.name, not_watched=self.judging.plan.unwatched())
            await _first_of(stop, self._over)
            if self._next is None:
                notify("STOPPING=1")
            await self.judging.submit(self._phase(Phase.RELOADING if self._next else Phase.STOPPING))
            for task in tasks:
                task.cancel()

    # ── who runs ───────────────────────────────────────────────────────────────────────────────────────
    def _parts(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Every task of the daemon: the vital ones bare, the instruments under supervision."""
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "judge": self.judging.run(),
            "control": serve(self._config.control, self._desk),
            "self": self._look_at_self(),
        }
        if self._reporting:
            parts |= {name: part() for name, part in self._reporting.vital(self._seconds).items()}
        for name, (instrument, backoff) in self._instruments().items():
            parts[name] = supervise(name, instrument, failed=self._source_failed, backoff=backoff)
        return parts

    def _instruments(self) -> dict[str, tuple[Callable[[], Coroutine[Any, Any, None]], Backoff]]:
        config, tell, now = self._config, self.judging.tell, self._clock.monotonic
        around, wall = self._surroundings.links, self._clock.wall
        found: dict[str, tuple[Callable[[], Coroutine[Any, Any, None]], Backoff]] = {}
        for name, link in config.links.items():
            hand = partial(watch_link, pace=self._paces[name], outside=around[name], monotonic=now, wall=wall)
            found[f"link:{name}"] = partial(hand, link, self._link_said), Backoff()
        found["clock"] = partial(watch_clock, tell, self._clock), Backoff()
        found["passive"] = self._passive.run, Backoff()
        found["witness"] = self._seal, Backoff()
        found |= {name: (instrument, Backoff()) for name, instrument in self._surveyor.instruments().items()}
        budgets = {**self._budgets, **(self._reporting.budgets if self._reporting else {})}
        if budgets:
            found["budgets"] = partial(keep_budgets, self._budget_file, budgets), Backoff()
        if self._reporting:
            found |= {name: (instrument, Backoff()) for name, instrument in self._reporting.instruments().items()}
        for server in by_server(config.ups):
            watcher = NutWatcher(server, monotonic=now)
            found[f"upsd:{watcher.peer}"] = partial(watcher.run, tell), UPSD_BACKOFF
        if self._router:
            found["router"] = partial(self._router.run, self._router_said, monotonic=now), Backoff()
        if config.qos:
            found["qos"] = partial(shaper.run, config.qos, tell, self._rates, monotonic=now), Backoff()
        if config.media:
            rooms = {name: room.networks for name, room in config.rooms.items()}
            found["media"] = partial(watch_media, config.media, tell, rooms=rooms, monotonic=now), Backoff()
        for room, phone in config.phones().items():
            name = f"phone:{room}" if room else "phone"
            found[name] = partial(watch_phone, phone, tell, room=room, monotonic=now), Backoff()
        if config.mobile:
            found["mobile"] = partial(watch_mobile, config.mobile, tell, monotonic=now), Backoff()
        if config.metrics:
            found["metrics"] = partial(self._metrics, config.metrics), Backoff()
        return found

    async def _seal(self) -> None:
        key = await asyncio.to_thread(load_or_make, self._config.site.state_dir)
        self._sealing = Sealing(self._store, key, self._clock, self.judging.tell)
        await self._sealing.run()

    async def _seal_now(self) -> None:
        """The record is signed up to here, and that is recorded, when this returns: for whoever asks for evidence."""
        if self._sealing:
            await self._sealing.seal()
            await self.judging.submit(Tick(self._clock.monotonic()))  # whatever was told before it is recorded then

    async def _metrics(self, settings: MetricsSettings) -> None:
        async with serve_metrics(settings, self._status.document):
            await asyncio.Event().wait()

    # ── who tells whom ─────────────────────────────────────────────────────────────────────────────────
    def _act(self, effect: Effect) -> None:
        """Carry out what the judge wants; what came of it comes back as a reading of the instrument."""
        match effect:
            case ShapeFor():
                up_bps, down_bps = self._config.links[effect.link].rates_bps(effect.factor) or (None, None)
                self._rates.set(Rates(up_bps, down_bps))
            case ProbeAt():
                self._paces[effect.link].session = effect.pace is Pace.SESSION
            case ReportVia():
                if self._reporting:
                    self._reporting.reporter.via(effect.link)
            case Leave():
                self._surveyor.allow(effect)
            case Run():
                self._surveyor.run(effect)
            case _:
                assert_never(effect)

    def _link_said(self, reading: LinkReading) -> None:
        self._passive.link_said(reading)
        self._seconds.feed(reading)
        self.judging.tell(reading)

    def _router_said(self, reading: RouterReading | ActiveWanChanged) -> None:
        if isinstance(reading, RouterReading):
            self._surroundings.router_said(reading)
        self.judging.tell(reading)

    def _clock_error_s(self) -> float | None:
        return self.judging.state.clock.error_s if self.judging.state.clock else None

    def _source_failed(self, source: str, error: Exception, failures: int) -> None:
        self.judging.tell(SourceFailed(self._clock.monotonic(), source, type(error).__name__, failures))

    def _broker_said(self, reading: BrokerReading) -> None:
        self._status.broker = reading

    async def _look_at_self(self) -> None:
        """Its own record, as facts for the judge; and READY once the first tick was judged."""
        await self.judging.ticked_once.wait()
        notify("READY=1")
        while True:
            now = self._clock.monotonic()
            record = self._store.status()
            self.judging.tell(
                RecordReading(
                    now,
                    record.durable,
                    record.cause.value,
                    evicted=record.evicted,
                    coalesced=record.coalesced,
                    reserve_pct=record.reserve_pct,
                    second_copy=record.journal,
                    low_space=record.low_space,
                )
            )
            notify(f"STATUS=tier {self.judging.state.tier}")
            await asyncio.sleep(SELF_LOOK_S)

    def _phase(self, phase: Phase) -> DaemonPhase:
        found = self._store.opening
        record = "set_aside" if found.set_aside else "fresh" if found.fresh else "continued"
        protocol = self._loaded.protocol.label
        return DaemonPhase(self._clock.monotonic(), phase, __version__, self._loaded.hash, record, protocol)

    def _state(self) -> State:
        return self.judging.state

    def _reload(self) -> None:
        """Raises Refusal when the file is bad; then nothing has changed."""
        try:
            self._next = load(self._loaded.path)
        except ConfigError as error:
            raise Refusal("bad_config", str(error)) from error
        self._over.set()

    def _look_around(self) -> Surroundings:
        config = self._config
        shaped = [(each.name, each.direction) for each in config.qos.interfaces] if config.qos else []
        room = room_side(config.media.interface if config.media else None, shaped)
        carrier = partial(attrgetter("state.carrier"), self.judging)
        clock = self._clock.monotonic
        return Surroundings(self.judging.plan, room, carrier=carrier, budgets=self._budgets, monotonic=clock)

    def _open_black_box(self, boot: str) -> BlackBox | None:
        keep_mib, state_dir = self._config.blackbox.keep_mib, self._config.site.state_dir
        if not keep_mib:
            return None
        return BlackBox(
            state_dir / "blackbox",
            keep_mib=keep_mib,
            plan=self._loaded.plan(),
            software=__version__,
            config_hash=self._loaded.hash,
            protocol_hash=self._loaded.protocol.hash,
            boot_id=boot,
            wall=self._clock.wall,
        )

    def _make_surveyor(self) -> Surveyor:
        return Surveyor(
            self._config.links,
            self.judging.tell,
            users=self._surroundings.users_need,
            budgets=self._budgets,
            monotonic=self._clock.monotonic,
            wall=self._clock.wall,
        )

    def _open_budgets(self, spent: Mapping[str, Spent]) -> dict[str, Budget]:
        """Of the metered links, with what was spent this month before we began."""
        opened = {name: link.budget(spent.get(name, Spent(None, 0))) for name, link in self._config.links.items()}
        return {name: budget for name, budget in opened.items() if budget is not None}

    def _make_reporting(self, backlog: Backlog, spent: Mapping[str, Spent]) -> Reporting | None:
        if self._config.broker is None:
            return None
        return Reporting(
            self._loaded,
            self._config.broker,
            store=self._store,
            backlog=backlog,
            clock=self._clock,
            judge=self.judging,
            snapshots=self._status.things,
            document=self._status.document,
            error_s=self._clock_error_s,
            said=self._broker_said,
            spent=spent,
        )


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
