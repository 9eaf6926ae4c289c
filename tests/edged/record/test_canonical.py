import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.events import Json
from edged.record.canonical import MAX_INTEGER, _spell, _written, canonical
from edged.record.errors import RecordMisused

# Numbers: RFC 8785 appendix B, by their IEEE 754 bits there; here by value.
NUMBERS: list[tuple[int | float, str]] = [
    (0.0, "0"),
    (-0.0, "0"),
    (5e-324, "5e-324"),
    (-5e-324, "-5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (9007199254740992.0, "9007199254740992"),
    (295147905179352830000.0, "295147905179352830000"),
    (9.999999999999997e22, "9.999999999999997e+22"),
    (1e23, "1e+23"),
    (1.0000000000000001e23, "1.0000000000000001e+23"),
    (999999999999999700000.0, "999999999999999700000"),
    (1e21, "1e+21"),
    (9.999999999999997e-7, "9.999999999999997e-7"),
    (0.000001, "0.000001"),
    (333333333.3333332, "333333333.3333332"),
    (-0.0000033333333333333333, "-0.0000033333333333333333"),
    (1424953923781206.2, "1424953923781206.2"),
    (12.0, "12"),
    (-1.5, "-1.5"),
    (7, "7"),
    (-MAX_INTEGER, "-9007199254740991"),
]

SPELLINGS: list[tuple[Json, str]] = [
    ({}, "{}"),
    ([], "[]"),
    ({"b": [1, {"z": None, "a": True}], "a": False}, '{"a":false,"b":[1,{"a":true,"z":null}]}'),
    # RFC 8785, 3.2.3: keys sort by UTF-16 code unit, so the emoji (a surrogate pair) comes before U+FB33
    (
        {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7},
        '{"\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}',
    ),
    ('\x08\t\n\x0c\r\x0f"\\/', '"\\b\\t\\n\\f\\r\\u000f\\"\\\\/"'),
    (("tuple", "too"), '["tuple","too"]'),
]


@pytest.mark.parametrize(("number", "spelling"), NUMBERS)
def test_a_number_is_spelled_as_ecmascript_does(number: float, spelling: str) -> None:
    assert canonical(number) == spelling.encode()
    assert json.loads(spelling, parse_int=float) == number


@pytest.mark.parametrize(("value", "spelling"), SPELLINGS)
def test_a_value_has_one_spelling(value: Json, spelling: str) -> None:
    assert canonical(value) == spelling.encode()


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        b"bytes",
        {1: 2},
        {1, 2},
        object(),
        [[math.nan]],
    ],
)
def test_what_json_cannot_say_is_misuse(value: Json) -> None:
    with pytest.raises(RecordMisused):
        canonical(value)


_text = st.text(st.characters(exclude_categories=["Cs"]))
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _text
)
_values = st.recursive(_scalars, lambda inner: st.lists(inner) | st.dictionaries(_text, inner), max_leaves=20)


@given(_values)
def test_any_json_value_survives_and_its_spelling_is_a_fixed_point(value: Json) -> None:
    spelled = canonical(value)
    assert json.loads(spelled, parse_int=float) == value  # a reader that holds all numbers as doubles
    assert canonical(json.loads(spelled, parse_int=float)) == spelled


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)


@given(JSON)
def test_the_quick_way_spells_as_the_long_one(value: Json) -> None:
    assert _written(value) == "".join(_spell(value))
