"""Watches the UPSes of one upsd: asks each for `ups.status` every second, for all variables slowly, and tells changes.

NUT cannot push, so a change is seen at most one poll later; a connection that ends is seen at once. A watcher does not
reconnect: it tells that the server is lost, raises, and is run again by whoever supervises it. What it remembers of
each UPS (since when, how long LB has stood, last seen on battery) lives in the object and survives that.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

import structlog

from ups.figures import Figures, figures_of
from ups.nut_client import NutClient
from ups.nut_wire import NutError, NutRefused
from ups.reading import Contact, UpsReading
from ups.runtime import believed_runtime, modelled_runtime_s
from ups.settings import NutServer, RatedRuntime, UpsSettings
from ups.status import LowLimits, Memory, flags_of, heard, not_heard, nothing_heard

log = structlog.get_logger()

Emit = Callable[[UpsReading], None]

CONTACT_WHEN_REFUSED: Mapping[str, Contact] = {
    "DATA-STALE": Contact.STALE,
    "DRIVER-NOT-CONNECTED": Contact.DRIVER_LOST,
    "VAR-NOT-SUPPORTED": Contact.STALE,  # the driver has not published a status yet
}
"""What an ERR says of the way to the UPS; any other is a refusal: no such UPS, or access denied."""

BATTERY_SLOW_POLL_S = 5.0
"""On battery charge and runtime move, and whether LB is believed hangs on them."""


class NutWatcher:
    """All UPSes of one upsd, on one connection. Hold one object per server and run it again after each failure."""

    def __init__(self, server: NutServer, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = server.settings
        self._monotonic = monotonic
        now_s = monotonic()
        self._watched = [_Watched(key, ups, nothing_heard(now_s)) for key, ups in server.upses.items()]

    @property
    def peer(self) -> str:
        return self._settings.peer

    async def run(self, emit: Emit) -> NoReturn:
        """Connect and watch until cancelled or until the connection fails.

        Emits a reading at each change of power, contact or flags, and one per slow poll. Before NutError leaves, each
        UPS has got a reading with contact SERVER_LOST (UNKNOWN_UPS where the server answered and refused us). Call it
        again after a second: the next connection costs little, and an upsd that was restarted is back by then.
        """
        try:
            async with await NutClient.connect(self._settings) as client:
                log.info("upsd_connected", peer=self.peer, upses=[watched.key for watched in self._watched])
                while True:
                    await self._round(client, emit)
        except NutError as error:
            contact = Contact.UNKNOWN_UPS if isinstance(error, NutRefused) else Contact.SERVER_LOST
            now_s = self._monotonic()
            for watched in self._watched:
                watched.lose(contact, now_s)
                self._tell(watched, emit, now_s)
            raise

    async def _round(self, client: NutClient, emit: Emit) -> None:
        started_s = self._monotonic()
        for watched in self._watched:
            await self._look(client, watched, emit)
        await client.rest(max(0.0, started_s + self._settings.poll_s - self._monotonic()))

    async def _look(self, client: NutClient, watched: "_Watched", emit: Emit) -> None:
        try:
            flags = flags_of(await client.get_var(watched.name, "ups.status"))
            changed = watched.hear(flags, self._monotonic())
            if changed:  # at once, with the figures of before; the list may take its time
                emit(watched.reading(self._monotonic()))
            if changed or self._is_due(watched):
                watched.take(figures_of(await client.list_vars(watched.name)))
                watched.hear(flags, self._monotonic())  # fresh figures may change what is believed of LB
                self._tell(watched, emit, self._monotonic())
        except NutRefused as refused:
            contact = CONTACT_WHEN_REFUSED.get(refused.code, Contact.UNKNOWN_UPS)
            if watched.lose(contact, self._monotonic()) or self._is_due(watched):
                self._tell(watched, emit, self._monotonic())

    def _is_due(self, watched: "_Watched") -> bool:
        return watched.slow_due_s is None or self._monotonic() >= watched.slow_due_s

    def _tell(self, watched: "_Watched", emit: Emit, now_s: float) -> None:
        period_s = self._settings.slow_poll_s
        watched.slow_due_s = now_s + (min(period_s, BATTERY_SLOW_POLL_S) if "OB" in watched.memory.flags else period_s)
        emit(watched.reading(now_s))


@dataclass(slots=True)
class _Watched:
    """One UPS: what is remembered and what was last measured.

    Figures from before a loss of contact are still weighed against LB until the next list comes, but no longer shown:
    without them a reconnection would look like a UPS that measures nothing, and its LB would be believed sooner.
    """

    key: str
    settings: UpsSettings
    memory: Memory
    figures: Figures = field(default_factory=Figures)
    figures_are_fresh: bool = False
    slow_due_s: float | None = None

    @property
    def name(self) -> str:
        return self.settings.name or self.key

    def hear(self, flags: tuple[str, ...], now_s: float) -> bool:
        """Returns whether power, contact or flags changed."""
        limits = LowLimits(self.settings.low_charge_pct, self.settings.low_runtime_s)
        return self._turn(heard(self.memory, flags, self.figures, limits, now_s=now_s))

    def lose(self, contact: Contact, now_s: float) -> bool:
        """Returns whether power, contact or flags changed."""
        self.figures_are_fresh = False
        return self._turn(not_heard(self.memory, contact, now_s=now_s))

    def take(self, figures: Figures) -> None:
        runtime = believed_runtime(figures.runtime_s, _modelled_s(self.settings.rated, figures))
        self.figures = replace(figures, runtime_s=runtime.runtime_s, runtime_doubtful=runtime.doubtful)
        self.figures_are_fresh = True

    def reading(self, now_s: float) -> UpsReading:
        memory = self.memory
        figures = self.figures if self.figures_are_fresh else Figures(model=self.figures.model)
        return UpsReading(
            ups=self.key,
            at_s=now_s,
            contact=memory.contact,
            power=memory.power,
            since_s=memory.since_s,
            flags=memory.flags,
            charge_pct=figures.charge_pct,
            runtime_s=figures.runtime_s,
            load_pct=figures.load_pct,
            battery_v=figures.battery_v,
            model=figures.model,
            testing=memory.testing,
            runtime_doubtful=figures.runtime_doubtful,
        )

    def _turn(self, memory: Memory) -> bool:
        before, self.memory = self.memory, memory
        if (before.power, before.contact, before.flags) == (memory.power, memory.contact, memory.flags):
            return False
        log.info("ups_changed", ups=self.key, power=memory.power, contact=memory.contact, flags=" ".join(memory.flags))
        return True


def _modelled_s(rated: RatedRuntime | None, figures: Figures) -> float | None:
    if rated is None or figures.load_pct is None or figures.charge_pct is None:
        return None
    return modelled_runtime_s(
        full_load_s=rated.full_load_s,
        half_load_s=rated.half_load_s,
        health_pct=rated.health_pct,
        load_pct=figures.load_pct,
        charge_pct=figures.charge_pct,
    )
