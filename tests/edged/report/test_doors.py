from aiomqtt import ProtocolVersion

from edged.report.doors import OLD_VERSION_S, Doors
from edged.report.reading import BrokerCause

A, B, C = ("a", 1), ("b", 2), ("c", 3)
V5, V311 = ProtocolVersion.V5, ProtocolVersion.V311


def test_the_next_door_is_tried_at_once_and_after_a_round_there_is_a_pause() -> None:
    doors = Doors((A, B, C))
    tried = []
    for _ in range(7):
        tried.append((doors.server, doors.more_to_try))
        doors.closed(BrokerCause.REFUSED, 0.0)
    assert tried == [(A, False), (B, True), (C, True), (A, False), (B, True), (C, True), (A, False)]


def test_a_door_that_opened_is_kept() -> None:
    doors = Doors((A, B))
    doors.closed(BrokerCause.TIMEOUT, 0.0)
    doors.opened()
    assert (doors.server, doors.more_to_try) == (B, False)
    doors.closed(BrokerCause.REFUSED, 0.0)
    assert (doors.server, doors.more_to_try) == (A, True)


def test_one_that_speaks_only_the_old_version_is_asked_again_later() -> None:
    doors = Doors((A, B))
    doors.closed(BrokerCause.VERSION, 100.0)
    assert (doors.server, doors.protocol(100.0), doors.more_to_try) == (A, V311, True)
    doors.opened()
    assert doors.protocol(99.0 + OLD_VERSION_S) is V311
    assert doors.protocol(100.0 + OLD_VERSION_S) is V5
    doors.closed(BrokerCause.REFUSED, 200.0)
    assert (doors.server, doors.protocol(200.0)) == (B, V5), "each door has its own version"


def test_one_that_refuses_both_versions_is_left() -> None:
    doors = Doors((A, B))
    doors.closed(BrokerCause.VERSION, 0.0)
    doors.closed(BrokerCause.VERSION, 0.0)
    assert doors.server == B
    doors.closed(BrokerCause.REFUSED, 0.0)
    assert (doors.server, doors.protocol(0.0)) == (A, V5)
