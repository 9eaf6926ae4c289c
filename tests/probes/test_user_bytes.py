"""(when, bytes so far) → whether they contradict a silence first noticed at a given time."""

import pytest

from probes.user_bytes import UserBytes

Told = list[tuple[float, int | None]]
RATE = 250_000  # bytes a second: one HD call


def steady(since_s: float, until_s: float, rate: int = RATE, *, from_total: int = 0, every_s: float = 0.1) -> Told:
    count = round((until_s - since_s) / every_s)
    return [(since_s + n * every_s, from_total + round(n * every_s * rate)) for n in range(count + 1)]


@pytest.mark.parametrize(
    ("told", "silent_s", "vouches"),
    [
        (steady(0, 10), 9.5, True),
        (steady(0, 10), 9.95, False),  # no whole window within the silence yet
        ([*steady(0, 9), (9.5, 9 * RATE), (9.6, 9 * RATE)], 9.2, False),  # stopped
        (steady(0, 9) + steady(9.5, 10, from_total=9 * RATE), 9.2, False),  # came back after a gap
        ([*steady(0, 9), (9.5, 9 * RATE), *steady(9.6, 20, from_total=9 * RATE)], 9.2, True),  # … and held for 10 s
        (steady(0, 10, rate=5_000), 9.5, False),  # 40 kbit/s: a router's own chatter
        (steady(0, 9) + steady(9.1, 10, rate=RATE // 5, from_total=9 * RATE), 9.2, False),  # a fifth of the usual
        ([*steady(0, 9), (9.1, None), *steady(9.2, 10, from_total=9 * RATE)], 9.1, False),  # not known for a while
        (steady(0, 9) + steady(9.1, 10), 9.05, False),  # the counter began anew
        ([], 1.0, False),
        ([(0, 5)], 0.0, False),
    ],
)
def test_only_an_unbroken_flow_contradicts_a_silence(told: Told, silent_s: float, vouches: bool) -> None:
    users = UserBytes()
    for at_s, total in told:
        users.told(at_s, total, in_doubt=at_s >= silent_s)
    assert users.vouch(silent_s, told[-1][0] if told else silent_s) is vouches


def test_looks_closer_than_a_window_are_taken_together() -> None:
    users = UserBytes()
    for n in range(1000):  # a packet every 20 ms, looked at every millisecond
        users.told(n / 1000, 200 * (n // 20) * 10)
    assert users.vouch(0.5, 0.999)
