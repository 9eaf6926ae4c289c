"""When is which packet of a paced load due? By an absolute schedule, so that lateness does not add up. Pure."""

_DEBT_S = 0.020
"""Who slept longer does not catch up on the rest: a burst of more would be a queue of our own making."""


class Pacer:
    """Packets of `packet_bits` at a rate that may change. Ask `due` about every millisecond."""

    def __init__(self, packet_bits: int, now_s: float) -> None:
        self._packet_bits, self._at_s = packet_bits, now_s
        self._rate_bps = self._owed = 0.0

    @property
    def rate_bps(self) -> float:
        return self._rate_bps

    def change(self, rate_bps: float, now_s: float) -> None:
        self._owe(now_s)
        self._rate_bps = rate_bps

    def due(self, now_s: float) -> int:
        """How many packets to send now; `sent` tells how many of them were."""
        self._owe(now_s)
        return int(self._owed)

    def sent(self, packets: int) -> None:
        self._owed -= packets

    def _owe(self, now_s: float) -> None:
        most = 1 + self._rate_bps * _DEBT_S / self._packet_bits
        self._owed = min(most, self._owed + (now_s - self._at_s) * self._rate_bps / self._packet_bits)
        self._at_s = now_s
