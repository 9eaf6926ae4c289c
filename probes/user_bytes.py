"""Do users' bytes still arrive over a link whose probes go unanswered? Then the fault is at the reflectors. Pure.

This may hide a dead line, so it is hard to convince. Only what arrives at a good share of the usual rate counts, not
the router's own chatter; at least one whole window must lie within the silence; and a flow that once stopped vouches
for nothing until it has held for ten seconds: after a cut the router moves the traffic, and whoever counts bytes
learns of that up to a poll later.
"""

from dataclasses import dataclass

_WINDOW_S = 0.06  # video comes every 33 ms and audio every 20; a cut is sure some 100 ms after its first known miss
_LEAST_BPS = 50_000.0  # a voice call; a router's chatter is below it
_SHARE_OF_USUAL = 0.25
_USUAL_S = 5.0
_TRUSTED_ANEW_S = 10.0  # longer than the router's state is old: a poll a second, and one or two that get lost


@dataclass(slots=True)
class UserBytes:
    """Told a counter of bytes that arrived for users by this link: once a second, and often while in doubt."""

    _at_s: float | None = None
    _total: int = 0
    _usual_bps: float = 0.0
    _since_s: float | None = None
    _window_s: float | None = None
    """When the window began that last was whole."""

    def told(self, now_s: float, total: int | None, *, in_doubt: bool = False) -> None:
        """`total` never falls but by a restart of whoever counts; None: what arrives by this link is not known."""
        if total is None or self._at_s is None or total < self._total:
            self._at_s, self._total = (None if total is None else now_s), total or 0
            self._since_s = self._window_s = None
            return
        passed_s = now_s - self._at_s
        if passed_s < _WINDOW_S:
            return
        self._whole(self._at_s, now_s, 8 * (total - self._total) / passed_s, in_doubt=in_doubt)
        self._at_s, self._total = now_s, total

    def vouch(self, silent_s: float, now_s: float) -> bool:
        """Whether users' bytes contradict a silence that was first noticed at `silent_s`."""
        if self._since_s is None or self._window_s is None:
            return False
        unbroken = self._since_s <= silent_s or now_s - self._since_s >= _TRUSTED_ANEW_S
        return unbroken and self._window_s >= silent_s

    def _whole(self, began_s: float, now_s: float, rate_bps: float, *, in_doubt: bool) -> None:
        self._window_s = began_s
        if rate_bps < max(_LEAST_BPS, _SHARE_OF_USUAL * self._usual_bps):
            self._since_s = None
        elif self._since_s is None:
            self._since_s = began_s
        if not in_doubt:
            self._usual_bps += (rate_bps - self._usual_bps) * min(1.0, (now_s - began_s) / _USUAL_S)
