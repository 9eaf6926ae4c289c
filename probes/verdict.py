"""What the outcomes of all its targets say about a link. Pure: `now_s` is an argument everywhere.

The rules, worst first, are the table `RULES`. Down fast: silence, no carrier, no route. Up slowly: see `recovery`. A
silence that users' bytes or a slow witness contradict is none of the link.
While our own process stood still nothing new is concluded, and the verdict stays.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from probes.delay import DelayTest
from probes.detector import GrayLossTest
from probes.prober import Refusal
from probes.reading import Evidence, LinkCause, Verdict
from probes.recovery import Recovery, RecoveryRules
from probes.silence import Bearing, Silence, TargetState, needed_votes
from probes.user_bytes import UserBytes
from probes.ways import LinkWays

_KNOWN_AFTER = 5  # outcomes before anything is said
_GOOD_SHARE, _GOOD_TIMES_USUAL = 0.01, 1.5  # 99 % answered, or half as much again as this line always lost
_SLOW_HOLDS_S = 10.0  # a queue that fills and drains every few seconds is one trouble
_STALL_SHOWS_S = 1.0
_ANSWERS_UNDER_WAY_S = 1.0
_SUSPICION_S = 1.0  # how long after a miss to ask more often
_WATCH_CLOSELY_S = 60.0  # … and after any change to worse; a long outage or a poor line is asked calmly again


@dataclass(frozen=True, slots=True)
class Rules:
    trip_nats: float
    gray_nats: float
    recovery: RecoveryRules
    witness_for_s: float
    """How long an answer to a witness counts: some of its intervals under suspicion."""
    blind_after_s: float
    """Without any outcome for so long nothing is known: longer than the slowest pace and a timeout."""


@dataclass(frozen=True, slots=True)
class Holding:
    verdict: Verdict
    cause: LinkCause
    since_s: float
    """Since when this verdict; its cause may be newer."""
    evidence: Evidence
    """As it was when this was concluded."""


class LinkDetector:
    """Told what happens on one link, asked for its verdict. Witnesses are the targets of slow kinds, see `silence`."""

    def __init__(self, rules: Rules, voters: Iterable[str], witnesses: Iterable[str] = (), *, now_s: float) -> None:
        self._rules = rules
        self._silence = Silence(rules.trip_nats, voters, witnesses, witness_for_s=rules.witness_for_s)
        self._gray, self._delay = GrayLossTest(rules.gray_nats), DelayTest()
        self.ways = LinkWays(rules.gray_nats)
        """Told by whoever hears answers that say both ways."""
        self._recovery = Recovery(rules.recovery)
        self._refused: dict[str, Refusal] = {}
        self._users = UserBytes()
        self._carrier = True
        self._far_lost_s: float | None = None
        self._holding = Holding(Verdict.UNKNOWN, LinkCause.STARTING, now_s, self._evidence("starting"))
        self._fed_s = now_s
        self._frozen_s: float | None = None
        self._gray_s: float | None = None
        self._slow_until_s = float("-inf")

    # ── told ───────────────────────────────────────────────────────────────────────────────────────────
    def outcome(self, label: str, now_s: float, *, missed: bool, quickly: bool = False) -> None:
        """The next probe to this target, in the order of sending, was answered in time or was not. `quickly`: it was
        sent `in_doubt`.
        """
        self._fed_s, self._frozen_s = now_s, None
        learn = self.learning
        bearing = self._silence.outcome(label, now_s, missed=missed, learn=learn, quickly=quickly)
        if bearing is Bearing.NONE:
            return
        if bearing is Bearing.FRESH:
            self._gray.feed(missed=missed, learn=learn)
        self._recovery.outcome(now_s, missed=missed)

    def late(self, label: str, now_s: float) -> None:
        """A probe already counted as missed was answered after all: this is no silence."""
        self._silence.late(label, now_s)

    def excess(self, label: str, units: float, now_s: float) -> None:
        """An answer came so many units (see `delay`) above its target's baseline."""
        if not self.targets[label].witness:
            self._delay.feed(units, now_s)

    def refused(self, label: str, why: Refusal | None) -> None:
        """The kernel would not send to this target; None: it did. Full buffers are our own trouble and tell nothing."""
        if why is None or why is Refusal.NO_BUFFERS:
            self._refused.pop(label, None)
        else:
            self._refused[label] = why

    def carrier(self, up: bool) -> None:
        """Of our own interface, where the link is one."""
        self._carrier = up

    def far_carrier(self, up: bool, now_s: float) -> None:
        """Of the router's port behind which the link is, as the router says (ifOperStatus)."""
        if up:
            self._far_lost_s = None
        elif self._far_lost_s is None:
            self._far_lost_s = now_s

    def user_bytes(self, total: int | None, now_s: float) -> None:
        """What has arrived for users by this link so far; None: not known. See `user_bytes`."""
        self._users.told(now_s, total, in_doubt=self._silence.in_doubt or self._silence.tripped)

    def stalled(self, since_s: float) -> None:
        """Our own process stood still from `since_s` on. Ends with the next outcome told."""
        if self._frozen_s is None:
            self._frozen_s = since_s

    def session(self, active: bool) -> None:
        """The session pace began or ended."""
        self._silence.session(active)

    # ── concluded ──────────────────────────────────────────────────────────────────────────────────────
    @property
    def targets(self) -> dict[str, TargetState]:
        return self._silence.targets

    @property
    def learning(self) -> bool:
        """What is learnt as usual is learnt while all is well."""
        return self._holding.verdict in (Verdict.UP, Verdict.UNKNOWN)

    @property
    def in_doubt(self) -> bool:
        """A run of misses is under way: a verdict is near."""
        return self._silence.in_doubt

    def judge(self, now_s: float) -> Holding:
        if self._frozen_s is None:
            self._follow(now_s)
        held = self._holding
        rule = next(rule for rule in RULES if rule.holds(self, now_s))
        verdict, cause = rule.verdict, rule.cause
        if verdict is held.verdict and self._frozen_s is not None and now_s - self._frozen_s >= _STALL_SHOWS_S:
            cause = LinkCause.STALLED
        if (verdict, cause) != (held.verdict, held.cause):
            since_s = held.since_s if verdict is held.verdict else now_s
            self._holding = Holding(verdict, cause, since_s, self._evidence(rule.test))
            self._enter(held.verdict, verdict, now_s)
        return self._holding

    def suspicious(self, now_s: float) -> bool:
        """Whether to ask more often than calmly."""
        held = self._holding
        if now_s - self._silence.missed_s < _SUSPICION_S or self._recovery.under_way or self.half_alive(now_s):
            return True
        if held.verdict is Verdict.UP:
            return False
        answers_again = held.verdict is Verdict.DOWN and now_s - self._silence.heard_s < _SUSPICION_S
        return answers_again or now_s - held.since_s < _WATCH_CLOSELY_S

    # ── conditions of the table ────────────────────────────────────────────────────────────────────────
    def no_carrier(self, _: float) -> bool:
        # Answers that still come long after the port was called down came by it: the wrong port is configured.
        far = self._far_lost_s is not None and self._silence.heard_s <= self._far_lost_s + _ANSWERS_UNDER_WAY_S
        return not self._carrier or far or self._mostly_refused(Refusal.INTERFACE_DOWN)

    def no_route(self, _: float) -> bool:
        return self._mostly_refused(Refusal.NO_ROUTE, Refusal.NO_SOURCE, Refusal.INTERFACE_DOWN)

    def not_permitted(self, _: float) -> bool:
        return self._mostly_refused(Refusal.NOT_PERMITTED)

    def nothing_seen(self, now_s: float) -> bool:
        return self._frozen_s is None and now_s - self._fed_s > self._rules.blind_after_s

    def silent(self, now_s: float) -> bool:
        contradicted = self._silence.contradicted(now_s) or self.reflectors_only(now_s)
        return self._silence.tripped and not contradicted

    def reflectors_only(self, now_s: float) -> bool:
        return self._silence.tripped and self._users.vouch(self._silence.silent_s(now_s), now_s)

    def half_alive(self, now_s: float) -> bool:
        return self._silence.tripped and self._silence.contradicted(now_s)

    def still_dead(self, _: float) -> bool:
        return self._holding.verdict is Verdict.DOWN and not self._recovery.alive

    def too_early(self, _: float) -> bool:
        unsure = self._recovery.seen < _KNOWN_AFTER or not self._recovery.heard
        return self._holding.verdict is Verdict.UNKNOWN and unsure

    def recovering(self, _: float) -> bool:
        return self._recovery.under_way or self._holding.verdict is Verdict.DOWN

    def lossy(self, _: float) -> bool:
        return self._gray_s is not None

    def slow(self, now_s: float) -> bool:
        return now_s < self._slow_until_s

    def fine(self, _: float) -> bool:
        return True

    def _mostly_refused(self, *reasons: Refusal) -> bool:
        if not self._refused:
            return False
        voters = [label for label, state in self.targets.items() if not state.witness]
        return sum(self._refused.get(label) in reasons for label in voters) >= needed_votes(len(voters))

    def _evidence(self, test: str) -> Evidence:
        joint, (votes, voters) = self._silence.joint, self._silence.votes
        if test == "silence":
            test = "joint" if joint.tripped else "votes"
        model = joint.model
        return Evidence(
            test=test,
            nats=joint.evidence_nats,
            trip_nats=joint.trip_nats,
            misses=joint.misses,
            pi=model.pi,
            q=model.usual.q,
            votes=votes,
            voters=voters,
            quick=joint.quick,
            q_quick=model.quick.q,
        )

    # ── what goes on below a verdict ───────────────────────────────────────────────────────────────────
    def _follow(self, now_s: float) -> None:
        allowed = max(_GOOD_SHARE, _GOOD_TIMES_USUAL * self._gray.usual)
        if not self._silence.tripped:
            self._silence.set_aside(now_s)
        self._recovery.look(now_s, allowed)
        ill = self._gray.alarmed or self.ways.ill()
        if ill and self._gray_s is None:
            self._gray_s = now_s
        elif self._gray_s is not None and self._recovery.good_since(self._gray_s, now_s, allowed):
            self._gray_s = None
            self._gray.reset()
            self.ways.begin_anew()
        if self._delay.slow:
            self._slow_until_s = now_s + _SLOW_HOLDS_S

    def _enter(self, before: Verdict, verdict: Verdict, now_s: float) -> None:
        if before is verdict:
            return
        if verdict is Verdict.UNKNOWN:
            self._recovery.begin_anew()
        elif verdict is Verdict.DOWN:
            self._recovery.fell(now_s)
            # How it lost and delayed before it went says nothing about how it will come back.
            self._gray_s, self._slow_until_s = None, float("-inf")
            self._gray.reset()
            self._delay.reset()
            self.ways.begin_anew()
        elif before is Verdict.DOWN and verdict is Verdict.DEGRADED:
            self._recovery.rose(now_s)


class Rule(NamedTuple):
    test: str
    """What the evidence calls it."""
    holds: Callable[[LinkDetector, float], bool]
    verdict: Verdict
    cause: LinkCause


RULES = (
    Rule("carrier", LinkDetector.no_carrier, Verdict.DOWN, LinkCause.CARRIER),
    Rule("route", LinkDetector.no_route, Verdict.DOWN, LinkCause.NO_ROUTE),
    Rule("permission", LinkDetector.not_permitted, Verdict.UNKNOWN, LinkCause.BLIND),
    Rule("sight", LinkDetector.nothing_seen, Verdict.UNKNOWN, LinkCause.BLIND),
    Rule("silence", LinkDetector.silent, Verdict.DOWN, LinkCause.LOSS),
    Rule("user_bytes", LinkDetector.reflectors_only, Verdict.DEGRADED, LinkCause.REFLECTOR),
    Rule("witness", LinkDetector.half_alive, Verdict.DEGRADED, LinkCause.GRAY_LOSS),
    Rule("silence", LinkDetector.still_dead, Verdict.DOWN, LinkCause.LOSS),
    Rule("starting", LinkDetector.too_early, Verdict.UNKNOWN, LinkCause.STARTING),
    Rule("gray_loss", LinkDetector.lossy, Verdict.DEGRADED, LinkCause.GRAY_LOSS),
    Rule("delay", LinkDetector.slow, Verdict.DEGRADED, LinkCause.DELAY),
    Rule("recovery", LinkDetector.recovering, Verdict.DEGRADED, LinkCause.RECOVERING),
    Rule("none", LinkDetector.fine, Verdict.UP, LinkCause.NONE),
)
