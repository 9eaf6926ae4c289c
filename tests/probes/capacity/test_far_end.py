"""What the far end sends, to whom it listens, and when it falls silent by itself."""

from dataclasses import replace

import pytest

from probes.capacity.doorman import Grant
from probes.capacity.far_end import FarSession
from probes.packets.capacity import MISSING, Ask, Echo, Echoed, End, Feedback, Opened, Order, Report, Train, Wish

GRANT = Grant(7, ("203.0.113.7", 4000), b"", b"", Wish.RAMP_UP, 1472, 1_000_000, 12e6, 30.0, Opened(7, 1, 0, 0, 0))
MS = 1_000_000


def session(wish: Wish, **changes: float) -> FarSession:
    return FarSession(replace(GRANT, wish=wish, **changes), ip_header_bytes=28, now_s=0.0)  # type: ignore[arg-type]


def test_a_ramp_up_is_answered_with_feedback_every_fifty_milliseconds_once_it_began() -> None:
    far = session(Wish.RAMP_UP)
    assert far.feedback(0.01) is None
    said = []
    for n in range(1, 200):
        far.load(n - 1, 3, n * MS, n * MS + 10 * MS, n / 1000)
        said.append(far.feedback(n / 1000))
    feedbacks = [each for each in said if isinstance(each, Feedback)]
    assert len(feedbacks) in (4, 5)
    assert [each.number for each in feedbacks] == list(range(1, len(feedbacks) + 1))
    assert feedbacks[-1].order == 3
    assert feedbacks[-1].delay_min_ns == 10 * MS


def test_a_client_that_is_silent_for_a_second_is_gone() -> None:
    far = session(Wish.RAMP_UP)
    far.load(0, 1, 0, 0, 0.5)
    far.feedback(1.4)
    assert not far.over
    far.feedback(1.6)
    assert far.over


def test_a_replay_keeps_no_session_alive_and_is_not_answered() -> None:
    far = session(Wish.RAMP_UP)
    assert far.control(Echo(7, 5), 0.1) == Echoed(7, 5)
    for n in range(20):
        assert far.control(Echo(7, 5), 0.1 + n / 10) is None
        assert far.control(Echo(7, 4), 0.1 + n / 10) is None
    far.load(0, 1, 0, 0, 0.2)
    for n in range(20):
        far.load(0, 1, 0, 0, 0.2 + n / 10)
    far.feedback(2.1)
    assert far.over


@pytest.mark.parametrize("wish", list(Wish))
def test_time_bytes_and_the_clients_word_end_it(wish: Wish) -> None:
    late, told, dear = session(wish, until_s=0.9), session(wish), session(wish, bytes_max=3000)
    late.feedback(0.9)
    told.control(End(7, 2), 0.1)
    dear.load(0, 1, 0, 0, 0.1)
    dear.load(1, 1, 0, 0, 0.1)
    assert [late.over, told.over, dear.over] == [True, True, True]
    assert [far.load_due(0.9) for far in (late, told, dear)] == [[], [], []]


def sent_in(far: FarSession, until_s: float, from_s: float = 0.0) -> list[tuple[int, int]]:
    sent = []
    for n in range(round(1000 * from_s), round(1000 * until_s)):
        due = far.load_due(n / 1000)
        far.load_sent(len(due))
        sent += due
    return sent


def test_load_goes_down_at_the_rate_ordered_and_stops_without_orders() -> None:
    far = session(Wish.RAMP_DOWN)
    assert sent_in(far, 0.1) == []
    far.control(Order(7, 2, 5, 6_000), 0.1)
    sent = sent_in(far, 1.0, 0.1)
    assert [number for number, _ in sent] == list(range(len(sent)))
    assert {order for _, order in sent} == {5}
    assert len(sent) in range(73, 78)  # 6 Mbit/s for 150 ms, and not a packet longer


def test_no_order_passes_the_rate_granted() -> None:
    far = session(Wish.RAMP_DOWN)
    far.control(Order(7, 2, 5, 1_000_000), 0.0)
    assert len(sent_in(far, 0.1)) in range(98, 102)  # 12 Mbit/s


def test_bytes_granted_bound_the_load() -> None:
    far = session(Wish.RAMP_DOWN, bytes_max=15_000)
    for n in range(10):
        far.control(Order(7, 2 + n, 5, 12_000), n / 10)
    sent_in(far, 1.0)
    assert far.over
    assert far.spent_bytes <= 15_000 + 12_000  # what was due in that one millisecond


@pytest.mark.parametrize("wish", [Wish.RAMP_UP, Wish.TRAINS])
def test_who_did_not_ask_for_load_gets_none(wish: Wish) -> None:
    far = session(wish)
    far.control(Order(7, 2, 5, 6_000), 0.0)
    assert sent_in(far, 0.1) == []


@pytest.mark.parametrize(("asked", "padding"), [(0, 0), (44, 0), (1472, 1428), (65535, 8928)])
def test_a_packet_is_as_large_as_asked_within_reason(asked: int, padding: int) -> None:
    assert session(Wish.RAMP_DOWN, packet_bytes=asked).padding_bytes == padding


def test_a_train_is_sent_once_in_its_own_numbers() -> None:
    far = session(Wish.TRAINS)
    far.control(Train(7, 2, 3, 20), 0.0)
    far.control(Train(7, 3, 3, 20), 0.0)
    assert sent_in(far, 0.1) == [(3 * 1024 + place, 3) for place in range(20)]


def test_a_train_is_bounded_and_so_is_their_number() -> None:
    far = session(Wish.TRAINS, bytes_max=10**9)
    for order in range(100):
        far.control(Train(7, 2 + order, order, 65535), 0.0)
    assert len(sent_in(far, 0.2)) <= 16 * 290


def test_a_train_that_came_is_reported_with_its_holes() -> None:
    far = session(Wish.TRAINS)
    for place, at_ns in [(0, 10 * MS), (1, 11 * MS), (3, 13 * MS), (4, 14 * MS), (4, 99 * MS)]:
        far.load(2 * 1024 + place, 2, 0, at_ns, 0.1)
    report = far.control(Ask(7, 2, 2, 6), 0.2)
    assert report == Report(7, 2, 2, 0, (0, 10_000, MISSING, 30_000, 40_000, MISSING))
    far.load(2 * 1024 + 2, 2, 0, 15 * MS, 0.3)
    late = far.control(Ask(7, 3, 2, 6), 0.4)
    assert isinstance(late, Report)
    assert late.reordered == 1


def test_a_question_for_a_train_that_never_came_is_answered_with_nothing() -> None:
    report = session(Wish.TRAINS).control(Ask(7, 2, 9, 3), 0.2)
    assert report == Report(7, 2, 9, 0, (MISSING,) * 3)
