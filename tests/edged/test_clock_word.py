"""chrony's and the kernel's answers → what counts as in sync."""

from dataclasses import replace

import pytest

from edged.chrony import LOCAL, Leap, Tracking
from edged.clock_word import MOST_AGE_S, Word, chrony_says, kernel_says, kernel_word

NOW = 1_795_336_210.0
WELL = Tracking(Leap.NORMAL, 3, 0xC0A80101, 0.002, 0.03, 0.004, NOW - 64.0)


def test_chrony_tells_how_far_the_clock_is_off_and_by_how_much_at_most() -> None:
    assert chrony_says(WELL, NOW) == Word("chrony", True, 0.002, WELL.error_s, "none")


@pytest.mark.parametrize(
    ("tracking", "synced"),
    [
        (WELL, True),
        (replace(WELL, leap=Leap.INSERT), True),
        (replace(WELL, leap=Leap.UNSYNCHRONISED), False),
        (replace(WELL, stratum=0), False),
        (replace(WELL, stratum=16), False),
        (replace(WELL, reference=LOCAL), False),  # it follows nothing but itself
        (replace(WELL, ahead_s=-0.9), True),  # being slewed, and less than a second
        (replace(WELL, ahead_s=-1.1), False),
        (replace(WELL, root_dispersion_s=1.0), False),
        (replace(WELL, updated_wall_s=None), False),
        (replace(WELL, updated_wall_s=NOW - MOST_AGE_S), True),
        (replace(WELL, updated_wall_s=NOW - MOST_AGE_S - 1), False),  # its sources are gone, and it has not said so yet
        (replace(WELL, updated_wall_s=NOW + MOST_AGE_S + 1), False),  # the clock was set back behind its back
    ],
)
def test_chrony_is_believed_while_it_follows_something_that_answers(tracking: Tracking, synced: bool) -> None:
    assert chrony_says(tracking, NOW).synced is synced


def test_who_follows_nothing_knows_no_offset() -> None:
    word = chrony_says(replace(WELL, leap=Leap.UNSYNCHRONISED, root_delay_s=1.0, root_dispersion_s=1.0), NOW)
    assert (word.offset_s, word.error_s, word.leap) == (None, None, "none")


@pytest.mark.parametrize(("leap", "said"), [(Leap.INSERT, "insert"), (Leap.DELETE, "delete"), (Leap.NORMAL, "none")])
def test_chrony_announces_leap_seconds(leap: Leap, said: str) -> None:
    assert chrony_says(replace(WELL, leap=leap), NOW).leap == said


UNSYNC, PLL = 0x40, 0x01


@pytest.mark.parametrize(
    ("state", "status", "word"),
    [
        (0, PLL, Word("kernel", True, None, 0.25, "none")),
        (0, PLL | UNSYNC, Word("kernel", False, None, None, "none")),
        (5, PLL, Word("kernel", False, None, None, "none")),  # TIME_ERROR
        (1, PLL, Word("kernel", True, None, 0.25, "insert")),  # TIME_INS
        (2, PLL, Word("kernel", True, None, 0.25, "delete")),  # TIME_DEL
        (3, PLL, Word("kernel", True, None, 0.25, "insert")),  # TIME_OOP: the inserted second is now
        (4, PLL, Word("kernel", True, None, 0.25, "none")),  # TIME_WAIT: over
        (-1, 0, Word("kernel", False, None, None, "none")),  # not allowed
    ],
)
def test_the_kernel_is_read_as_timex_h_says(state: int, status: int, word: Word) -> None:
    assert kernel_word(state, status, 250_000) == word


def test_the_real_kernel_answers_whoever_asks() -> None:
    word = kernel_says()
    assert (word.source, word.synced) == ("kernel", word.error_s is not None)
