import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.report.pacing import BURST_S, Share, TokenBucket
from probes.budget import Spent

NOVEMBER_S = 1_794_000_000.0  # 2026-11


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(8_000)  # 1000 bytes a second
    assert bucket.allows(0.0)
    bucket.spend(3000, 0.0)  # more than the 2000 there were
    assert not bucket.allows(0.0)
    assert not bucket.allows(0.999)
    assert bucket.again_at_s(0.999) == pytest.approx(1.0, abs=0.01)
    assert bucket.allows(1.01)


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(8_000)
    bucket.spend(5000, 10.0)
    assert not bucket.allows(10.0)
    assert not bucket.allows(5.0)


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 70_000)), min_size=1, max_size=60))
def test_over_any_time_no_more_than_the_rate_a_burst_and_one_batch(steps: list[tuple[float, int]]) -> None:
    bucket, now_s, sent = TokenBucket(80_000), 0.0, 0
    for pause_s, size in steps:
        now_s += pause_s
        if bucket.allows(now_s):
            bucket.spend(size, now_s)
            sent += size
        assert sent <= 10_000 * (now_s + BURST_S) + 70_000


def test_a_share_that_is_not_metered_is_never_over() -> None:
    share = Share.of(200, None)
    share.spent(10**12, NOVEMBER_S)
    assert not share.over_budget


def test_what_was_spent_before_counts_until_the_month_ends() -> None:
    share = Share.of(200, 2, Spent("2026-11", 1_500_000))
    share.spent(499_999, NOVEMBER_S)
    assert not share.over_budget
    share.spent(1, NOVEMBER_S)
    assert over(share)
    share.spent(10, NOVEMBER_S + 31 * 86_400)
    assert not over(share)


def over(share: Share) -> bool:
    return share.over_budget
