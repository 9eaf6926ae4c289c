import re
import subprocess

from edged.clock import ClockQuality, SystemClock, boot_id, rfc3339


def test_wall_clock_times_are_written_as_rfc_3339_in_utc() -> None:
    assert rfc3339(1_700_000_000.1236) == "2023-11-14T22:13:20.123Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


def test_the_clock_does_not_go_backwards_and_says_how_good_it_is() -> None:
    clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first
    assert clock.quality() in ClockQuality


def test_the_boot_id_is_the_kernels() -> None:
    said = subprocess.run(["cat", "/proc/sys/kernel/random/boot_id"], capture_output=True, text=True, check=True).stdout
    assert boot_id() == said.strip()
    assert re.fullmatch(r"[0-9a-f-]{36}", boot_id())
