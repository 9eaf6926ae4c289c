from bench.fleet_book import ASK_AT_MOST, Book, Hole

BASE = "edge/v1/fleet/site-1"


def test_a_watermark_moves_with_each_event_that_leaves_no_hole() -> None:
    book = Book()
    marks = [book.take(BASE, "s", sequence, now_s) for sequence, now_s in ((1, 1.0), (2, 2.0), (4, 3.0), (5, 4.0))]
    assert marks == [1, 2, None, None]
    assert book.take(BASE, "s", 3, 5.0) == 5


def test_each_event_is_new_once() -> None:
    book = Book()
    for sequence in (1, 1, 3, 3):
        book.take(BASE, "s", sequence, 7.0)
    assert book.new() == [("s", 1, 7.0), ("s", 3, 7.0)]
    assert book.new() == []
    assert book.repeats == 2


def test_what_comes_again_is_acknowledged_again() -> None:
    book = Book()
    book.take(BASE, "s", 1, 1.0)
    book.take(BASE, "s", 2, 1.0)
    assert book.take(BASE, "s", 1, 2.0) == 2


def test_streams_do_not_mix() -> None:
    book = Book()
    book.take(BASE, "s", 1, 1.0)
    assert book.take(BASE, "t", 1, 1.0) == 1
    assert book.take(BASE, "t", 3, 1.0) is None


def test_a_hole_is_asked_about_when_it_has_lasted_and_no_oftener() -> None:
    book = Book()
    book.take(BASE, "s", 1, 10.0)
    book.take(BASE, "s", 5, 10.0)
    assert list(book.to_ask(12.9)) == []
    assert list(book.to_ask(13.0)) == [Hole(BASE, "s", 2, 4)]
    assert list(book.to_ask(15.9)) == []
    book.take(BASE, "s", 2, 15.9)  # it begins to fill: have patience again
    assert list(book.to_ask(18.0)) == []
    assert list(book.to_ask(19.0)) == [Hole(BASE, "s", 3, 4)]


def test_a_filled_hole_is_forgotten() -> None:
    book = Book()
    book.take(BASE, "s", 2, 10.0)
    book.take(BASE, "s", 1, 11.0)
    assert list(book.to_ask(100.0)) == []


def test_a_question_is_bounded() -> None:
    book = Book()
    book.take(BASE, "s", 50_000, 0.0)
    assert list(book.to_ask(9.0)) == [Hole(BASE, "s", 1, ASK_AT_MOST)]
