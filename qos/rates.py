"""What the active link carries, and the slot in which the daemon leaves it for the shaper."""

import asyncio
from dataclasses import dataclass

from qos.errors import QosMisuseError
from qos.settings import Direction

# Below, one frame at a guaranteed share takes longer than a second; above, a tick of 64 ns is too coarse.
MIN_RATE_BPS = 100_000
MAX_RATE_BPS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """The link's own figures in bit/s, before any margin. None: not known, that direction is left unshaped.

    QosMisuseError for figures no link can have."""

    up_bps: int | None = None
    down_bps: int | None = None

    def __post_init__(self) -> None:
        for rate_bps in (self.up_bps, self.down_bps):
            if rate_bps is not None and not MIN_RATE_BPS <= rate_bps <= MAX_RATE_BPS:
                raise QosMisuseError(f"a link of {rate_bps} bit/s cannot be shaped ({MIN_RATE_BPS}-{MAX_RATE_BPS})")

    def toward(self, direction: Direction) -> int | None:
        return self.up_bps if direction == "up" else self.down_bps


class WantedRates:
    """What should be shaped now. Setting it wakes the shaper; until it is set, both directions are left alone."""

    def __init__(self, rates: Rates | None = None) -> None:
        self.rates = rates or Rates()
        self._changed = asyncio.Event()

    def set(self, rates: Rates) -> None:
        if rates != self.rates:
            self.rates = rates
            self._changed.set()

    async def changed(self, timeout_s: float) -> bool:
        """True as soon as the rates were set to others, False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True
