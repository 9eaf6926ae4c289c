import pytest

from bench.table import table


def test_the_first_column_stands_left_and_figures_stand_right() -> None:
    shown = table(("link", "p99"), [("fiber", "1.7"), ("cellular", "401.1")])
    assert shown.splitlines() == [
        "link        p99",
        "────────  ─────",
        "fiber       1.7",
        "cellular  401.1",
    ]


def test_a_row_that_is_not_as_wide_as_its_head_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        table(("link", "p99"), [("fiber",)])
