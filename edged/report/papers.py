"""Which certificates are in use, and their exchange without a restart.

New files take the place of those in use when they are sound together; until then the line goes on with what it has,
also when it has to be made anew meanwhile. Half-written files are simply not sound yet.
"""

import asyncio
import ssl
from collections.abc import Callable
from math import floor

import structlog

from edged.clock import SystemClock
from edged.core.observations import CertificateReading
from edged.report.certificates import Fault, Found, Paper, Validity, look, names_the_clock, validity_of
from edged.report.settings import TlsSettings

log = structlog.get_logger()

LOOK_S = 10.0
TELL_S = 3600.0
"""How often a reading is told although nothing changed; a change is also that one day less is left."""


class Papers:
    """`emit` hears of "own", "ca" and "broker", as far as there are any."""

    def __init__(
        self,
        files: TlsSettings,
        emit: Callable[[CertificateReading], None],
        clock: SystemClock,
        *,
        broker: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        """`broker` is asked for the certificate of the connection there is, DER."""
        self._files, self._emit, self._clock, self._shown = files, emit, clock, broker
        self._in_use: Found | None = None
        self._lying: Found | None = None
        self._faults: dict[str, Fault] = {}
        self._broker: tuple[bytes, Validity | None] | None = None
        self._told: dict[str, tuple[object, float]] = {}
        self._changed: Callable[[], None] = lambda: None

    @property
    def context(self) -> ssl.SSLContext | None:
        """For the next connection. None: no usable files were found yet."""
        return self._in_use.context if self._in_use else None

    def watch(self, changed: Callable[[], None]) -> None:
        """`changed` is called when other papers are in use: a new connection should be made with them."""
        self._changed = changed

    def blames_clock(self, error: ssl.SSLError) -> bool:
        """Whether a handshake failed because our own clock is wrong."""
        return names_the_clock(
            error,
            quality=self._clock.quality(),
            plausible=self._clock.plausible(),
            now_wall_s=self._clock.wall(),
            known_wall_s=self._clock.known_wall(),
            broker=self._broker[1] if self._broker else None,
        )

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Once, and before the first connection: then `context` is there."""
        self._take(await asyncio.to_thread(look, self._files, self._lying))

    # ── the exchange ───────────────────────────────────────────────────────────────────────────────────
    def _take(self, found: Found) -> None:
        self._lying, now = found, self._today()
        if self._in_use and found.fingerprint == self._in_use.fingerprint:
            self._say({})  # also: bad files were taken back
        elif found.context and not self._faults_of(found, now):
            self._say({})
            self._exchange(found)
        else:
            self._say(self._faults_of(found, now))
        self._tell_all(now)

    def _faults_of(self, found: Found, now_wall_s: float | None) -> dict[str, Fault]:
        """Those that speak against using it. A file that is in use already gets no better by waiting; and at the start
        anything usable at all is better than nothing: the broker has the last word on dates.
        """
        if self._in_use is None:
            return {} if found.context else found.faults_on(None)
        used = {"own": self._in_use.own, "ca": self._in_use.ca}
        lying = {"own": found.own, "ca": found.ca}
        return {which: fault for which, fault in found.faults_on(now_wall_s).items() if lying[which] != used[which]}

    def _exchange(self, found: Found) -> None:
        first, self._in_use = self._in_use is None, found
        if not first:
            log.info("certificates exchanged", fingerprint=found.fingerprint[:16])
        self._changed()

    def _say(self, faults: dict[str, Fault]) -> None:
        if faults and faults != self._faults:
            log.warning("certificates not exchanged", **{which: fault.value for which, fault in faults.items()})
        self._faults = faults

    def _today(self) -> float | None:
        """None: a clock that cannot be right concludes nothing from dates."""
        return self._clock.wall() if self._clock.plausible() else None

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────
    def _tell_all(self, now_wall_s: float | None) -> None:
        counts = self._in_use or self._lying
        for which, paper in (
            ("own", counts and counts.own),
            ("ca", counts and counts.ca),
            ("broker", self._of_broker()),
        ):
            if paper:
                self._tell(which, paper, now_wall_s)

    def _of_broker(self) -> Paper | None:
        """What the broker showed last, also while there is no connection."""
        der = self._shown()
        if der and (self._broker is None or der != self._broker[0]):
            self._broker = der, validity_of(der)
        if self._broker is None:
            return None
        return Paper((self._broker[1],) if self._broker[1] else ())

    def _tell(self, which: str, paper: Paper, now_wall_s: float | None) -> None:
        days, fault = paper.days_left(now_wall_s), self._faults.get(which)
        at_s, what = self._clock.monotonic(), (paper.validities, None if days is None else floor(days), fault)
        told, told_s = self._told.get(which, (None, at_s))
        if what != told or at_s - told_s >= TELL_S:
            self._told[which] = what, at_s
            self._emit(CertificateReading(at_s, which, days, fault.value if fault else None))
