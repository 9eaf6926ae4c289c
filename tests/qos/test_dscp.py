"""Names of code points."""

import pytest

from qos.dscp import DSCP_NAMES, code_point


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("EF", 0b101110),
        ("ef", 46),
        (" AF41 ", 34),
        ("AF42", 36),
        ("AF13", 14),
        ("CS0", 0),
        ("CS5", 40),
        ("CS7", 56),
        ("VA", 44),
        ("LE", 1),
        ("BE", 0),
        (46, 46),
        ("46", 46),
        (0, 0),
        (63, 63),
    ],
)
def test_names_and_numbers_give_the_six_bits(text: str | int, bits: int) -> None:
    assert code_point(text) == bits


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("AF44", "unknown DSCP name 'AF44'; known: DF"),
        ("EXPEDITED", "unknown DSCP name"),
        ("", "unknown DSCP name ''"),
        (64, "outside 0-63"),
        (-1, "outside 0-63"),
        ("99", "outside 0-63"),
        (True, "outside 0-63"),
    ],
)
def test_what_is_no_code_point_is_named(text: str | int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        code_point(text)


def test_every_name_fits_six_bits_and_none_is_doubled_but_best_effort() -> None:
    bits = [value for name, value in DSCP_NAMES.items() if name not in ("DF", "BE")]
    assert sorted(bits) == sorted(set(bits))
    assert all(0 <= value <= 63 for value in bits)
