from itertools import count, pairwise

from edge_noc.asking import ANSWER_S, BRIDGE, MAX_SPAN, MAX_TRIES, Asking, Kind, Question, span
from edge_noc.book import StreamBook


def book_with(*numbers: int, now_s: float = 0.0) -> StreamBook:
    book = StreamBook()
    for number in numbers:
        book.take(number, number, tier=False, now_s=now_s)
    return book


class Scene:
    """One site with one stream, at a time of its own."""

    def __init__(self, book: StreamBook, kind: Kind = Kind.EVENT) -> None:
        self.asking, self.book, self.kind = Asking(), book, kind
        self._ids = (f"q-{number}" for number in count(1))

    def at(self, now_s: float) -> Question | None:
        return self.asking.due([("s", self.kind, self.book)], now_s, self._ids.__next__)


def test_a_hole_is_asked_about_when_nothing_filled_it_for_a_while() -> None:
    scene = Scene(book_with(1, 4))
    assert scene.at(4.9) is None
    scene.book.take(2, 2, tier=False, now_s=4.9)
    assert scene.at(9.8) is None
    question = scene.at(9.9)
    assert question is not None
    assert (question.id, question.stream, question.first, question.last) == ("q-1", "s", 3, 3)


def test_nothing_is_asked_of_a_stream_without_a_hole() -> None:
    assert Scene(book_with(1, 2, 3)).at(1000.0) is None


def test_backlog_under_way_may_bring_it_so_one_waits_but_not_for_ever() -> None:
    scene = Scene(book_with(1, 3))
    for now_s in range(0, 120, 4):
        scene.asking.backlog_s = float(now_s)
        assert scene.at(now_s + 3.0) is None
    assert scene.at(120.0) is not None


def test_telemetry_is_waited_for_as_long_as_backlog_comes() -> None:
    scene = Scene(book_with(1, 3), Kind.TELEMETRY)
    scene.asking.backlog_s = 5000.0
    assert scene.at(5059.0) is None
    assert scene.at(5060.0) is not None


def test_one_question_at_a_time() -> None:
    scene = Scene(book_with(1, 3))
    assert scene.at(5.0) is not None
    assert scene.at(5.0 + ANSWER_S - 0.1) is None


def test_a_question_nobody_answered_is_asked_again_ever_more_rarely_and_then_once_an_hour() -> None:
    scene = Scene(book_with(1, 3))
    asked = [now_s for now_s in range(40_000) if scene.at(float(now_s))]
    waits = [after - before for before, after in pairwise(asked)]
    unanswered = int(ANSWER_S)
    assert waits[: MAX_TRIES - 1] == [unanswered + wait for wait in (10, 20, 40, 80, 160, 320, 600)]
    assert set(waits[MAX_TRIES - 1 :]) == {unanswered + 3600}


def test_an_answer_that_brought_nothing_is_in_vain_and_one_that_brought_something_is_followed_at_once() -> None:
    scene = Scene(book_with(1, 3, 30))
    assert scene.at(5.0)
    scene.asking.answered(scene.book, 6.0)
    assert scene.at(15.9) is None
    assert scene.at(16.0)
    scene.book.take(2, 2, tier=False, now_s=17.0)
    scene.asking.answered(scene.book, 17.0)
    following = scene.at(17.0)
    assert following is not None
    assert (following.first, following.last) == (4, 29)


def test_a_new_connection_of_either_side_begins_anew() -> None:
    scene = Scene(book_with(1, 3))
    assert scene.at(5.0)
    scene.asking.in_vain(5.0)
    assert scene.at(6.0) is None
    scene.asking.connected_anew()
    assert scene.at(6.0)


def test_holes_near_to_each_other_are_one_question_and_no_question_is_too_wide() -> None:
    near = book_with(1, 3, *range(5, 5 + BRIDGE - 1), 60)
    assert span(near) == (2, 59)
    far = book_with(1, *range(3, 3 + BRIDGE), 60)
    assert span(far) == (2, 2)
    wide = book_with(MAX_SPAN * 2)
    assert span(wide) == (1, MAX_SPAN)
