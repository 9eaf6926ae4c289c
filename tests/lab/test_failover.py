"""The router's decisions as tables of (now, what is seen, what is expected)."""

import pytest

from lab.failover import Health, PeplinkState, Sight, Timing, choose, peplink_state, step

TIMING = Timing(failover_s=2.0, failback_s=3.0)  # checks every 0.25 s, so a gap of 0.75 s breaks a run of answers
UP, FAILED, UNPLUGGED = Health(), Health(up=False), Health(up=False, carrier=False)


def walk(health: Health, seen: list[tuple[float, bool, float]]) -> list[bool]:
    """`seen`: (now, carrier, when the last answer came). Returns whether the WAN was up after each."""
    ups = []
    for now, carrier, answered_at_s in seen:
        health = step(health, Sight(carrier, answered_at_s), now, TIMING)
        ups.append(health.up)
    return ups


@pytest.mark.parametrize(
    ("start", "seen", "ups"),
    [
        (UP, [(1.9, True, 0.0), (2.0, True, 0.0), (2.1, True, 0.0)], [True, False, False]),  # exactly the failover time
        (UP, [(1.9, True, 0.0), (2.0, True, 1.95), (3.9, True, 1.95)], [True, True, True]),  # one late answer saves it
        (UP, [(0.1, False, 0.0)], [False]),  # no carrier: at once
        (FAILED, [(10.0, True, 9.9), (12.9, True, 12.8), (13.0, True, 12.9)], [False, False, True]),
        # a gap on the way back starts the wait again
        (FAILED, [(10.0, True, 9.9), (12.0, True, 10.0), (12.1, True, 12.1), (15.0, True, 15.0)], [False] * 4),
        (UNPLUGGED, [(5.0, True, 1.0), (6.0, True, 5.9), (9.1, True, 9.0)], [False, False, True]),
        (FAILED, [(10.0, True, 9.9), (11.0, False, 10.9), (13.1, True, 13.0)], [False] * 3),
    ],
)
def test_when_a_wan_fails_and_when_it_is_trusted_again(
    start: Health, seen: list[tuple[float, bool, float]], ups: list[bool]
) -> None:
    assert walk(start, seen) == ups


@pytest.mark.parametrize(
    ("healths", "active", "chosen"),
    [
        ([UP, UP], 0, 0),
        ([FAILED, UP], 0, 1),
        ([UP, UP], 1, 0),  # failback: the first is preferred
        ([FAILED, FAILED], 1, 1),  # nothing better: stay
        ([FAILED, UNPLUGGED], 0, 0),
        ([UP, FAILED], 0, 0),
    ],
)
def test_the_first_wan_that_is_up_carries_the_traffic(healths: list[Health], active: int, chosen: int) -> None:
    assert choose(healths, active) == chosen


@pytest.mark.parametrize(
    ("health", "active", "state"),
    [
        (UP, True, PeplinkState.CONNECTED),
        (UP, False, PeplinkState.STANDBY),
        (FAILED, True, PeplinkState.HEALTH_CHECK_FAIL),
        (FAILED, False, PeplinkState.HEALTH_CHECK_FAIL),
        (UNPLUGGED, False, PeplinkState.DISCONNECTED),
    ],
)
def test_states_are_told_in_the_numbers_of_the_routers_mib(health: Health, active: bool, state: PeplinkState) -> None:
    assert peplink_state(health, active=active) is state


@pytest.mark.parametrize(("failover_s", "every_s"), [(0.5, 0.1), (2.0, 0.25), (10.0, 1.0), (60.0, 1.0)])
def test_several_checks_fit_into_the_failover_time(failover_s: float, every_s: float) -> None:
    assert Timing(failover_s=failover_s).check_every_s == every_s


@pytest.mark.parametrize("fields", [{"failover_s": 0.1}, {"failover_s": 1e4}, {"failback_s": 0.0}])
def test_times_no_router_has_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Timing(**fields)
