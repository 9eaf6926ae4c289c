"""A link asked at the session pace, in simulated time: the real detector, told what the real prober would tell it and
when. Pure: the line answers, nothing else does.

Three targets take turns. An outcome is known when the answer is in or overdue, is told in the order of sending at the
next turn of the prober (a probe due, an answer overdue), and a run of misses under way quickens the pace at once.
"""

from collections import deque
from collections.abc import Iterator

from bench.outcomes import RTT_S, Line
from probes.delay import TargetDelay
from probes.link_settings import LinkSettings
from probes.pace import Pace
from probes.reading import Verdict
from probes.verdict import LinkDetector

TARGETS = ("a", "b", "c")
TIMEOUT_S = 1.0
_PLACES = tuple(enumerate(TARGETS))


def settings(**changes: object) -> LinkSettings:
    """A link with three fast targets, all else as shipped. `changes` are not checked: a bench may ask for a rate of
    false alarms that no site should.
    """
    targets = [{"kind": "icmp", "address": f"198.51.100.{number}"} for number in (20, 30, 40)]
    shipped = LinkSettings.model_validate({"name": "fiber", "interface": "lo", "targets": targets})
    return shipped.model_copy(update=changes)


def patience_s(rtt_s: float = RTT_S) -> float:
    """How long the prober waits for an answer of a target that has always answered after `rtt_s`."""
    delay = TargetDelay()
    for number in range(200):
        delay.learn(rtt_s, number / 20)
    return delay.patience_s(TIMEOUT_S)


class Asking:
    """One link over a simulated line. Holds `verdict` and when it changed; goes on for as long as `go` is told."""

    def __init__(self, line: Line, link: LinkSettings, *, phase_s: float = 0.0) -> None:
        self.line = line
        self.now_s = 0.0
        self.sent = 0
        self.detector = LinkDetector(link.rules, TARGETS, now_s=0.0)
        self.detector.session(True)
        self.verdict = self.detector.judge(0.0).verdict
        self._usual_s = link.paces.interval_s(Pace.SESSION)
        self._doubt_s = link.paces.interval_s(Pace.SESSION, in_doubt=True)
        self._patience_s = patience_s()
        self._in_doubt = False
        self._interval_s = self._usual_s
        # Turn by turn: the target asked, when it is due.
        self._due = deque((label, phase_s + place * self._usual_s / len(TARGETS)) for place, label in _PLACES)
        self._flying: deque[tuple[float, str, bool, bool]] = deque()
        """Settled from then on, target, missed, sent in doubt."""
        self.run_s: list[float] = []
        """When the probes of the run of misses told last were sent."""

    def go(self, until_s: float) -> Iterator[tuple[float, Verdict]]:
        """Asks until then; each change of verdict as it comes."""
        due, flying, loses = self._due, self._flying, self.line.loses
        outcome, judge, detector = self.detector.outcome, self.detector.judge, self.detector
        while True:
            label, due_s = due[0]
            now_s = due_s
            if flying and flying[0][2] and flying[0][0] < now_s:
                now_s = flying[0][0]  # an answer is overdue before the next probe is due
            if now_s > until_s:
                break
            self.now_s = now_s
            while flying and flying[0][0] <= now_s:
                settled_s, target, missed, quickly = flying.popleft()
                outcome(target, now_s, missed=missed, quickly=quickly)
                if missed:
                    self.run_s.append(settled_s - self._patience_s)
                elif self.run_s:
                    self.run_s = []
            verdict = judge(now_s).verdict
            if verdict is not self.verdict:
                self.verdict = verdict
                yield now_s, verdict
            if detector.in_doubt is not self._in_doubt:
                self._follow_pace(now_s)
            elif now_s == due_s:
                due.popleft()
                due.append((label, due_s + self._interval_s))
                missed = loses(due_s)
                flying.append((due_s + (self._patience_s if missed else RTT_S), label, missed, self._in_doubt))
                self.sent += 1

    def _follow_pace(self, now_s: float) -> None:
        """As `LinkProber` does: targets whose pace changed are spread over one new interval, beginning now."""
        self._in_doubt = not self._in_doubt
        self._interval_s = self._doubt_s if self._in_doubt else self._usual_s
        for place, label in _PLACES:
            self._due.popleft()
            self._due.append((label, now_s + place * self._interval_s / len(TARGETS)))
