import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.packets.ntp_time import from_ntp, from_ptp, to_ntp


@pytest.mark.parametrize(
    ("unix_ns", "stamp"),
    [
        (0, 2_208_988_800 << 32),
        (500_000_000, 2_208_988_800 << 32 | 0x8000_0000),
        (2_085_978_496 * 10**9, 0),  # 2036-02-07 06:28:16, where era 1 begins
        (1_750_000_000 * 10**9 + 1, 3_958_988_800 << 32 | 5),
    ],
)
def test_known_instants_have_their_ntp_stamps(unix_ns: int, stamp: int) -> None:
    assert to_ntp(unix_ns) == stamp


@given(st.integers(0, 10 * 10**18), st.integers(-(10**18), 10**18))
def test_a_stamp_read_near_its_writing_gives_back_the_nanosecond(unix_ns: int, clocks_apart_ns: int) -> None:
    assert from_ntp(to_ntp(unix_ns), near_ns=unix_ns + clocks_apart_ns) == unix_ns


@given(st.integers(0, 2**64 - 1), st.integers(0, 10 * 10**18))
def test_any_64_bits_are_read_within_half_an_era(stamp: int, near_ns: int) -> None:
    half_an_era_ns = 2**31 * 10**9 + 10**10
    assert abs(from_ntp(stamp, near_ns=near_ns) - near_ns) <= half_an_era_ns
    assert abs(from_ptp(stamp, near_ns=near_ns) - near_ns) <= half_an_era_ns


def test_ptp_stamps_count_nanoseconds_in_their_low_half() -> None:
    assert from_ptp(7 << 32 | 999_999_999, near_ns=0) == 7_999_999_999
