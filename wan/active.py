"""Which WAN carries the traffic, from what the router tells. No router names it, so it is derived, and unknown where it
cannot be: a failover that never was is worse than a gap.

Those the router calls connected are candidates, and those it says nothing about. One connected candidate alone is the
active WAN. Among several the bytes decide: one that carries four times as much as all others together, for `DWELL_S`.
Without such bytes it is the one that alone kept its gateway, or alone its good health check (one that never had them,
as some PPPoE links, lost nothing). Then evidence of bytes not older than `HOLD_S`. Then nobody knows.
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

CARRYING = (WanState.CONNECTED, WanState.UNKNOWN)
SOUND: tuple[Callable[[WanSeen], bool | None], ...] = (
    lambda wan: None if wan.gateway is None else wan.gateway != "0.0.0.0",
    lambda wan: wan.healthy,
)
"""What a WAN that carries traffic has; None where the router does not say."""


class ActiveWan:
    """Keeps the evidence of the bytes between polls; all else is decided anew in each."""

    def __init__(self) -> None:
        self._claim: str | None = None
        self._claimed_from_s = 0.0
        self._claimed_until_s = 0.0
        self._confirmed: str | None = None
        self._ever_sound: set[tuple[int, str]] = set()

    def forget(self) -> None:
        """Drop the evidence of the bytes."""
        self._claim = self._confirmed = None

    def decide(self, wans: Sequence[WanSeen], rates: Mapping[str, Rate], now_s: float) -> str | None:
        candidates = [wan for wan in wans if wan.present and wan.state in CARRYING]
        leader, sound = _leader(candidates, rates), self._only_sound(candidates)
        self._weigh(leader, now_s)
        self._drop_all_but({wan.wan for wan in candidates})
        if len(candidates) == 1 and candidates[0].state is WanState.CONNECTED:
            return candidates[0].wan
        if leader is not None and leader == self._confirmed:
            return leader
        return sound or self._confirmed

    def _weigh(self, leader: str | None, now_s: float) -> None:
        if leader is None:
            if now_s - self._claimed_until_s > HOLD_S:
                self.forget()
            return
        if leader != self._claim:
            self._claim, self._claimed_from_s = leader, now_s
        self._claimed_until_s = now_s
        if now_s - self._claimed_from_s >= DWELL_S:
            self._confirmed = leader

    def _only_sound(self, candidates: Sequence[WanSeen]) -> str | None:
        left = list(candidates)
        for which, is_sound in enumerate(SOUND):
            self._ever_sound |= {(which, wan.wan) for wan in candidates if is_sound(wan)}
            lost = [wan for wan in left if is_sound(wan) is False and (which, wan.wan) in self._ever_sound]
            left = [wan for wan in left if wan not in lost] or left
        return left[0].wan if len(left) == 1 and left[0].state is WanState.CONNECTED else None

    def _drop_all_but(self, candidates: set[str]) -> None:
        self._claim = self._claim if self._claim in candidates else None
        self._confirmed = self._confirmed if self._confirmed in candidates else None


def _leader(candidates: Sequence[WanSeen], rates: Mapping[str, Rate]) -> str | None:
    """The candidate that outweighs the rest; None if there is none, or the bytes of one are not known."""
    if not candidates or any(wan.wan not in rates for wan in candidates):
        return None
    weight = {wan.wan: rates[wan.wan].total_bps for wan in candidates}
    top = max(weight, key=lambda wan: weight[wan])
    rest = sum(weight.values()) - weight[top]
    return top if weight[top] >= max(FLOOR_BPS, DOMINANCE * rest) else None
