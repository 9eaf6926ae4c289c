"""Stories of a link on a fake clock: (for how long, what happens) → the verdicts held. And a day of bad lines, at a
looser threshold.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from math import log

import pytest

from probes.link_settings import LinkSettings
from probes.prober import Refusal
from probes.reading import LinkCause, Verdict
from probes.verdict import LinkDetector, Rules

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
STEP_S = 1 / 60  # three targets at session pace


def rules(**changes: object) -> Rules:
    targets = [{"kind": "icmp", "address": f"198.51.100.{n}"} for n in range(3)]
    return LinkSettings.model_validate({"name": "fiber", "interface": "lo", "targets": targets, **changes}).rules


class Story:
    """Drives a detector and writes down every change of verdict or cause, with the second it came."""

    def __init__(self, voters: str = "abc", witnesses: str = "", **changes: object) -> None:
        self.now_s = 0.0
        self.voters, self.witnesses = voters, witnesses
        self.detector = LinkDetector(rules(**changes), voters, witnesses, now_s=0.0)
        self.held = self.detector.judge(0.0)
        self.changes: list[tuple[float, Verdict, LinkCause]] = []
        self._count = 0
        self._draw = random.Random(1).random

    def go(self, for_s: float, lost: Callable[[str], bool] = lambda _: False, *, excess: float = 0.0) -> "Story":
        """Probes for a while; `lost(target)` decides."""
        until_s = self.now_s + for_s
        while self.now_s < until_s - 1e-9:
            target = self.voters[self._count % len(self.voters)]
            self._count += 1
            self.detector.outcome(target, self.now_s, missed=lost(target))
            if not lost(target):
                self.detector.excess(target, excess, self.now_s)
            self.look()
            self.now_s += STEP_S
        return self

    def losing(self, for_s: float, share: float) -> "Story":
        return self.go(for_s, lambda _: self._draw() < share)

    def cut(self, for_s: float) -> "Story":
        return self.go(for_s, lambda _: True)

    def look(self) -> None:
        held = self.detector.judge(self.now_s)
        if held is not self.held:
            self.changes.append((self.now_s, held.verdict, held.cause))
            self.held = held

    def take(self) -> list[tuple[Verdict, LinkCause]]:
        """What changed since last taken."""
        changes, self.changes = [(verdict, cause) for _, verdict, cause in self.changes], []
        return changes


def calm(**changes: object) -> Story:
    """A link that has been up for a while."""
    story = Story(**changes).go(10)  # type: ignore[arg-type]
    assert story.take() == [(UP, LinkCause.NONE)]
    return story


# ── down ───────────────────────────────────────────────────────────────────────────────────────────────
def test_a_link_is_unknown_until_five_outcomes_are_seen() -> None:
    story = Story()
    story.go(4 * STEP_S)
    assert (story.held.verdict, story.held.cause) == (UNKNOWN, LinkCause.STARTING)
    story.go(STEP_S)
    assert (story.held.verdict, story.held.cause) == (UP, LinkCause.NONE)


def test_a_link_that_never_answered_is_down_and_never_up_before() -> None:
    assert Story().cut(5).take() == [(DOWN, LinkCause.LOSS)]


def test_a_cut_is_known_within_a_third_of_a_second_of_silence() -> None:
    story = calm()
    cut_s = story.now_s
    story.cut(1)
    [(known_s, verdict, cause)] = story.changes
    assert (verdict, cause) == (DOWN, LinkCause.LOSS)
    assert 0.05 < known_s - cut_s < 0.3


def test_one_dead_target_is_no_dead_link() -> None:
    assert calm().go(60, lambda target: target == "a").take() == []


def test_two_dead_targets_of_three_are() -> None:
    assert calm().go(5, lambda target: target in "ab").take() == [(DOWN, LinkCause.LOSS)]


def test_a_second_one_after_the_first_was_set_aside_is_not_enough() -> None:
    story = calm().go(60, lambda target: target == "a")
    assert story.go(5, lambda target: target in "ab").take() == []
    assert story.cut(1).take() == [(DOWN, LinkCause.LOSS)]


@pytest.mark.parametrize(
    ("refusal", "verdict", "cause"),
    [
        (Refusal.NO_ROUTE, DOWN, LinkCause.NO_ROUTE),
        (Refusal.NO_SOURCE, DOWN, LinkCause.NO_ROUTE),
        (Refusal.INTERFACE_DOWN, DOWN, LinkCause.CARRIER),
        (Refusal.NOT_PERMITTED, UNKNOWN, LinkCause.BLIND),
    ],
)
def test_what_the_kernel_refuses_for_a_majority_holds_at_once(
    refusal: Refusal, verdict: Verdict, cause: LinkCause
) -> None:
    story = calm()
    story.detector.refused("a", refusal)
    story.look()
    assert story.take() == []
    story.detector.refused("b", refusal)
    story.look()
    assert story.take() == [(verdict, cause)]


def test_full_buffers_are_nobodys_fault_until_nothing_is_seen_at_all() -> None:
    story = calm()
    for target in "abc":
        story.detector.refused(target, Refusal.NO_BUFFERS)
    story.now_s += 3
    story.look()
    assert story.take() == []
    story.now_s += 1
    story.look()
    assert story.take() == [(UNKNOWN, LinkCause.BLIND)]
    assert story.go(1).take() == [(UNKNOWN, LinkCause.STARTING), (UP, LinkCause.NONE)]


def test_a_lost_carrier_holds_at_once_and_its_return_is_proven_by_answers() -> None:
    story = calm()
    story.detector.carrier(False)
    story.look()
    assert story.take() == [(DOWN, LinkCause.CARRIER)]
    story.detector.carrier(True)
    assert story.cut(1).take() == [(DOWN, LinkCause.LOSS)]
    assert story.go(30).take() == [(DEGRADED, LinkCause.RECOVERING), (UP, LinkCause.NONE)]


# ── up again ───────────────────────────────────────────────────────────────────────────────────────────
def test_it_is_up_again_after_a_good_stretch_and_the_hold_down() -> None:
    story = calm().cut(5)
    healed_s = story.now_s
    story.go(30)
    (_, alive, up) = story.changes
    assert alive[1:] == (DEGRADED, LinkCause.RECOVERING)
    assert alive[0] - healed_s == pytest.approx(17 * STEP_S, abs=0.02)  # the 18th answer
    assert up[1:] == (UP, LinkCause.NONE)
    assert up[0] - alive[0] == pytest.approx(20, abs=0.2)


def test_a_flapping_link_is_held_longer_each_time() -> None:
    story, took = calm(), []
    for _ in range(4):
        story.cut(2)
        healed_s = story.now_s
        while story.held.verdict is not UP:
            story.go(1)
        took.append(round(story.now_s - healed_s - 10, -1))
    assert took == [10, 20, 40, 80]


def test_one_answer_in_ten_leaves_it_down() -> None:
    story = calm().cut(5)
    story.take()
    assert story.losing(60, 0.9).take() == []
    assert story.held.verdict is DOWN


def test_since_tells_when_the_verdict_began_not_the_cause() -> None:
    story = calm()
    story.detector.carrier(False)
    story.look()
    since_s = story.held.since_s
    story.detector.carrier(True)
    story.cut(5)
    assert (story.held.cause, story.held.since_s) == (LinkCause.LOSS, since_s)


# ── degraded ───────────────────────────────────────────────────────────────────────────────────────────
def test_sustained_loss_is_gray_until_it_ends() -> None:
    story = calm().losing(200, 0.01)
    assert story.take() == []
    began_s = story.now_s
    story.losing(20, 0.15)
    [(known_s, verdict, cause)] = story.changes
    assert (verdict, cause) == (DEGRADED, LinkCause.GRAY_LOSS)
    assert known_s - began_s < 5
    story.take()
    assert story.losing(60, 0.12).take() == []
    assert story.losing(40, 0.002).take() == [(UP, LinkCause.NONE)]


def test_a_step_in_delay_is_slow_until_it_ends() -> None:
    story = calm()
    began_s = story.now_s
    story.go(5, excess=4.0)
    [(known_s, verdict, cause)] = story.changes
    assert (verdict, cause) == (DEGRADED, LinkCause.DELAY)
    assert 0.3 < known_s - began_s < 1.0
    story.take()
    ended_s = story.now_s
    story.go(30)
    [(over_s, verdict, _)] = story.changes
    assert verdict is UP
    assert 10 < over_s - ended_s < 14


def test_a_link_that_comes_back_worse_says_so_rather_than_recovering() -> None:
    story = calm().cut(5).go(5)
    story.take()
    assert story.losing(10, 0.15).take() == [(DEGRADED, LinkCause.GRAY_LOSS)]
    assert story.losing(30, 0.002).take()[0] == (DEGRADED, LinkCause.RECOVERING)
    assert story.held.verdict is UP or story.go(20).held.verdict is UP


def test_a_witness_turns_down_into_degraded() -> None:
    """Ping is filtered, TCP gets through: half dead is not dead."""
    story = calm(witnesses="w")
    for _ in range(20):
        story.cut(0.5)
        story.detector.outcome("w", story.now_s, missed=False)
    assert [verdict for verdict, _ in story.take()] == [DOWN, DEGRADED]
    story = calm(witnesses="w")
    story.cut(0.05)
    story.detector.outcome("w", story.now_s, missed=False)
    assert story.cut(2).take() == [(DEGRADED, LinkCause.GRAY_LOSS)]
    assert story.cut(2).take() == [(DOWN, LinkCause.LOSS)]  # the witness has been silent for 3 s too


def test_a_late_answer_is_no_silence() -> None:
    story = calm()
    for _ in range(100):
        story.cut(0.1)
        for target in "abc":
            story.detector.late(target, story.now_s)
    assert DOWN not in [verdict for verdict, _ in story.take()]


# ── our own stalls ─────────────────────────────────────────────────────────────────────────────────────
def test_a_short_stall_changes_nothing_and_a_long_one_is_shown() -> None:
    story = calm()
    for stalled_s, expected in ((0.4, []), (5.0, [(UP, LinkCause.STALLED), (UP, LinkCause.NONE)])):
        story.detector.stalled(story.now_s)
        story.now_s += stalled_s
        story.look()
        assert story.go(1).take() == expected


def test_a_stall_does_not_hide_a_lost_carrier() -> None:
    story = calm()
    story.detector.stalled(story.now_s)
    story.now_s += 5
    story.detector.carrier(False)
    story.look()
    assert story.take() == [(DOWN, LinkCause.CARRIER)]


def test_a_stall_in_mid_silence_keeps_the_evidence() -> None:
    story = calm().cut(0.1)
    held = [state.test.evidence_nats for state in story.detector.targets.values()]
    story.detector.stalled(story.now_s)
    story.now_s += 10
    story.look()
    assert [state.test.evidence_nats for state in story.detector.targets.values()] == held
    assert story.detector.in_doubt
    assert min(held) > 0


# ── what others know ───────────────────────────────────────────────────────────────────────────────────
def watched(story: Story, for_s: float, lost: Callable[[str], bool], rate_bps: float) -> Story:
    """Goes on while users' bytes arrive at `rate_bps`, told after each probe."""
    total = getattr(story, "total", 0)
    for _ in range(round(for_s / STEP_S)):
        story.go(STEP_S, lost)
        total += round(rate_bps / 8 * STEP_S)
        story.detector.user_bytes(total, story.now_s)
        story.look()
    story.total = total  # type: ignore[attr-defined]
    return story


def silent(_: str) -> bool:
    return True


def heard(_: str) -> bool:
    return False


@pytest.mark.parametrize("silenced", ["abc", "ab"], ids=["all reflectors", "a majority of them"])
def test_reflectors_that_fall_silent_while_users_bytes_arrive_are_at_fault_and_not_the_link(silenced: str) -> None:
    story = watched(calm(), 10, heard, 2e6)
    watched(story, 5, lambda target: target in silenced, 2e6)
    assert story.take() == [(DEGRADED, LinkCause.REFLECTOR)]
    assert story.held.evidence.test == "user_bytes"
    watched(story, 1, lambda target: target in silenced, 0)
    assert story.take() == [(DOWN, LinkCause.LOSS)], "nobody contradicts the silence any more"


@pytest.mark.parametrize(
    "chatter_bps", [0, 40e3, 400e3], ids=["nothing", "a little", "less than a quarter of what was"]
)
def test_a_cut_is_not_hidden_by_what_the_router_itself_says(chatter_bps: float) -> None:
    story = watched(calm(), 10, heard, 2e6)
    watched(story, 5, silent, chatter_bps)
    assert story.take() == [(DOWN, LinkCause.LOSS)]


def test_traffic_that_comes_back_after_a_gap_is_trusted_only_after_ten_seconds() -> None:
    story = watched(calm(), 10, heard, 2e6)
    watched(story, 3, silent, 0)
    assert story.take() == [(DOWN, LinkCause.LOSS)]
    watched(story, 8, silent, 2e6)
    assert story.take() == []
    watched(story, 4, silent, 2e6)
    assert story.take() == [(DEGRADED, LinkCause.REFLECTOR)]


def test_users_bytes_nobody_can_tell_apart_vouch_for_nothing() -> None:
    story = watched(calm(), 10, heard, 2e6)
    story.detector.user_bytes(None, story.now_s)
    assert story.cut(2).take() == [(DOWN, LinkCause.LOSS)]


def test_a_port_the_router_calls_down_is_down_at_once() -> None:
    story = calm()
    story.detector.far_carrier(False, story.now_s)
    story.look()
    assert story.take() == [(DOWN, LinkCause.CARRIER)]
    story.cut(0.1)
    story.detector.far_carrier(True, story.now_s)
    story.go(2)
    assert story.take() == [(DOWN, LinkCause.LOSS), (DEGRADED, LinkCause.RECOVERING)]


def test_a_port_called_down_while_answers_come_is_the_wrong_port() -> None:
    story = calm()
    for _ in range(120):
        story.detector.far_carrier(False, story.now_s)
        story.go(STEP_S)
    assert story.take() == [(DOWN, LinkCause.CARRIER), (DEGRADED, LinkCause.RECOVERING)]


# ── evidence ───────────────────────────────────────────────────────────────────────────────────────────
def test_a_verdict_carries_what_it_rests_on_and_the_figures_agree() -> None:
    story = calm().cut(2)
    evidence = story.held.evidence
    assert evidence.test == "joint"
    assert evidence.nats >= evidence.trip_nats > 20
    first, further = log(0.99 / evidence.pi), log(0.99 / evidence.q)
    assert evidence.nats == pytest.approx(first + (evidence.misses - 1) * further)
    assert evidence.nats - further < evidence.trip_nats, "one miss fewer would not have been enough"


def test_two_dead_targets_of_three_are_told_by_their_votes() -> None:
    evidence = calm().go(5, lambda target: target in "ab").held.evidence
    assert (evidence.test, evidence.votes, evidence.voters) == ("votes", 2, 3)


# ── pace ───────────────────────────────────────────────────────────────────────────────────────────────
def test_suspicion_begins_with_the_first_miss_and_ends_a_second_after_the_last() -> None:
    story = calm()
    assert not story.detector.suspicious(story.now_s)
    story.cut(STEP_S)
    assert story.detector.suspicious(story.now_s)
    story.go(0.9)
    assert story.detector.suspicious(story.now_s)
    story.go(0.2)
    assert not story.detector.suspicious(story.now_s)


def test_a_long_outage_is_watched_calmly_until_something_answers() -> None:
    story = calm().cut(50)
    assert story.detector.suspicious(story.now_s)
    story.cut(15)
    assert not story.detector.suspicious(story.now_s)
    story.go(STEP_S)
    assert story.detector.suspicious(story.now_s)
    story.go(15)
    assert story.detector.suspicious(story.now_s)  # recovering: 99 % can only be told of many


def test_a_target_dead_by_itself_is_no_lasting_suspicion() -> None:
    story = calm().go(10, lambda target: target == "a")
    assert not story.detector.suspicious(story.now_s)


# ── false alarms ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("pi", "q"), [(0.01, 0.01), (0.01, 0.3), (0.01, 0.5), (0.01, 0.7)])
def test_a_quarter_of_an_hour_of_a_bad_line_is_no_outage_at_a_threshold_a_thousand_times_looser(
    pi: float, q: float
) -> None:
    """As much as ten days at the real one: a thousand false alarms declared a year instead of one."""
    lost = False

    def chain(_: str) -> bool:
        return lost

    story = Story(false_alarms_per_year=1000)
    draw = random.Random(4).random
    for _ in range(round(900 / STEP_S)):
        lost = draw() < (q if lost else pi)
        story.go(STEP_S, chain)
    assert story.take() == [(UP, LinkCause.NONE)]


def test_false_alarms_come_no_oftener_than_declared() -> None:
    """Declared so high that they can be counted: 60 an hour, a line with q = 0.5, fifteen minutes."""
    story = Story()
    loose = replace(rules(), trip_nats=rules().trip_nats - 13.2)
    story.detector = LinkDetector(loose, "abc", now_s=0.0)
    declared = 2 * 60 * 900 * 2.718281828**-loose.trip_nats
    lost, alarms, draw = False, 0, random.Random(5).random

    def chain(_: str) -> bool:
        return lost

    for _ in range(round(900 / STEP_S)):
        lost = draw() < (0.5 if lost else 0.01)
        story.go(STEP_S, chain)
    alarms = sum(verdict is DOWN for verdict, _ in story.take())
    assert 10 < declared < 20
    assert 0 < alarms <= declared
