from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from wan.survey import MAX_ROWS, Survey
from wan.varbinds import Oid, Value

Rows = list[tuple[Oid, Value]]


def walk(survey: Survey, agent: Rows, rows: int = 3) -> int:
    """An agent that keeps the rules. Returns the number of requests."""
    requests = 0
    while (start := survey.next_request()) is not None:
        requests += 1
        survey.feed([row for row in agent if row[0] > start][:rows] or [(start, None)])
    return requests


def test_it_finds_all_under_its_roots_and_nothing_else() -> None:
    agent: Rows = [
        ((1, 1), 0),
        ((1, 2, 1), b"a"),
        ((1, 2, 2), b"b"),
        ((1, 2, 3), b"c"),
        ((1, 2, 4), b"d"),
        ((1, 4, 1), 9),
    ]
    survey = Survey([(1, 2), (1, 3), (1, 4)])
    assert walk(survey, agent) == 5  # two for the four rows, one for the empty root, two for the last and its end
    assert survey.found == dict(agent[1:])


def test_no_roots_need_no_request() -> None:
    assert Survey([]).next_request() is None


def test_an_agent_that_turns_in_circles_is_left() -> None:
    survey = Survey([(1,), (2,)])
    survey.feed([((1, 5), 1), ((1, 4), 2)])
    assert survey.next_request() == (2,)
    survey.feed([((2, 1), 1)])
    survey.feed([((2, 1), 1)])
    assert survey.next_request() is None
    assert survey.found == {(1, 5): 1, (2, 1): 1}


def test_an_endless_table_ends() -> None:
    survey = Survey([(1,)])
    assert walk(survey, [((1, n), n) for n in range(10 * MAX_ROWS)], rows=10) <= MAX_ROWS // 10 + 1
    assert len(survey.found) == MAX_ROWS


def test_no_rows_end_a_subtree() -> None:
    survey = Survey([(1,), (2,)])
    survey.feed([])
    assert survey.next_request() == (2,)


ROWS = st.lists(
    st.tuples(st.lists(st.integers(0, 3), max_size=4).map(tuple), st.one_of(st.none(), st.integers())), max_size=5
)


@given(st.lists(ROWS, min_size=4, max_size=60))
def test_whatever_it_is_fed_it_goes_on_or_ends(answers: Sequence[Rows]) -> None:
    survey = Survey([(1,), (2, 1), (3,)])
    for rows in answers:
        if survey.next_request() is not None:
            survey.feed(rows)
    assert all(at[:1] in {(1,), (2,), (3,)} for at in survey.found)
