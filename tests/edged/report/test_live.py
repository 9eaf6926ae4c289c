import pytest

from edged.clock import ClockQuality
from edged.core.events import Json
from edged.record.envelope import Stamp
from edged.report.live import EXPIRY_S, Measured, Snapshots, TelemetryQueue


def measured(n: int, at_s: float = 0.0) -> Measured:
    return Measured("link", {"n": n}, Stamp(0.0, at_s, ClockQuality.SYNCED, "b"))


def test_telemetry_comes_out_oldest_first_and_says_how_long_it_is_news() -> None:
    queue = TelemetryQueue(10)
    queue.put(measured(1))
    queue.put(measured(2, at_s=10.0))
    assert queue.take(20.0) == (measured(1), EXPIRY_S - 20)
    assert queue.take(20.0) == (measured(2, at_s=10.0), EXPIRY_S - 10)
    assert queue.take(20.0) is None


def test_the_oldest_makes_way_and_is_counted() -> None:
    queue = TelemetryQueue(2)
    for n in range(5):
        queue.put(measured(n))
    assert (len(queue), queue.dropped) == (2, 3)
    taken = queue.take(0.0)
    assert taken
    assert taken[0].data == {"n": 3}


@pytest.mark.parametrize(("now_s", "news"), [(EXPIRY_S - 1.0, True), (EXPIRY_S - 0.5, False), (EXPIRY_S + 1e6, False)])
def test_what_is_too_old_is_dropped_and_counted(now_s: float, news: bool) -> None:
    queue = TelemetryQueue(2)
    queue.put(measured(1))
    assert (queue.take(now_s) is not None) == news
    assert queue.dropped == (0 if news else 1)


def test_only_changes_are_shown() -> None:
    shown = Snapshots()
    steps: list[tuple[dict[str, Json], list[tuple[str, Json, bool]]]] = [
        ({"a": {"x": 1, "y": 2}, "b": 1}, [("a", {"x": 1, "y": 2}, True), ("b", 1, True)]),
        ({"a": {"y": 2, "x": 1}, "b": 1}, []),  # another order is no change
        ({"a": {"x": 1, "y": 3}, "b": 1}, [("a", {"x": 1, "y": 3}, False)]),
        ({"b": 1}, [("a", None, False)]),
        ({"a": {"x": 1}, "b": 1}, [("a", {"x": 1}, True)]),
    ]
    for things, changes in steps:
        assert list(shown.changes(things)) == changes
