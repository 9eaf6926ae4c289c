import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.record.errors import RecordBroken
from edged.record.recorded import Head
from edged.record.spans import PendingRows, Span, Spans

TWO = Spans((Span("a", 0, 5, acknowledged=3), Span("b", 5, 2)))


def test_a_row_belongs_to_the_stream_it_was_numbered_in() -> None:
    assert [TWO.find(row).stream for row in (1, 5, 6, 7)] == ["a", "a", "b", "b"]
    assert [TWO.is_acknowledged(row) for row in (1, 3, 4, 6)] == [True, True, False, False]
    with pytest.raises(RecordBroken):
        TWO.find(0)


def test_only_the_last_stream_grows() -> None:
    assert TWO.grown(3).heads() == (Head("a", 5, 3), Head("b", 5, 0))


def test_a_new_stream_starts_after_the_newest_row_and_replaces_an_empty_one() -> None:
    assert TWO.begin("c").begin("d").spans == (*TWO.spans, Span("d", 7))


def test_a_watermark_moves_in_its_own_stream_only() -> None:
    assert TWO.acknowledge("b", 2).heads() == (Head("a", 5, 3), Head("b", 2, 2))


@pytest.mark.parametrize(("oldest", "kept"), [(1, "ab"), (5, "ab"), (6, "b"), (99, "b")])
def test_a_stream_is_forgotten_with_its_last_row(oldest: int, kept: str) -> None:
    assert "".join(span.stream for span in TWO.kept_from(oldest).spans) == kept


def test_streams_of_a_file_read_late_come_first() -> None:
    late = Spans((Span("m", 2**40, 3),))
    assert late.after(TWO).heads() == (Head("a", 5, 3), Head("b", 2, 0), Head("m", 3, 0))


@given(
    st.sets(st.integers(1, 60)),
    st.lists(st.integers(0, 61)),
    st.integers(0, 61),
    st.integers(0, 61),
    st.integers(0, 10),
)
def test_pending_rows_behave_like_a_sorted_set(
    rows: set[int], settled: list[int], low: int, high: int, limit: int
) -> None:
    pending = PendingRows(rows)
    pending.settle(settled)
    pending.settle_between(low, high)
    left = {row for row in rows if row not in settled and not low <= row <= high}
    assert len(pending) == len(left)
    assert all((row in pending) == (row in left) for row in range(62))
    assert pending.after(low, limit) == sorted(row for row in left if row > low)[:limit]
