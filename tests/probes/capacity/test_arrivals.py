import pytest

from probes.capacity.arrivals import Arrivals

Seen = list[tuple[int, bool]]

STORIES: dict[str, tuple[Seen, tuple[int, int, int]]] = {
    "in order": ([(0, True), (1, True), (2, True)], (3, 3, 0)),
    "one lost": ([(0, True), (2, True)], (2, 3, 0)),
    "the first ones lost": ([(5, True)], (1, 6, 0)),
    "overtaken, not lost": ([(0, True), (2, True), (1, True), (3, True)], (4, 4, 1)),
    "replayed": ([(0, True), (1, True), (1, False), (0, False), (1, False)], (2, 2, 0)),
    "a late one replayed": ([(1, True), (0, True), (0, False)], (2, 2, 1)),
    "a leap beyond what is kept": ([(0, True), (9000, True), (1, False), (8999, True)], (3, 9001, 1)),
    "the largest number there is": ([(0, True), (2**32 - 1, True), (2**32 - 2, True)], (3, 2**32, 1)),
}


@pytest.mark.parametrize(("seen", "counts"), STORIES.values(), ids=STORIES.keys())
def test_each_packet_counts_once(seen: Seen, counts: tuple[int, int, int]) -> None:
    arrivals = Arrivals()
    said = [arrivals.add(number, 1, 0, at) for at, (number, _) in enumerate(seen)]
    assert said == [counted for _, counted in seen]
    assert (arrivals.received, arrivals.expected, arrivals.reordered) == counts


def test_delay_is_of_what_came_since_the_last_feedback() -> None:
    arrivals = Arrivals()
    for number, delay in enumerate([50, 30, 90]):
        arrivals.add(number, 7, 1000 * number, 1000 * number + delay)
    first = arrivals.feedback(5, 6)
    arrivals.add(3, 8, 3000, 3040)
    second = arrivals.feedback(5, 7)
    assert (first.session, first.number, first.order, first.delay_min_ns, first.delay_max_ns) == (5, 6, 7, 30, 90)
    assert (first.sent_ns, first.arrived_ns) == (2000, 2090)
    assert (second.order, second.delay_min_ns, second.delay_max_ns) == (8, 40, 40)


def test_clocks_may_disagree_by_years() -> None:
    arrivals = Arrivals()
    arrivals.add(0, 1, 10**18, 5)
    arrivals.add(1, 1, 10**18 + 1000, 1015)
    said = arrivals.feedback(1, 1)
    assert said.delay_max_ns - said.delay_min_ns == 10
