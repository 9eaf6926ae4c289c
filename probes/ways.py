"""Each direction of a link by itself, from the STAMP reflectors among its targets. Pure: `now_s` is an argument.

The same two tests as for the whole link, loss that begins more often than it used to and delay above its own past, so
that a verdict can say which direction is ill. A one-way illness is half an illness to a round trip, and a whole one
here.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from probes.delay import DelayTest, TargetDelay
from probes.detector import GrayLossTest
from probes.prober import TwoWay
from probes.quality import Jitter
from probes.reading import Direction, WayReading
from probes.two_way import DirectionLoss, LostWay, OneWayDelay, Way

_FIGURES_S = 1.0
_DIRECTION = {Way.OUT: Direction.UP, Way.BACK: Direction.DOWN}


class _OneWay:
    """One direction over all targets that tell it."""

    def __init__(self, gray_nats: float) -> None:
        self.gray, self.delay, self.jitter = GrayLossTest(gray_nats), DelayTest(), Jitter()
        self._seen: deque[tuple[float, float | None]] = deque()
        """When, and how far above the baseline; None: lost this way."""

    def came(self, above_s: float, excess_units: float, now_s: float, *, learn: bool) -> None:
        self._seen.append((now_s, above_s))
        self.jitter.feed(above_s)
        self.delay.feed(excess_units, now_s)
        self.gray.feed(missed=False, learn=learn)

    def lost(self, now_s: float, *, fresh: bool, learn: bool) -> None:
        self._seen.append((now_s, None))
        if fresh:
            self.gray.feed(missed=True, learn=learn)

    def reading(self, direction: Direction, now_s: float) -> WayReading:
        while self._seen and self._seen[0][0] <= now_s - _FIGURES_S:
            self._seen.popleft()
        came = [above_s for _, above_s in self._seen if above_s is not None]
        return WayReading(
            direction=direction,
            loss_pct=100 * (1 - len(came) / len(self._seen)) if self._seen else None,
            delay_above_s=median(came) if came else None,
            jitter_s=self.jitter.jitter_s if came else None,
            lossy=self.gray.alarmed,
            slow=self.delay.slow,
        )


@dataclass(slots=True)
class _Target:
    loss: DirectionLoss = field(default_factory=DirectionLoss)
    delay: OneWayDelay = field(default_factory=OneWayDelay)
    usual: dict[Direction, TargetDelay] = field(default_factory=lambda: {each: TargetDelay() for each in Direction})
    last_lost: dict[Direction, int] = field(default_factory=dict)


class LinkWays:
    """Told every answer that says both ways, and every probe finally lost."""

    def __init__(self, gray_nats: float) -> None:
        self._ways = {direction: _OneWay(gray_nats) for direction in Direction}
        self._targets: dict[str, _Target] = {}

    def answered(self, label: str, number: int, two_way: TwoWay, now_s: float, *, learn: bool) -> None:
        target = self._targets.setdefault(label, _Target())
        above = target.delay.feed(two_way.out_ns, two_way.back_ns, now_s)
        for direction, above_s in ((Direction.UP, above.out_s), (Direction.DOWN, above.back_s)):
            excess_units = target.usual[direction].learn(above_s, now_s)
            self._ways[direction].came(above_s, excess_units, now_s, learn=learn)
        self._count(target, target.loss.answered(number, two_way.number), now_s, learn=learn)

    def lost(self, label: str, number: int, now_s: float, *, learn: bool) -> None:
        """Of a target that never told both ways nothing is kept."""
        if target := self._targets.get(label):
            self._count(target, target.loss.lost(number), now_s, learn=learn)

    def ill(self) -> bool:
        """Whether one direction loses more than it used to."""
        return any(way.gray.alarmed for way in self._ways.values())

    def begin_anew(self) -> None:
        """What was lost and late before an outage says nothing of after it."""
        for way in self._ways.values():
            way.gray.reset()
            way.delay.reset()

    def count_anew(self) -> None:
        """Probes were forgotten that a reflector has counted: from here on it is another count."""
        for target in self._targets.values():
            target.loss = DirectionLoss()

    def readings(self, now_s: float) -> tuple[WayReading, ...]:
        if not self._targets:
            return ()
        return tuple(way.reading(direction, now_s) for direction, way in self._ways.items())

    def _count(self, target: _Target, told: tuple[LostWay, ...], now_s: float, *, learn: bool) -> None:
        for each in told:
            direction = _DIRECTION.get(each.way)
            if direction is None:
                continue
            # A loss right after a loss belongs to the same burst, which counts once.
            fresh = target.last_lost.get(direction) != (each.number - 1) & 0xFFFF_FFFF
            target.last_lost[direction] = each.number
            self._ways[direction].lost(now_s, fresh=fresh, learn=learn)
