"""Two sequential tests on probe outcomes: "nothing comes back" and "more is lost than used to be". Pure; nothing here
knows a clock.

Loss is a Markov chain: π, the chance to lose a probe after one that was answered, and q, the chance to lose the next
one too. Both are learnt, and only from silence that ended by itself, so that an outage never becomes normal. The trap
this avoids is the fixed count: five misses in a row happen 56 times an hour on a line that loses 1 % in bursts with q =
0.5.
"""

from dataclasses import dataclass
from math import log, sqrt

SECONDS_A_YEAR = 365.25 * 86400

# As if seen before the first probe. One loss in 200 and 2 repeats in 10 give, with their uncertainty, π = 1 % and q =
# 0.34: a fresh box is slower by some probes rather than wrong.
_PRIOR_ANSWERED, _PRIOR_FIRST, _PRIOR_LOST, _PRIOR_AGAIN = 200.0, 1.0, 10.0, 2.0
# About 5 min at 60 probes a second, and 400 losses; older ones fade.
_REMEMBERED_ANSWERED, _REMEMBERED_LOST = 20_000.0, 400.0
_PI_BOUNDS = (0.0002, 0.2)
_Q_BOUNDS = (0.05, 0.95)  # at 0.95 a black hole still trips after some 430 probes, 2.9 s of three targets in doubt
_IF_DEAD = 0.99  # a dead link loses a probe with this probability


def trip_nats(false_alarms_per_year: float, probes_per_s: float) -> float:
    """ln(1/α) for the declared rate of false alarms.

    Without an outage a silence reaches the threshold with probability α per probe (Wald): α is the declared rate over
    the probes of a year.
    """
    return max(1.0, log(SECONDS_A_YEAR * probes_per_s / false_alarms_per_year))


@dataclass(slots=True)
class LossModel:
    """π and q of one link at one pace: bursts last for a time, so q depends on how closely probes follow each other."""

    answered: float = _PRIOR_ANSWERED
    first: float = _PRIOR_FIRST
    lost: float = _PRIOR_LOST
    again: float = _PRIOR_AGAIN

    @property
    def pi(self) -> float:
        """P(lost | the one before was answered), one standard error up: too little known must not trip early."""
        return _within((self.first + sqrt(self.first)) / self.answered, _PI_BOUNDS)

    @property
    def q(self) -> float:
        """P(lost | the one before was lost), one standard error up."""
        share = self.again / self.lost
        return _within(share + sqrt(share * (1 - share) / self.lost), _Q_BOUNDS)

    def evidence_nats(self, misses: int) -> float:
        """Log-likelihood ratio of "dead" against "as always" after `misses` in a row."""
        if misses == 0:
            return 0.0
        return log(_IF_DEAD / self.pi) + (misses - 1) * log(_IF_DEAD / self.q)

    def misses_to_trip(self, nats: float) -> int:
        """How many misses in a row reach `nats`."""
        further = max(0.0, nats - log(_IF_DEAD / self.pi)) / log(_IF_DEAD / self.q)
        return 1 + int(further) + (further > int(further))

    def learn(self, misses: int) -> None:
        """One answer, with `misses` between it and the answer before."""
        self.answered += 1
        if misses:
            self.first += 1
            self.lost += misses
            self.again += misses - 1
            if self.lost > _REMEMBERED_LOST:
                self.lost, self.again = self.lost / 2, self.again / 2
        if self.answered > _REMEMBERED_ANSWERED:
            self.answered, self.first = self.answered / 2, self.first / 2


class SilenceTest:
    """The Markov sequential test on one stream of outcomes in the order of sending. Tripped until something answers."""

    def __init__(self, trip_nats: float, model: LossModel) -> None:
        self.trip_nats = trip_nats
        self.model = model
        """May be shared by several streams of one link, and exchanged when the pace changes."""
        self.misses = 0
        self.tripped = False

    @property
    def evidence_nats(self) -> float:
        return self.model.evidence_nats(self.misses)

    def missed(self) -> None:
        self.misses += 1
        self.tripped = self.tripped or self.evidence_nats >= self.trip_nats

    def answered(self, *, learn: bool) -> None:
        """A silence that tripped was an outage, whatever ended it: it teaches nothing."""
        if learn and not self.tripped:
            self.model.learn(self.misses)
        self.misses, self.tripped = 0, False


# A line that always lost up to 3 % is as it was; what is worse counts as worse even if it came slowly.
_USUAL_BOUNDS = (0.005, 0.03)
_WORSE_TIMES, _WORSE_AT_LEAST = 5.0, 0.05


class GrayLossTest:
    """CUSUM on loss: the line still answers, and loses several times what it used to.

    Counts only the beginnings of bursts (the caller feeds no outcome that follows a loss), so the same line in bursts
    is no alarm. With h = 18.7 nats at 20 ms, 30 days between false alarms, 1 → 10 % takes 2.6 s and 1 → 5 % some 9 s in
    the mean.
    """

    def __init__(self, alarm_nats: float) -> None:
        self.alarm_nats = alarm_nats
        self.sum_nats = 0.0
        self._outcomes, self._losses = _PRIOR_ANSWERED, _PRIOR_FIRST

    @property
    def usual(self) -> float:
        """The share of probes this line begins to lose when all is as always."""
        return _within(self._losses / self._outcomes, _USUAL_BOUNDS)

    @property
    def alarmed(self) -> bool:
        return self.sum_nats >= self.alarm_nats

    def feed(self, *, missed: bool, learn: bool) -> None:
        """One outcome whose predecessor was answered."""
        if learn and self.sum_nats == 0:  # once in doubt, the line is judged by what it was before
            self._learn(missed)
        usual = self.usual
        worse = max(_WORSE_AT_LEAST, _WORSE_TIMES * usual)
        step = log(worse / usual) if missed else log((1 - worse) / (1 - usual))
        self.sum_nats = min(2 * self.alarm_nats, max(0.0, self.sum_nats + step))

    def reset(self) -> None:
        self.sum_nats = 0.0

    def _learn(self, missed: bool) -> None:
        self._outcomes += 1
        self._losses += missed
        if self._outcomes > _REMEMBERED_ANSWERED:
            self._outcomes, self._losses = self._outcomes / 2, self._losses / 2


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(bounds[1], max(bounds[0], value))
