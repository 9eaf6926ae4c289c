"""The way back from an outage: answers again, then a good stretch, then a hold-down. Pure.

A link that comes and goes is held longer each time: 10 s, 20 s, … 10 min. That is what keeps a flapping line from
carrying sessions.
"""

from collections import deque
from dataclasses import dataclass

_ALIVE_MISSES_IN = 10  # one miss in ten is still alive
_FEWEST = 5  # outcomes that can speak for a stretch


@dataclass(frozen=True, slots=True)
class RecoveryRules:
    window_s: float
    """How long it must have been good."""
    hold_down_s: float
    hold_down_max_s: float
    flap_memory_s: float
    """After so long without an outage the next one is the first again."""
    alive_after: int
    """Outcomes, nine in ten answered, that end "down"."""


@dataclass(slots=True)
class _Second:
    began_s: float
    answered: int = 0
    missed: int = 0


class Stretch:
    """Outcomes of the last `span_s` seconds, by the second."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._seconds: deque[_Second] = deque()

    def add(self, now_s: float, *, missed: bool) -> None:
        if not self._seconds or now_s - self._seconds[-1].began_s >= 1:
            self._seconds.append(_Second(now_s))
        self._seconds[-1].missed += missed
        self._seconds[-1].answered += not missed
        while self._seconds[0].began_s < now_s - self._span_s:
            self._seconds.popleft()

    def missed_share(self, now_s: float) -> float | None:
        """The share missed in the last `span_s`; None where too little was asked to say."""
        seconds = [second for second in self._seconds if second.began_s >= now_s - self._span_s]
        missed = sum(second.missed for second in seconds)
        asked = missed + sum(second.answered for second in seconds)
        return missed / asked if asked >= _FEWEST else None


class Recovery:
    """What happened since the link was last down."""

    def __init__(self, rules: RecoveryRules) -> None:
        self._rules = rules
        self._stretch = Stretch(rules.window_s)
        self._latest: deque[bool] = deque(maxlen=rules.alive_after)
        self._flaps = 0
        self._alive_s = self._good_s = float("-inf")
        self.under_way = False

    @property
    def seen(self) -> int:
        """Outcomes since it went down, was lost from sight or was first asked, counted up to `alive_after`."""
        return len(self._latest)

    @property
    def heard(self) -> bool:
        """Whether any of those was an answer."""
        return not all(self._latest)

    @property
    def alive(self) -> bool:
        full = len(self._latest) == self._rules.alive_after
        return full and sum(self._latest) * _ALIVE_MISSES_IN <= self._rules.alive_after

    @property
    def hold_down_s(self) -> float:
        """After the present number of outages."""
        return min(self._rules.hold_down_max_s, self._rules.hold_down_s * 2.0 ** min(self._flaps - 1, 30))

    def outcome(self, now_s: float, *, missed: bool) -> None:
        self._latest.append(missed)
        self._stretch.add(now_s, missed=missed)

    def fell(self, now_s: float) -> None:
        """The link is down."""
        if now_s - self._alive_s > self._rules.flap_memory_s:
            self._flaps = 0
        self._flaps += 1
        self.under_way = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """What was seen before says nothing of now."""
        self._latest.clear()

    def rose(self, now_s: float) -> None:
        """The link is no longer down."""
        self.under_way, self._alive_s, self._good_s = True, now_s, float("inf")

    def look(self, now_s: float, allowed_share: float) -> None:
        """Whether it is over: good for a window, and then the hold-down without another outage."""
        if self.under_way and self.good_since(self._alive_s, now_s, allowed_share):
            self._good_s = min(self._good_s, now_s)
        if now_s - self._good_s >= self.hold_down_s:
            self.under_way = False

    def good_since(self, began_s: float, now_s: float, allowed_share: float) -> bool:
        """Whether a whole window has passed since `began_s` and the last one lost no more than `allowed_share`."""
        share = self._stretch.missed_share(now_s)
        return now_s - began_s >= self._rules.window_s and share is not None and share <= allowed_share
