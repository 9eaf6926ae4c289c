from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.mobile_heartbeat import Beats, Network
from probes.mobile_presence import Gate, Presence, heard, silent
from probes.packets.heartbeat import NO_CHALLENGE, Heartbeat

NETWORK = Network("310-260", 65001, True)
SAID = Heartbeat(NO_CHALLENGE, 1, "310-260", 65001, True)
ELSEWHERE = replace(SAID, mcc_mnc="311-480", asn=None, registered=False)


@pytest.mark.parametrize(
    ("events", "now_s", "expected"),
    [
        pytest.param([], 9.9, Presence(None, 0, 0), id="listened for, not long enough"),
        pytest.param([], 10, Presence(False, 10, 0), id="never heard"),
        pytest.param([(3, SAID)], 12, Presence(True, 3, 3, "310-260", 65001, True), id="heard"),
        pytest.param([(3, SAID), (5, SAID)], 14.9, Presence(True, 3, 5, "310-260", 65001, True), id="heard since then"),
        pytest.param([(3, SAID), (5, SAID)], 15, Presence(False, 15, 5), id="silent: nothing is known of its network"),
        pytest.param([(3, SAID), (30, SAID)], 31, Presence(True, 30, 30, "310-260", 65001, True), id="back"),
        pytest.param([(3, SAID), (5, ELSEWHERE)], 6, Presence(True, 3, 5, "311-480", None, False), id="moved"),
    ],
)
def test_c3_the_workstation_is_there_while_its_heartbeat_is_no_older_than_the_silence_allowed(
    events: list[tuple[float, Heartbeat]], now_s: float, expected: Presence
) -> None:
    held = Presence(None, 0, 0)
    for at_s, heartbeat in events:
        held = heard(silent(held, at_s, silence_s=10), heartbeat, at_s)
    assert silent(held, now_s, silence_s=10) == expected


def taken(gate: Gate, beats: Beats, now_s: float, now_ms: int) -> Heartbeat:
    """A heartbeat that the box takes, with a second try as the sender has one."""
    for _ in range(2):
        heartbeat = beats.next(now_ms)
        answer = gate.judge(heartbeat, now_s)
        beats.take(answer)
        if answer.taken:
            return heartbeat
    pytest.fail("not taken")


def test_c3_a_first_heartbeat_needs_a_challenge_and_the_second_try_has_it() -> None:
    gate, beats = Gate(b"secret"), Beats(NETWORK)
    first = gate.judge(beats.next(1000), 5)
    assert not first.taken
    assert beats.take(first) is False
    assert gate.judge(beats.next(1000), 5).taken


def test_c3_a_heartbeat_counts_once_and_an_older_one_not_at_all() -> None:
    gate, beats = Gate(b"secret"), Beats(NETWORK)
    first, second = taken(gate, beats, 5, 1000), taken(gate, beats, 6, 3000)
    for replayed in (first, second):
        assert not gate.judge(replayed, 6).taken


def test_c3_a_heartbeat_held_back_is_old_after_two_slots() -> None:
    gate, beats = Gate(b"secret"), Beats(NETWORK)
    taken(gate, beats, 5, 1000)
    held_back = [beats.next(1000 + at) for at in range(3)]
    assert gate.judge(held_back[0], 19).taken
    assert not gate.judge(held_back[1], 20).taken
    assert not gate.judge(held_back[2], 1e6).taken


def test_c3_after_a_restart_of_the_box_nothing_recorded_before_counts_and_the_sender_goes_on() -> None:
    """Its monotonic clock begins anew with the machine, so the same slots come again."""
    gate, beats = Gate(b"secret"), Beats(NETWORK)
    recorded = [taken(gate, beats, at, 1000 * at) for at in range(1, 6)]
    again = Gate(b"another secret")
    for at, heartbeat in enumerate(recorded, start=1):
        assert not again.judge(heartbeat, at).taken
    taken(again, beats, 1, 6000)
    assert not any(again.judge(heartbeat, 1).taken for heartbeat in recorded)


@pytest.mark.parametrize("clock_ms", [0, 500, 10**15])
def test_c3_a_sender_that_starts_anew_is_heard_whatever_its_clock_says(clock_ms: int) -> None:
    gate = Gate(b"secret")
    old = taken(gate, Beats(NETWORK), 5, 10**12)
    taken(gate, anew := Beats(NETWORK), 6, clock_ms)
    taken(gate, anew, 7, clock_ms)
    assert not gate.judge(old, 7).taken


@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=20))
def test_the_counter_rises_with_every_heartbeat_whatever_the_clock_does(clock_ms: list[int]) -> None:
    beats = Beats(NETWORK)
    counters = [beats.next(each).counter for each in clock_ms]
    assert counters == sorted(set(counters))


STEPS = st.lists(st.tuples(st.floats(0, 15), st.booleans(), st.integers(0, 40)), max_size=40)


@given(STEPS)
def test_c3_no_heartbeat_ever_counts_twice(steps: list[tuple[float, bool, int]]) -> None:
    """Sent, recorded, and any of the recorded sent again at any time, over restarts of the box."""
    gate, beats, now_s = Gate(b"0"), Beats(NETWORK), 0.0
    recorded: list[Heartbeat] = []
    counted: set[Heartbeat] = set()
    for at, (later_s, restarts, which) in enumerate(steps):
        now_s += later_s
        if restarts:
            gate, now_s = Gate(str(at).encode() + b" secret"), 0.0
        recorded.append(beats.next(at))
        for heartbeat in (recorded[-1], recorded[which % len(recorded)]):
            answer = gate.judge(heartbeat, now_s)
            assert not (answer.taken and heartbeat in counted)
            counted |= {heartbeat} if answer.taken else set()
            beats.take(answer)
