"""One target of a link at work: its prober, what is under way to it, what it answered lately."""

from collections import deque
from collections.abc import Iterator

from probes.bursts import Bursts
from probes.delay import TargetDelay
from probes.flight import Flight
from probes.kernel_time import Stamps
from probes.prober import Prober, TargetSettings
from probes.quality import Jitter, Sample

_LAST_S = 1.0
_INTERVALS = 1.2  # a target asked every 5 s has no figures of the last second alone


class Aim:
    """`prober` is set by the owner, who is told of answers."""

    prober: Prober

    def __init__(self, target: TargetSettings, timeout_s: float) -> None:
        self.target, self.label, self.heavy = target, target.label, target.heavy
        self.delay, self.jitter, self.bursts = TargetDelay(), Jitter(), Bursts()
        self.under_way: dict[int, Flight] = {}
        """Unanswered, in the order of sending."""
        self.stamps_seen: set[Stamps] = set()
        self.due_s = self.interval_s = 0.0
        self._timeout_s = timeout_s
        self._number = -1
        self._samples: deque[Sample] = deque()

    def next_number(self) -> int:
        self._number = (self._number + 1) & 0xFFFF_FFFF
        return self._number

    def answered(self, rtt_s: float, now_s: float) -> float:
        """Takes in a round trip; returns how far it is above this target's baseline, see `delay`."""
        self._samples.append(Sample(now_s, rtt_s))
        self.jitter.feed(rtt_s)
        return self.delay.learn(rtt_s, now_s)

    def expire(self, now_s: float) -> Iterator[int]:
        """The numbers of those under way for the whole timeout: they are lost."""
        while self.under_way:
            number, flight = next(iter(self.under_way.items()))
            if flight.sent_s + self._timeout_s > now_s:
                return
            self._forget(number)
            self._samples.append(Sample(now_s, None))
            yield number

    def forget_all(self) -> None:
        """What is under way is neither answered nor lost: nobody looked."""
        for number in list(self.under_way):
            self._forget(number)

    def samples(self, now_s: float) -> tuple[Sample, ...]:
        """Finished within the last second, or the last interval where that is longer."""
        since_s = now_s - max(_LAST_S, _INTERVALS * self.interval_s)
        while self._samples and self._samples[0].at_s <= since_s:
            self._samples.popleft()
        return tuple(self._samples)

    def _forget(self, number: int) -> None:
        del self.under_way[number]
        self.prober.forget(number)
