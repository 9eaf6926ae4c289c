"""Consecutive polls → what the judge is told: a reading for each poll that taught something, and each move of the
traffic.

- One missed poll teaches nothing and says nothing: a datagram may get lost. Two in a row are silence, dated back to
  the first.
- A silent router's WANs are unknown, all of them. But where the traffic was is remembered: a failover that happened
  in the silence is told with the first answer after it.
"""

from dataclasses import replace

from wan.active import ActiveWan
from wan.profile import RouterSeen, WanSeen
from wan.rates import Rate, Rates
from wan.reading import ActiveWanChanged, RouterCause, RouterReading, WanReading, WanState

MISSES_UNTIL_SILENT = 2
"""With 1 s polls a dead router is called after 2 to 3 s."""

Fact = RouterReading | ActiveWanChanged


class RouterTracker:
    """Fed once a poll with `answered` or `missed`; both return the facts to tell, in order."""

    def __init__(self, router: str, now_s: float) -> None:
        self._last = RouterReading(
            router=router,
            at_s=now_s,
            answering=False,
            since_s=now_s,
            cause=RouterCause.STARTING,
            active=None,
            wans=(),
            model=None,
            firmware=None,
            uptime_s=None,
        )
        self._rates = Rates()
        self._active = ActiveWan()
        self._was_active: str | None = None
        self._misses = 0
        self._first_miss_s = now_s

    @property
    def reading(self) -> RouterReading:
        """The last one told; the first is STARTING."""
        return self._last

    def answered(self, seen: RouterSeen, at_s: float) -> list[Fact]:
        """The router told `seen` at `at_s`."""
        self._misses = 0
        rates = self._rates.update(seen, at_s)
        active = self._active.decide(seen.wans, rates, at_s)
        reading = RouterReading(
            router=self._last.router,
            at_s=at_s,
            answering=True,
            since_s=at_s,
            cause=RouterCause.NONE,
            active=active,
            wans=tuple(_wan_reading(wan, rates.get(wan.wan)) for wan in seen.wans),
            model=seen.model,
            firmware=seen.firmware,
            uptime_s=seen.uptime_s,
        )
        return [*self._move(active, at_s), self._told(reading)]

    def missed(self, cause: RouterCause, *, asked_s: float, at_s: float) -> list[Fact]:
        """The poll that began at `asked_s` had no usable answer by `at_s`."""
        if self._misses == 0:
            self._first_miss_s = asked_s
        self._misses += 1
        if self._misses < MISSES_UNTIL_SILENT:
            return []
        self._rates.forget()
        self._active.forget()
        reading = replace(
            self._last,
            at_s=at_s,
            answering=False,
            since_s=self._first_miss_s if self._misses == MISSES_UNTIL_SILENT else asked_s,
            cause=cause,
            active=None,
            wans=tuple(_unknown(wan) for wan in self._last.wans),
            uptime_s=None,
        )
        return [self._told(reading)]

    def _move(self, active: str | None, at_s: float) -> list[Fact]:
        if active is None:
            return []
        previous, self._was_active = self._was_active, active
        if previous is None or previous == active:  # where it is at first sight is no move
            return []
        return [ActiveWanChanged(self._last.router, at_s, previous, active)]

    def _told(self, reading: RouterReading) -> RouterReading:
        """`since_s` stays as long as answering, cause and active do."""
        before = self._last
        if (before.answering, before.cause, before.active) == (reading.answering, reading.cause, reading.active):
            reading = replace(reading, since_s=before.since_s)
        self._last = reading
        return reading


def _wan_reading(wan: WanSeen, rate: Rate | None) -> WanReading:
    return WanReading(
        wan=wan.wan,
        name=wan.name,
        state=wan.state,
        healthy=wan.healthy,
        signal_dbm=wan.signal_dbm,
        rx_bytes=wan.counters.rx_bytes if wan.counters else None,
        tx_bytes=wan.counters.tx_bytes if wan.counters else None,
        rx_bps=rate.rx_bps if rate else None,
        tx_bps=rate.tx_bps if rate else None,
    )


def _unknown(wan: WanReading) -> WanReading:
    return WanReading(
        wan=wan.wan,
        name=wan.name,
        state=WanState.UNKNOWN,
        healthy=None,
        signal_dbm=None,
        rx_bytes=None,
        tx_bytes=None,
        rx_bps=None,
        tx_bps=None,
    )
