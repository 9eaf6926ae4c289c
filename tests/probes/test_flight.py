import pytest

from probes.flight import Fate, Flight, Lane


def launched(*sent: tuple[str, float, float]) -> tuple[Lane, list[Flight]]:
    """A lane with one flight per (target, sent_s, patience_s)."""
    lane = Lane()
    flights = [Flight(target, n, sent_s, sent_s + patience_s) for n, (target, sent_s, patience_s) in enumerate(sent)]
    for flight in flights:
        lane.launch(flight)
    return lane, flights


THREE = (("a", 0.0, 0.1), ("b", 0.05, 0.1), ("c", 0.1, 0.1))


@pytest.mark.parametrize(
    ("answered", "at_s", "expected"),
    [
        ([], 0.09, []),
        ([0], 0.01, [("a", False)]),
        ([], 0.10, [("a", True)]),
        ([1, 2], 0.09, []),  # b and c wait for a
        ([1, 2], 0.10, [("a", True), ("b", False), ("c", False)]),
        ([0, 2], 0.12, [("a", False)]),
        ([0, 2], 0.151, [("a", False), ("b", True), ("c", False)]),
        ([], 0.20, [("a", True), ("b", True), ("c", True)]),
    ],
)
def test_outcomes_come_in_the_order_of_sending(
    answered: list[int], at_s: float, expected: list[tuple[str, bool]]
) -> None:
    lane, flights = launched(*THREE)
    for index in answered:
        flights[index].fate = Fate.ANSWERED
    assert [(flight.target, missed) for flight, missed in lane.settled(at_s)] == expected
    assert list(lane.settled(at_s)) == []


def test_a_patient_target_does_not_keep_an_impatient_one_from_turning_overdue() -> None:
    lane, flights = launched(("patient", 0.0, 0.3), ("impatient", 0.01, 0.05))
    assert list(lane.settled(0.1)) == []
    assert [flight.fate for flight in flights] == [Fate.UNDER_WAY, Fate.OVERDUE]
    assert lane.next_overdue_s() == 0.3


def test_the_next_to_turn_overdue_is_the_one_under_way() -> None:
    lane, flights = launched(*THREE)
    assert lane.next_overdue_s() == pytest.approx(0.1)
    flights[0].fate = Fate.ANSWERED
    assert lane.next_overdue_s() == pytest.approx(0.15)
    list(lane.settled(1.0))
    assert lane.next_overdue_s() is None


def test_what_is_voided_tells_nothing() -> None:
    lane, _ = launched(*THREE)
    lane.void()
    assert list(lane.settled(9.0)) == []
