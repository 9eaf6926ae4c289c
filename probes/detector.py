"""Two sequential tests on probe outcomes: "nothing comes back" and "more is lost than used to be". Pure; nothing here
knows a clock.

Loss is a Markov chain: π, the chance to lose a probe after one that was answered, and q, the chance to lose the next
one too. Both are learnt, and only from silence that ended by itself, so that an outage never becomes normal. The trap
this avoids is the fixed count: five misses in a row happen 56 times an hour on a line that loses 1 % in bursts with q =
0.5.
"""

from dataclasses import dataclass, field
from math import log, sqrt

SECONDS_A_YEAR = 365.25 * 86400

# As if seen before the first probe. One loss in 200 and 2 repeats in 10 give, with their uncertainty, π = 1 % and q =
# 0.34: a fresh box is slower by some probes rather than wrong.
_PRIOR_ANSWERED, _PRIOR_FIRST, _PRIOR_LOST, _PRIOR_AGAIN = 200.0, 1.0, 10.0, 2.0
# An hour and a half at 60 probes a second, and as many losses as it takes to know a tail: with 400, q wavers by
# 0.05 and a black hole takes 50 ms more. Older ones fade.
_REMEMBERED_ANSWERED, _REMEMBERED_LOST = 300_000.0, 5_000.0
_PI_BOUNDS = (0.0002, 0.2)
_Q_BOUNDS = (0.05, 0.95)  # at 0.95 a black hole still trips after some 430 probes, 2.9 s of three targets in doubt
_STILL_A_BURST = 1.5
_IF_DEAD = 0.99  # a dead link loses a probe with this probability


def trip_nats(false_alarms_per_year: float, probes_per_s: float) -> float:
    """ln(1/α) for the declared rate of false alarms.

    Without an outage a silence reaches the threshold with probability α per probe (Wald): α is the declared rate over
    the probes of a year.
    """
    return max(1.0, log(SECONDS_A_YEAR * probes_per_s / false_alarms_per_year))


@dataclass(slots=True)
class Repeats:
    """P(lost | the one before was lost) at one spacing of probes."""

    lost: float = _PRIOR_LOST
    again: float = _PRIOR_AGAIN

    @property
    def q(self) -> float:
        """One standard error up: too little known must not trip early."""
        share = self.again / self.lost
        return _within(share + sqrt(share * (1 - share) / self.lost), _Q_BOUNDS)

    def learn(self, lost: int, again: int) -> None:
        """`lost` outcomes came after a loss, `again` of them were losses too."""
        self.lost += lost
        self.again += again
        if self.lost > _REMEMBERED_LOST:
            self.fade()

    def fade(self) -> None:
        """Never below what was held before the first probe: a line that lost nothing for hours may begin to."""
        if self.lost >= 2 * _PRIOR_LOST:
            self.lost, self.again = self.lost / 2, self.again / 2


@dataclass(slots=True)
class LossModel:
    """π and q of one link at one pace. Bursts last for a time, so q depends on how closely probes follow each other:
    the first probes of a run come at the usual spacing; the rest, sent quickly in doubt, have a q of their own.
    """

    answered: float = _PRIOR_ANSWERED
    first: float = _PRIOR_FIRST
    usual: Repeats = field(default_factory=Repeats)
    quick: Repeats = field(default_factory=Repeats)

    @property
    def pi(self) -> float:
        """P(lost | the one before was answered), one standard error up."""
        return _within((self.first + sqrt(self.first)) / self.answered, _PI_BOUNDS)

    def evidence_nats(self, usual: int, quick: int = 0) -> float:
        """Log-likelihood ratio of "dead" against "as always" after a run of `usual` misses and `quick` ones sent in
        doubt."""
        if usual + quick == 0:
            return 0.0
        further = quick * log(_IF_DEAD / self.quick.q)
        return log(_IF_DEAD / self.pi) + (usual - 1) * log(_IF_DEAD / self.usual.q) + further

    def misses_to_trip(self, nats: float) -> int:
        """How many misses in a row reach `nats`, all at the usual spacing."""
        further = max(0.0, nats - log(_IF_DEAD / self.pi)) / log(_IF_DEAD / self.usual.q)
        return 1 + int(further) + (further > int(further))

    def learn(self, usual: int, quick: int, *, quickly: bool) -> None:
        """One answer, sent in doubt if `quickly`, with so many misses between it and the answer before."""
        self.answered += 1
        if self.answered > _REMEMBERED_ANSWERED:
            self.answered, self.first = self.answered / 2, self.first / 2
            self.usual.fade()
            self.quick.fade()
        if usual == 0:
            return
        self.first += 1
        self.usual.learn(usual - quickly, usual - 1)
        self.quick.learn(quick + quickly, quick)


class SilenceTest:
    """The Markov sequential test on one stream of outcomes in the order of sending. Tripped until something answers."""

    def __init__(self, trip_nats: float, model: LossModel) -> None:
        self.trip_nats = trip_nats
        self.model = model
        """May be shared by several streams of one link, and exchanged when the pace changes."""
        self.quick = self._usual = 0
        self.tripped = False
        self._tripped_at = 0
        self._teaches = False

    @property
    def misses(self) -> int:
        """In a row, so far; `quick` of them sent in doubt."""
        return self._usual + self.quick

    @property
    def evidence_nats(self) -> float:
        return self.model.evidence_nats(self._usual, self.quick)

    def missed(self, *, quickly: bool = False, learn: bool = True) -> None:
        """`quickly`: it was sent while a run of misses was under way. A run's first miss is judged by π either way.
        `learn`: whether all was well, and so whether a run that begins now says what is usual.
        """
        if self.misses == 0:
            self._teaches = learn
        if quickly and self._usual:
            self.quick += 1
        else:
            self._usual += 1
        if not self.tripped and self.evidence_nats >= self.trip_nats:
            self.tripped, self._tripped_at = True, self.misses

    def answered(self, *, learn: bool, quickly: bool = False) -> None:
        """A silence that tripped and then lasted half as long again was an outage: it teaches nothing. One that ended
        sooner was a burst and our mistake. Not to learn from those would make q too small for ever, and so the same
        mistake.
        """
        burst = self.tripped and self._teaches and self.misses <= _STILL_A_BURST * self._tripped_at
        if burst or (learn and not self.tripped):
            self.model.learn(self._usual, self.quick, quickly=quickly)
        self._usual = self.quick = 0
        self.tripped = False


# A line that always lost up to 3 % is as it was; what is worse counts as worse even if it came slowly.
_USUAL_BOUNDS = (0.005, 0.03)
_WORSE_TIMES = (5.0, 10.0)
"""Two sums, each quickest for a loss so many times the usual: 1 → 5 % in 8 s, 1 → 10 % in 2.5 s at 60 probes a second.
"""
_WORSE_AT_LEAST, _WORSE_AT_MOST = 0.05, 0.5


class GrayLossTest:
    """CUSUM on loss: the line still answers, and loses several times what it used to.

    Counts only the beginnings of bursts (the caller feeds no outcome that follows a loss), so the same line in bursts
    is no alarm.
    """

    def __init__(self, alarm_nats: float) -> None:
        self.alarm_nats = alarm_nats + log(len(_WORSE_TIMES))  # any of the sums may be wrong
        self._sums_nats = [0.0] * len(_WORSE_TIMES)
        self._outcomes, self._losses = _PRIOR_ANSWERED, _PRIOR_FIRST

    @property
    def sum_nats(self) -> float:
        """Of the sum that holds most."""
        return max(self._sums_nats)

    @property
    def usual(self) -> float:
        """The share of probes this line begins to lose when all is as always."""
        return _within(self._losses / self._outcomes, _USUAL_BOUNDS)

    @property
    def alarmed(self) -> bool:
        return self.sum_nats >= self.alarm_nats

    def feed(self, *, missed: bool, learn: bool) -> None:
        """One outcome whose predecessor was answered."""
        if self.sum_nats == 0:
            if learn:  # once in doubt, the line is judged by what it was before
                self._learn(missed)
            if not missed:
                return
        usual, most = self.usual, 2 * self.alarm_nats
        for place, times in enumerate(_WORSE_TIMES):
            worse = _within(times * usual, (_WORSE_AT_LEAST, _WORSE_AT_MOST))
            step = log(worse / usual) if missed else log((1 - worse) / (1 - usual))
            self._sums_nats[place] = min(most, max(0.0, self._sums_nats[place] + step))

    def reset(self) -> None:
        self._sums_nats = [0.0] * len(_WORSE_TIMES)

    def _learn(self, missed: bool) -> None:
        self._outcomes += 1
        self._losses += missed
        if self._outcomes > _REMEMBERED_ANSWERED:
            self._outcomes, self._losses = self._outcomes / 2, self._losses / 2


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(bounds[1], max(bounds[0], value))
