"""What others do to call a line dead, each rule as it is shipped or documented. Pure: each says when it sends its next
probe, is told whether that stays without an answer, and says when it called the line down.

* Windowed loss, dpinger: every `send` an echo request into a ring of `period` / `send`; every `look` the share of the
  ring that is lost, where a request counts as lost once it is `patience` old. Alarm when that share, in whole per cent
  rounded down, is above `alarm_pct`; over when it was not for ten looks. (github.com/dennypage/dpinger, dpinger.c of
  3.2: report() and alert_thread(); defaults from its usage text; alarm 20 % as pfSense and OPNsense set it, see
  docs.netgate.com, "Gateway Logs".)
* N misses, Peplink's WAN health check: a request every 5 s, 5 s to answer, down after 3 in a row. (Balance user
  manual, "Other Health Check Settings": timeout 5 s, interval 5 s, retries 3, recovery retries 3.)
* N failed rounds, mwan3: a round pings its hosts one after the other, up to 4 s each, until `reliability` answered;
  10 s from one round's end to the next; down after 5 rounds with too few answers, up after 5 good ones.
  (github.com/openwrt/packages, net/mwan3: usr/sbin/mwan3track and etc/config/mwan3 with four hosts, reliability 2.)
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from bench.outcomes import RTT_S


class Rule(Protocol):
    """Drive it so: `line.loses(rule.due_s)` into `sent`, again and again."""

    due_s: float
    """When it sends its next probe."""
    down_s: float | None
    """When it called the line down; None while it holds it to be up."""

    def sent(self, *, lost: bool) -> None:
        """The probe of `due_s` was sent and will (not) be answered. Moves on to the next."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    send_s: float
    patience_s: float
    period_s: float
    look_s: float
    alarm_pct: float


DPINGER_SHIPPED = WindowSettings(send_s=0.5, patience_s=2.0, period_s=60.0, look_s=1.0, alarm_pct=20)
DPINGER_TUNED = WindowSettings(send_s=0.1, patience_s=0.4, period_s=2.0, look_s=0.1, alarm_pct=20)
"""`-s 100m -t 2s -A 100m -L 20`: the loss interval follows as four send intervals."""

_HELD_LOOKS = 10


class WindowedLoss:
    def __init__(self, its: WindowSettings, *, phase_s: float = 0.0) -> None:
        self._its = its
        self.due_s = phase_s
        self.down_s: float | None = None
        self._slots = round(its.period_s / its.send_s)
        self._look_at_s = phase_s + its.look_s / 2  # two threads, each with a beat of its own
        self._young: deque[tuple[float, bool]] = deque()  # sent, lost: what does not count yet
        self._ring: deque[bool] = deque()
        self._lost = self._well = 0

    def sent(self, *, lost: bool) -> None:
        self._young.append((self.due_s, lost))
        self.due_s += self._its.send_s
        while self._look_at_s <= self.due_s:
            self._look(self._look_at_s)
            self._look_at_s += self._its.look_s

    def _look(self, now_s: float) -> None:
        while self._young and self._young[0][0] + self._counts_after_s(lost=self._young[0][1]) < now_s:
            self._count(self._young.popleft()[1])
        # Requests under way hold slots of the ring and count neither way; answers behind them already do.
        answered = sum(not lost and sent_s + RTT_S < now_s for sent_s, lost in self._young)
        while len(self._ring) + len(self._young) > self._slots:
            self._lost -= self._ring.popleft()
        counted = len(self._ring) + answered
        share_pct = 100 * self._lost // counted if counted else 0
        if share_pct > self._its.alarm_pct:
            self._well = 0
            self.down_s = now_s if self.down_s is None else self.down_s
        elif self.down_s is not None:
            self._well += 1
            self.down_s = None if self._well >= _HELD_LOOKS else self.down_s

    def _counts_after_s(self, *, lost: bool) -> float:
        return self._its.patience_s if lost else RTT_S

    def _count(self, lost: bool) -> None:
        self._ring.append(lost)
        self._lost += lost


@dataclass(frozen=True, slots=True)
class MissSettings:
    send_s: float
    patience_s: float
    misses: int
    answers: int = 1
    """In a row, to be up again."""


PEPLINK = MissSettings(send_s=5.0, patience_s=5.0, misses=3, answers=3)
"""Read kindly: the next request goes out every 5 s, not 5 s after the last one's timeout."""


class Misses:
    def __init__(self, its: MissSettings, *, phase_s: float = 0.0) -> None:
        self._its = its
        self.due_s = phase_s
        self.down_s: float | None = None
        self._run = self._good = 0

    def sent(self, *, lost: bool) -> None:
        if lost:
            self._run, self._good = self._run + 1, 0
            if self._run >= self._its.misses and self.down_s is None:
                self.down_s = self.due_s + self._its.patience_s
        else:
            self._run, self._good = 0, self._good + 1
            if self._good >= self._its.answers:
                self.down_s = None
        self.due_s += self._its.send_s


@dataclass(frozen=True, slots=True)
class CountSettings:
    send_s: float
    patience_s: float
    window: int
    lost: int


class Counted:
    """Windowed loss at its kindest: so many of the last `window` probes are lost, looked at with each of them."""

    def __init__(self, its: CountSettings, *, phase_s: float = 0.0) -> None:
        self._its = its
        self.due_s = phase_s
        self.down_s: float | None = None
        self._window = deque([False] * its.window)
        self._lost = 0

    def sent(self, *, lost: bool) -> None:
        self._window.append(lost)
        self._lost += lost - self._window.popleft()
        if self._lost < self._its.lost:
            self.down_s = None
        elif self.down_s is None:
            self.down_s = self.due_s + self._its.patience_s
        self.due_s += self._its.send_s


@dataclass(frozen=True, slots=True)
class RoundSettings:
    hosts: int
    enough: int
    patience_s: float
    rest_s: float
    down: int
    up: int


MWAN3 = RoundSettings(hosts=4, enough=2, patience_s=4.0, rest_s=10.0, down=5, up=5)


class Rounds:
    def __init__(self, its: RoundSettings, *, phase_s: float = 0.0) -> None:
        self._its = its
        self.due_s = phase_s
        self.down_s: float | None = None
        self._asked = self._answered = self._failed = self._good = 0

    def sent(self, *, lost: bool) -> None:
        self._asked += 1
        self._answered += not lost
        self.due_s += self._its.patience_s if lost else RTT_S
        if self._answered < self._its.enough and self._asked < self._its.hosts:
            return
        self._end_round(failed=self._answered < self._its.enough)
        self._asked = self._answered = 0
        self.due_s += self._its.rest_s

    def _end_round(self, *, failed: bool) -> None:
        # A good round puts the score back to full, so failed ones count in a row.
        self._failed, self._good = (self._failed + 1, 0) if failed else (0, self._good + 1)
        if self._failed >= self._its.down and self.down_s is None:
            self.down_s = self.due_s
        elif self._good >= self._its.up:
            self.down_s = None
