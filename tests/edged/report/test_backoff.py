from edged.report.backoff import Backoff


def longest(_low: float, high: float) -> float:
    return high


def shortest(low: float, _high: float) -> float:
    return low


def test_pauses_double_to_the_cap_and_start_again_after_a_reset() -> None:
    backoff = Backoff(0.5, 10.0, longest)
    assert [backoff.pause_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.pause_s() == 0.5


def test_half_of_each_pause_is_chance() -> None:
    backoff = Backoff(0.5, 10.0, shortest)
    assert [backoff.pause_s() for _ in range(3)] == [0.25, 0.5, 1]
