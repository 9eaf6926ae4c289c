"""Octet counters of consecutive polls → bits per second.

Many agents refresh their counters more slowly than we ask (net-snmp: every 3 s on Linux). If no WAN's counters moved
since the last refresh, the agent has merely repeated itself and the last rates still hold; once any has moved, those
that stood still were idle. After `REPEATS_S` without a move everything is idle.

A counter that went back, another interface, a changed ifCounterDiscontinuityTime (RFC 2863) or an agent that started
again (sysUpTime fell) leaves no rate until the next refresh.
"""

from dataclasses import dataclass

from wan.profile import Counters, RouterSeen, WanSeen

REPEATS_S = 20.0
"""Longer than any agent caches: net-snmp's ifTable 3 s (Linux) to 15 s (elsewhere)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Bits per second, each way, seen from the router: `rx` comes in from the WAN."""

    rx_bps: float
    tx_bps: float

    @property
    def total_bps(self) -> float:
        return self.rx_bps + self.tx_bps


@dataclass(frozen=True, slots=True)
class _Baseline:
    at_s: float
    counters: Counters


class Rates:
    """Remembers the last refresh of each WAN's counters."""

    def __init__(self) -> None:
        self._baselines: dict[str, _Baseline] = {}
        self._rates: dict[str, Rate] = {}
        self._uptime_s: float | None = None

    def forget(self) -> None:
        """What comes next starts anew: the router was silent."""
        self._baselines.clear()
        self._rates.clear()
        self._uptime_s = None

    def update(self, seen: RouterSeen, at_s: float) -> dict[str, Rate]:
        """The rate of each WAN that has one. `at_s`: monotonic seconds at which the answer came."""
        if self._uptime_s is not None and seen.uptime_s is not None and seen.uptime_s < self._uptime_s:
            self.forget()
        self._uptime_s = seen.uptime_s
        refreshed = any(self._moved(wan, at_s) for wan in seen.wans)
        for wan in seen.wans:
            self._update_wan(wan, at_s, refreshed)
        return {wan.wan: rate for wan in seen.wans if (rate := self._rates.get(wan.wan)) is not None}

    def _moved(self, wan: WanSeen, at_s: float) -> bool:
        base = self._baselines.get(wan.wan)
        return base is not None and (base.counters != wan.counters or at_s - base.at_s >= REPEATS_S)

    def _update_wan(self, wan: WanSeen, at_s: float, refreshed: bool) -> None:
        base, now = self._baselines.get(wan.wan), wan.counters
        if now is None:
            self._baselines.pop(wan.wan, None)
            self._rates.pop(wan.wan, None)
        elif base is None or not _continues(base.counters, now):
            self._baselines[wan.wan] = _Baseline(at_s, now)
            self._rates.pop(wan.wan, None)
        elif refreshed and at_s > base.at_s:
            self._rates[wan.wan] = _rate(base.counters, now, at_s - base.at_s)
            self._baselines[wan.wan] = _Baseline(at_s, now)


def _continues(before: Counters, now: Counters) -> bool:
    same_count = (before.interface, before.discontinuity_ticks) == (now.interface, now.discontinuity_ticks)
    return same_count and now.rx_bytes >= before.rx_bytes and now.tx_bytes >= before.tx_bytes


def _rate(before: Counters, now: Counters, seconds: float) -> Rate:
    return Rate((now.rx_bytes - before.rx_bytes) * 8 / seconds, (now.tx_bytes - before.tx_bytes) * 8 / seconds)
