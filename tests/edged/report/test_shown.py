from edged.core.events import Json
from edged.report.shown import Snapshots


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
