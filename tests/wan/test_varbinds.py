import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan.varbinds import MAX_TEXT, Value, as_int, as_text, column, dotted, oid

VALUES = st.one_of(st.none(), st.integers(), st.binary(), st.text())


def test_a_column_is_what_lies_under_its_root_in_order_of_the_indices() -> None:
    view: dict[tuple[int, ...], Value] = {
        (1, 2, 10): 1,
        (1, 2, 9): 2,
        (1, 2, 9, 1): 3,
        (1, 3, 1): 4,
        (1, 2): 5,
        (1, 2, 7): None,
    }
    assert column(view, (1, 2)) == {(9,): 2, (9, 1): 3, (10,): 1}
    assert list(column(view, (1, 2))) == [(9,), (9, 1), (10,)]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"Wi-Fi WAN on 2.4 GHz", "Wi-Fi WAN on 2.4 GHz"),
        (b"  two\r\n lines \x00", "two lines"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", None),
        (b" \x1b\x07 ", None),
        (b"x" * 500, "x" * MAX_TEXT),
        (7, None),
        (None, None),
    ],
)
def test_text_is_one_printable_line_or_none(said: Value, text: str | None) -> None:
    assert as_text(said) == text


@given(VALUES)
def test_readers_take_any_value(value: Value) -> None:
    assert as_int(value) == (value if isinstance(value, int) else None)
    text = as_text(value)
    assert text is None or (text.isprintable() and 0 < len(text) <= MAX_TEXT)


@given(st.lists(st.integers(min_value=0, max_value=2**32 - 1), min_size=1).map(tuple))
def test_an_oid_survives_its_dotted_form(at: tuple[int, ...]) -> None:
    assert oid(dotted(at)) == at
