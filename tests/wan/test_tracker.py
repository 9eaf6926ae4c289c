"""Polls in, facts out: (second, what happened, what is told)."""

from tests.wan.seen import router, wan
from wan.profile import RouterSeen
from wan.reading import ActiveWanChanged, RouterCause, RouterReading, WanState
from wan.tracker import Fact, RouterTracker

CALM = router(wan("0"), wan("1", WanState.STANDBY))
MOVED = router(wan("0", WanState.HEALTH_CHECK_FAILED), wan("1"))
NOBODY = router(wan("0", WanState.DISCONNECTED), wan("1", WanState.CONNECTING))


class Story:
    def __init__(self) -> None:
        self.tracker = RouterTracker("router", 100.0)

    def answered(self, at_s: float, seen: RouterSeen = CALM) -> list[Fact]:
        return self.tracker.answered(seen, at_s)

    def missed(self, at_s: float, cause: RouterCause = RouterCause.NO_ANSWER) -> list[Fact]:
        return self.tracker.missed(cause, asked_s=at_s, at_s=at_s + 0.5)


def only(facts: list[Fact]) -> RouterReading:
    (reading,) = facts
    assert isinstance(reading, RouterReading)
    return reading


def told(facts: list[Fact]) -> tuple[bool, RouterCause, str | None, float]:
    reading = only(facts)
    return reading.answering, reading.cause, reading.active, reading.since_s


def test_it_starts_by_saying_that_it_knows_nothing() -> None:
    reading = Story().tracker.reading
    assert (reading.answering, reading.cause, reading.active) == (False, RouterCause.STARTING, None)
    assert (reading.since_s, reading.wans, reading.model) == (100.0, (), None)


def test_where_the_traffic_is_at_first_sight_is_no_move() -> None:
    assert told(Story().answered(101)) == (True, RouterCause.NONE, "0", 101)


def test_since_is_when_it_became_so() -> None:
    story = Story()
    assert [only(story.answered(at)).since_s for at in (101, 102, 103)] == [101, 101, 101]
    assert only(story.answered(104, NOBODY)).since_s == 104
    assert only(story.answered(105, NOBODY)).since_s == 104


def test_a_failover_and_a_failback_are_told_before_their_readings() -> None:
    story = Story()
    story.answered(101)
    change, reading = story.answered(102, MOVED)
    assert change == ActiveWanChanged("router", 102, previous="0", active="1")
    assert isinstance(reading, RouterReading)
    assert (reading.active, reading.since_s) == ("1", 102)
    assert story.answered(103)[0] == ActiveWanChanged("router", 103, previous="1", active="0")


def test_the_move_is_told_once_known_and_not_while_nobody_carries_the_traffic() -> None:
    story = Story()
    story.answered(101)
    assert told(story.answered(102, NOBODY)) == (True, RouterCause.NONE, None, 102)
    assert story.answered(103, MOVED)[0] == ActiveWanChanged("router", 103, previous="0", active="1")


def test_a_wan_that_comes_back_to_itself_did_not_move() -> None:
    story = Story()
    story.answered(101)
    story.answered(102, NOBODY)
    assert told(story.answered(103)) == (True, RouterCause.NONE, "0", 103)


def test_one_missed_poll_says_nothing_and_two_are_silence_since_the_first() -> None:
    story = Story()
    story.answered(101)
    assert story.missed(102) == []
    assert told(story.missed(103)) == (False, RouterCause.NO_ANSWER, None, 102)
    assert told(story.missed(104)) == (False, RouterCause.NO_ANSWER, None, 102)


def test_misses_count_only_in_a_row() -> None:
    story = Story()
    for at in (101, 103, 105):
        assert only(story.answered(at)).answering
        assert story.missed(at + 1) == []


def test_the_wans_of_a_silent_router_are_unknown() -> None:
    story = Story()
    story.answered(101, router(wan("0", octets=5, healthy=True), wan("1", WanState.STANDBY)))
    story.missed(102)
    reading = only(story.missed(103))
    assert {(wan.state, wan.healthy, wan.rx_bytes, wan.tx_bytes) for wan in reading.wans} == {
        (WanState.UNKNOWN, None, None, None)
    }
    assert [wan.wan for wan in reading.wans] == ["0", "1"]
    assert (reading.uptime_s, reading.model, reading.at_s) == (None, "Balance 20X", 103.5)


def test_a_failover_during_silence_is_told_with_the_first_answer() -> None:
    story = Story()
    story.answered(101)
    for at in range(102, 110):
        story.missed(at)
    change, reading = story.answered(110, MOVED)
    assert change == ActiveWanChanged("router", 110, previous="0", active="1")
    assert told([reading]) == (True, RouterCause.NONE, "1", 110)


def test_a_silence_without_a_failover_ends_without_a_move() -> None:
    story = Story()
    story.answered(101)
    for at in range(102, 105):
        story.missed(at)
    assert told(story.answered(105)) == (True, RouterCause.NONE, "0", 105)


def test_a_router_that_never_answered_says_why_and_since_when() -> None:
    story = Story()
    assert story.missed(101, RouterCause.AUTH) == []
    assert told(story.missed(102, RouterCause.AUTH)) == (False, RouterCause.AUTH, None, 101)
    assert told(story.missed(103, RouterCause.MALFORMED)) == (False, RouterCause.MALFORMED, None, 103)


def test_rates_start_anew_after_silence() -> None:
    story = Story()
    rates = []
    for at, octets in ((101, 0), (102, 1000)):
        rates.append(only(story.answered(at, router(wan("0", octets=octets)))).wans[0].rx_bps)
    story.missed(103)
    story.missed(104)
    for at, octets in ((105, 9000), (106, 9125)):
        rates.append(only(story.answered(at, router(wan("0", octets=octets)))).wans[0].rx_bps)
    assert rates == [None, 8000, None, 1000]


def test_one_missed_poll_does_not_cost_the_rate() -> None:
    story = Story()
    story.answered(101, router(wan("0", octets=0)))
    story.missed(102)
    assert only(story.answered(103, router(wan("0", octets=1000)))).wans[0].rx_bps == 4000
