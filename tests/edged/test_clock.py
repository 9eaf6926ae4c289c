import re
import subprocess
from dataclasses import dataclass, replace

import pytest

from edged.chrony import Leap, Tracking
from edged.clock import CHRONY_COUNTS_S, EARLIEST_S, ClockQuality, SystemClock, boot_id, quality_of, rfc3339
from edged.clock_word import Word

SYNCED, HOLDOVER, UNSET = ClockQuality.SYNCED, ClockQuality.HOLDOVER, ClockQuality.UNSET
KERNEL_YES = Word("kernel", True, None, 0.1, "none")
KERNEL_NO = Word("kernel", False, None, None, "none")
NOW = EARLIEST_S + 10_000_000.0
FOLLOWS = Tracking(Leap.NORMAL, 3, 0xC0A80101, 0.002, 0.03, 0.004, NOW)
LOST = replace(FOLLOWS, leap=Leap.UNSYNCHRONISED)


@dataclass
class HandClock(SystemClock):
    """Both its hands and the kernel's word are set by hand."""

    wall_s: float = NOW
    monotonic_s: float = 1000.0
    says: Word = KERNEL_NO

    def __post_init__(self) -> None:
        self.kernel = lambda: self.says

    def wall(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def go(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


def test_wall_clock_times_are_written_as_rfc_3339_in_utc() -> None:
    assert rfc3339(1_700_000_000.1236) == "2023-11-14T22:13:20.123Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


def test_the_clock_does_not_go_backwards_and_says_how_good_it_is() -> None:
    clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first
    assert clock.quality() in ClockQuality
    assert clock.look().word.source == "kernel"  # nobody has brought chrony's word


def test_the_boot_id_is_the_kernels() -> None:
    said = subprocess.run(["cat", "/proc/sys/kernel/random/boot_id"], capture_output=True, text=True, check=True).stdout
    assert boot_id() == said.strip()
    assert re.fullmatch(r"[0-9a-f-]{36}", boot_id())


@pytest.mark.parametrize(
    ("plausible", "synced", "was_synced", "quality"),
    [
        (True, True, False, SYNCED),
        (True, False, True, HOLDOVER),
        (True, False, False, UNSET),
        (False, True, True, UNSET),
        (False, False, True, UNSET),
    ],
)
def test_quality_is_a_table(plausible: bool, synced: bool, was_synced: bool, quality: ClockQuality) -> None:
    assert quality_of(plausible=plausible, synced=synced, was_synced=was_synced) is quality


def test_the_kernels_word_counts_where_there_is_no_chrony() -> None:
    clock = HandClock()
    assert clock.quality() is UNSET
    clock.says = KERNEL_YES
    assert clock.quality() is SYNCED
    clock.says = KERNEL_NO
    assert clock.quality() is HOLDOVER


def test_chronys_word_counts_for_thirty_seconds() -> None:
    clock = HandClock()
    clock.heard(FOLLOWS)
    assert clock.quality() is SYNCED
    clock.go(CHRONY_COUNTS_S)
    assert clock.quality() is SYNCED
    clock.go(0.1)
    assert clock.quality() is HOLDOVER, "the kernel says no"


def test_chrony_is_believed_against_the_kernel() -> None:
    clock = HandClock(says=KERNEL_YES)
    clock.heard(LOST)
    assert clock.quality() is UNSET
    assert clock.look().word.source == "chrony"


@pytest.mark.parametrize("wall_s", [0.0, 5.0, EARLIEST_S - 1.0])
def test_a_time_before_the_software_was_made_is_unset_whoever_vouches(wall_s: float) -> None:
    clock = HandClock(says=KERNEL_YES, wall_s=wall_s)
    assert (clock.quality(), clock.plausible()) == (UNSET, False)
    clock.heard(FOLLOWS)
    assert clock.quality() is UNSET
    clock.wall_s = NOW
    clock.says = KERNEL_NO
    clock.stepped(NOW - wall_s)
    assert clock.quality() is UNSET, "what was vouched for then was no time in sync"


def test_a_time_long_before_the_newest_recorded_one_cannot_be() -> None:
    clock = HandClock(says=KERNEL_YES)
    clock.not_before(NOW + 59.0)
    assert clock.plausible(), "a step back by a minute is a step like any other"
    clock.not_before(NOW + 61.0)
    assert (clock.plausible(), clock.quality()) == (False, UNSET)
    clock.not_before(0.0)
    assert not clock.plausible(), "older ones change nothing"


@pytest.mark.parametrize(("by_s", "quality"), [(-1.0, HOLDOVER), (2.0, HOLDOVER), (2.1, UNSET), (-3600.0, UNSET)])
def test_a_clock_that_was_set_does_not_coast_on(by_s: float, quality: ClockQuality) -> None:
    clock = HandClock()
    clock.heard(FOLLOWS)
    assert clock.quality() is SYNCED
    clock.stepped(by_s)
    assert clock.quality() is quality


def test_the_time_is_known_from_the_last_moment_in_sync_whatever_was_set_since() -> None:
    clock = HandClock()
    assert clock.known_wall() is None
    clock.not_before(NOW - 100.0)
    assert clock.known_wall() == NOW - 100.0
    clock.says = KERNEL_YES
    clock.look()
    clock.says = KERNEL_NO
    clock.go(50.0)
    clock.wall_s += 86_400.0
    clock.look()
    assert clock.known_wall() == pytest.approx(NOW + 50.0)
