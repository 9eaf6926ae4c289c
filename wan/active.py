"""Which WAN carries the traffic, from what the router tells. No router names it, so it is derived, and unknown where
it cannot be.

Those the router calls connected are candidates, and those it says nothing about. A candidate without a gateway or
with a failed health check drops out while another remains. One connected candidate alone is the active WAN. Among
several the bytes decide: one that carries four times as much as all others together, for `DWELL_S`; that evidence is
good for `HOLD_S`.
"""

from collections.abc import Callable, Mapping, Sequence

from wan.profile import WanSeen
from wan.rates import Rate
from wan.reading import WanState

DOMINANCE = 4.0
FLOOR_BPS = 64_000.0
"""Less than one audio call (Opus, both ways, some 160 kbit/s); more than pinned probes at a calm pace on a standby
line.
"""
DWELL_S = 3.0
"""One burst of a download on the other WAN is no failover; net-snmp's counters are 3 s old at worst."""
HOLD_S = 10.0
"""Silence between two sentences is no failover either."""

NO_GATEWAY = "0.0.0.0"


class ActiveWan:
    """Keeps the evidence of the bytes between polls; all else is decided anew in each."""

    def __init__(self) -> None:
        self._claim: str | None = None
        self._claimed_from_s = 0.0
        self._claimed_until_s = 0.0
        self._confirmed: str | None = None

    def forget(self) -> None:
        self._claim = self._confirmed = None

    def decide(self, wans: Sequence[WanSeen], rates: Mapping[str, Rate], now_s: float) -> str | None:
        candidates = _candidates(wans)
        self._weigh(candidates, rates, now_s)
        if len(candidates) == 1 and candidates[0].state is WanState.CONNECTED:
            return candidates[0].wan
        return self._confirmed

    def _weigh(self, candidates: Sequence[WanSeen], rates: Mapping[str, Rate], now_s: float) -> None:
        leader = _leader(candidates, rates)
        if leader is not None:
            if leader != self._claim:
                self._claim, self._claimed_from_s = leader, now_s
            self._claimed_until_s = now_s
            if now_s - self._claimed_from_s >= DWELL_S:
                self._confirmed = leader
        elif now_s - self._claimed_until_s > HOLD_S:
            self.forget()
        here = {wan.wan for wan in candidates}
        self._claim = self._claim if self._claim in here else None
        self._confirmed = self._confirmed if self._confirmed in here else None


def _candidates(wans: Sequence[WanSeen]) -> list[WanSeen]:
    left = [wan for wan in wans if wan.present and wan.state in (WanState.CONNECTED, WanState.UNKNOWN)]
    keeps: tuple[Callable[[WanSeen], bool], ...] = (
        lambda wan: wan.gateway != NO_GATEWAY,
        lambda wan: wan.healthy is not False,
    )
    for keep in keeps:
        left = [wan for wan in left if keep(wan)] or left
    return left


def _leader(candidates: Sequence[WanSeen], rates: Mapping[str, Rate]) -> str | None:
    """The candidate that outweighs the rest; None if there is none, or the bytes of one are not known."""
    if not candidates or any(wan.wan not in rates for wan in candidates):
        return None
    weight = {wan.wan: rates[wan.wan].total_bps for wan in candidates}
    top = max(weight, key=lambda wan: weight[wan])
    rest = sum(weight.values()) - weight[top]
    return top if weight[top] >= max(FLOOR_BPS, DOMINANCE * rest) else None
