"""Written as a person would: one letter per outcome in the order of sending, the target's name where answered, its
capital where not.
"""

import pytest

from probes.reading import Verdict
from probes.silence import Bearing, Silence, needed_votes

NATS = 22.0


def silence(voters: str = "abc", witnesses: str = "") -> Silence:
    return Silence(NATS, voters, witnesses)


def tell(silence: Silence, outcomes: str, *, from_s: float = 0.0, every_s: float = 0.0167) -> float:
    """Returns the time after the last one."""
    for letter in outcomes:
        silence.outcome(letter.lower(), from_s, missed=letter.isupper(), learn=False)
        from_s += every_s
    return from_s


@pytest.mark.parametrize(("voters", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (8, 5)])
def test_a_majority_must_be_silent(voters: int, needed: int) -> None:
    assert needed_votes(voters) == needed


@pytest.mark.parametrize(
    ("voters", "outcomes", "tripped"),
    [
        ("abc", "abc" * 50, False),
        ("abc", "ABC" * 10, True),  # jointly, before any one target has tripped
        ("abc", "ABC" * 3, False),
        ("abc", "Abc" * 500, False),  # one of three
        ("abc", "ABc" * 50, True),  # two of three
        ("ab", "Ab" * 500, False),  # one of two
        ("ab", "AB" * 10, True),
        ("a", "A" * 10, False),
        ("a", "A" * 20, True),
        ("abc", "ABC" * 10 + "a", False),  # one answer ends the joint run
        ("abc", "ABC" * 50 + "a", True),  # … but not the others' silence
        ("abc", "ABC" * 50 + "ab", False),
    ],
)
def test_who_must_be_silent_for_the_link_to_be(voters: str, outcomes: str, tripped: bool) -> None:
    told = silence(voters)
    tell(told, outcomes)
    assert told.tripped is tripped


def test_all_together_are_faster_than_each() -> None:
    together, alone = silence("abc"), silence("a")
    count = {"together": 0, "alone": 0}
    while not together.tripped:
        tell(together, "ABC"[count["together"] % 3])
        count["together"] += 1
    while not alone.tripped:
        tell(alone, "A")
        count["alone"] += 1
    assert count["together"] == count["alone"]  # probes, sent three times as often


@pytest.mark.parametrize(
    ("before", "letter", "bearing"),
    [
        ("abc", "a", Bearing.FRESH),
        ("abc", "A", Bearing.FRESH),
        ("abcA", "B", Bearing.IN_BURST),
        ("abcA", "b", Bearing.IN_BURST),
        ("abcAbc", "A", Bearing.NONE),  # again the same one, and the others answered: its own trouble
        ("abcAbc", "a", Bearing.IN_BURST),
        ("Abc" * 99 + "aB", "C", Bearing.IN_BURST),
        ("Abc" * 99, "B", Bearing.FRESH),
        ("Abc" * 99 + "B", "A", Bearing.NONE),  # silent long before the others lost one: no evidence in their burst
    ],
)
def test_what_an_outcome_means_for_the_link(before: str, letter: str, bearing: Bearing) -> None:
    told = silence()
    tell(told, before)
    assert told.outcome(letter.lower(), 9.0, missed=letter.isupper(), learn=False) is bearing


@pytest.mark.parametrize(
    ("story", "aside", "tripped"),
    [
        (["Abc" * 100], False, False),
        (["Abc" * 900], True, False),
        (["Abc" * 900, "ABc" * 100], True, False),  # now two of two are needed
        (["Abc" * 900, "ABC" * 100], True, True),
        (["Abc" * 900, "abc"], False, False),
        (["Abc" * 900, "abc", "ABc" * 100], False, True),
    ],
)
def test_a_target_silent_by_itself_for_half_a_minute_has_no_vote_until_it_answers(
    story: list[str], aside: bool, tripped: bool
) -> None:
    told, now_s = silence(), 0.0
    for chapter in story:
        now_s = tell(told, chapter, from_s=now_s)
        if not told.tripped:
            told.set_aside(now_s)
    assert (told.targets["a"].aside, told.tripped) == (aside, tripped)


def test_a_late_answer_ends_a_silence_too() -> None:
    told = silence()
    tell(told, "ABC" * 10)
    told.late("b", 1.0)
    assert (told.tripped, told.heard_s, told.targets["b"].test.misses) == (False, 1.0, 0)


@pytest.mark.parametrize(
    ("witness_at_s", "asked_at_s", "contradicted"),
    [
        (None, 1.0, False),
        (-0.1, 1.0, False),  # before the silence began
        (0.0, 1.0, False),  # as it began
        (0.5, 1.0, True),
        (0.5, 3.4, True),
        (0.5, 3.6, False),  # it has been silent itself since
    ],
)
def test_a_witness_that_hears_the_far_side_contradicts(
    witness_at_s: float | None, asked_at_s: float, contradicted: bool
) -> None:
    told = silence("abc", "w")
    if witness_at_s is not None and witness_at_s <= 0:
        told.outcome("w", witness_at_s, missed=False, learn=False)
    tell(told, "ABC" * 10)
    if witness_at_s is not None and witness_at_s > 0:
        told.outcome("w", witness_at_s, missed=False, learn=False)
    assert told.tripped
    assert told.contradicted(asked_at_s) is contradicted


def test_a_silent_witness_is_no_vote() -> None:
    told = silence("ab", "w")
    tell(told, "abW" * 500)
    assert not told.tripped
    assert told.targets["w"].verdict is Verdict.DOWN


def test_without_voters_the_slow_kind_votes() -> None:
    told = silence("", "w")
    tell(told, "W" * 30)
    assert told.tripped
    assert not told.targets["w"].witness


def test_a_target_never_asked_is_unknown() -> None:
    told = silence()
    tell(told, "aB")
    assert [state.verdict for state in told.targets.values()] == [Verdict.UP, Verdict.UP, Verdict.UNKNOWN]


def test_what_is_learnt_in_a_session_is_kept_apart_from_calm() -> None:
    told = silence("a")
    for _ in range(200):
        for letter in "aaaaaAAAA":
            told.outcome("a", 0.0, missed=letter == "A", learn=True)
    bursty = told.targets["a"].test.model.usual.q
    told.session(True)
    assert told.targets["a"].test.model.usual.q < bursty
    told.session(False)
    assert told.targets["a"].test.model.usual.q == bursty
