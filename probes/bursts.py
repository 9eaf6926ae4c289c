"""Does this link lose packets one by one or in bursts? Concealment bridges one lost packet and not five in a row.

Pure: `now_s` is an argument. Fed with outcomes in the order of sending, as the detector is: a probe counts as missed
once it is overdue, for what comes too late is of no use to a call either (RFC 3611 counts it as discarded, and lost and
discarded packets alike make its bursts). Runs are of one target: probes to several, interleaved, would cut them up.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

WINDOW_S = 10.0
"""A run of 500 probes at most at 50 a second; long enough for a loss ratio at a calm pace."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Of the outcomes within the window, the runs of missed ones."""

    outcomes: int
    missed: int
    runs: int
    longest: int
    """In probes; 0 where none was missed."""

    @property
    def mean(self) -> float | None:
        """In probes; None where none was missed."""
        return self.missed / self.runs if self.runs else None

    @property
    def loss_pct(self) -> float | None:
        """None where nothing was asked."""
        return 100 * self.missed / self.outcomes if self.outcomes else None

    @property
    def ratio(self) -> float:
        """BurstR of ITU-T G.107: mean run over the mean run of as much independent loss, 1 / (1 - loss). At least 1."""
        if not self.runs:
            return 1.0
        return max(1.0, self.missed / self.runs * (1 - self.missed / self.outcomes))


class Bursts:
    """The last ten seconds of one target. A run that began before is as long as what is left of it."""

    def __init__(self) -> None:
        self._outcomes: deque[tuple[float, bool]] = deque()

    def feed(self, now_s: float, missed: bool) -> None:
        """The next probe, in the order of sending, was answered in time or was not."""
        outcomes = self._outcomes
        outcomes.append((now_s, missed))
        while outcomes[0][0] <= now_s - WINDOW_S:
            outcomes.popleft()

    def runs(self, now_s: float) -> Runs:
        """Walks them all, 20 µs for 500 outcomes: for once a second."""
        missed = runs = longest = length = 0
        outcomes = [was_missed for at_s, was_missed in self._outcomes if at_s > now_s - WINDOW_S]
        for was_missed in outcomes:
            if not was_missed:
                length = 0
                continue
            length += 1
            missed += 1
            runs += length == 1
            longest = max(longest, length)
        return Runs(len(outcomes), missed, runs, longest)

    def mean(self, now_s: float) -> float | None:
        """Mean run of missed probes; None where none was missed."""
        return self.runs(now_s).mean

    def longest(self, now_s: float) -> int:
        return self.runs(now_s).longest


def together(targets: Iterable[Runs]) -> Runs:
    """A link's runs: those of all its targets."""
    seen = list(targets)
    return Runs(
        sum(each.outcomes for each in seen),
        sum(each.missed for each in seen),
        sum(each.runs for each in seen),
        max((each.longest for each in seen), default=0),
    )
