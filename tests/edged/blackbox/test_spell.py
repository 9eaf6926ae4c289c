"""Whatever the judge can be told or can remember comes back from the disk as it was, to the last digit."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.blackbox.errors import BlackBoxBroken, BlackBoxMisused
from edged.blackbox.segment import Header
from edged.blackbox.shape import records_within
from edged.blackbox.spell import Speller
from edged.blackbox.unspell import Unspeller
from edged.core.observations import Observation, Tick
from probes.line_reading import DiesAt, PathReading
from tests.edged.blackbox.strategies import anything

KINDS = records_within(Header, Observation)


class Colour(StrEnum):
    RED = "red"


class Grade(IntEnum):
    LOW = 1


class Shade(Enum):
    DARK = 0.5


@dataclass(frozen=True, slots=True)
class Leaf:
    shade: Shade


@dataclass(frozen=True, slots=True)
class Odd:
    """What no core class has yet, or not in every place."""

    by_pair: Mapping[tuple[str, Colour], Leaf]
    by_grade: Mapping[Grade, Mapping[int, float]] | None
    by_colour: Mapping[Colour, tuple[Mapping[float, Leaf], ...]]
    few: frozenset[Colour]
    pair: tuple[Mapping[int, str], Leaf | None]
    word: Literal["yes", "no"]
    either: int | str | Leaf | None


@dataclass(frozen=True, slots=True)
class Bare:
    pass


def back(hint: Any, value: object, *roots: Any) -> Any:
    unspeller = Unspeller(*(roots or (hint,)))
    *explained, line = Speller().line(value).splitlines()
    for each in map(json.loads, explained):
        unspeller.explain(each["class"], each["fields"])
    return unspeller.read(hint, json.loads(line))


def same(one: object, other: object) -> bool:
    """Equal, of the same types, with the same digits: -0.0 is not 0.0, and 1 is not 1.0."""
    return one == other and repr(one) == repr(other)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_class_the_judge_can_meet_comes_back_as_it_was(kind: type) -> None:
    @given(anything(kind))
    @settings(max_examples=8)
    def comes_back(value: object) -> None:
        assert same(back(kind, value), value)

    comes_back()


@given(anything(Observation))
@settings(max_examples=100)
def test_any_observation_is_told_apart_by_its_tag(observation: Observation) -> None:
    assert same(back(Observation, observation), observation)


def test_the_walk_finds_every_kind_of_observation_and_the_whole_state() -> None:
    names = {kind.__name__ for kind in get_args(Observation)}
    assert names <= KINDS.keys()
    assert {"Plan", "State", "Latch", "LinkState", "Header"} <= KINDS.keys()


@given(anything(Odd))
@settings(max_examples=60)
def test_keys_of_any_kind_come_back(odd: Odd) -> None:
    assert same(back(Odd, odd), odd)


def test_a_class_without_fields_comes_back() -> None:
    assert back(Bare, Bare()) == Bare()


@pytest.mark.parametrize(
    "at_s", [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 34971.649323557]
)
def test_a_double_comes_back_bit_by_bit(at_s: float) -> None:
    held = back(Tick, Tick(at_s)).at_s
    assert (held, math.copysign(1, held)) == (at_s, math.copysign(1, at_s))


def test_not_a_number_comes_back_as_such() -> None:
    assert math.isnan(back(Tick, Tick(math.nan)).at_s)


def test_a_class_is_explained_once_in_a_stream() -> None:
    speller = Speller()
    assert speller.line(Tick(1.5)) == b'{"class":"Tick","fields":["at_s"]}\n["Tick",1.5]\n'
    assert speller.line(Tick(2.5)) == b'["Tick",2.5]\n'


@pytest.mark.parametrize("value", [object(), b"bytes", Tick(1j)], ids=["object", "bytes", "inside"])  # type: ignore[arg-type]
def test_what_has_no_spelling_is_refused_by_name(value: object) -> None:
    with pytest.raises(BlackBoxMisused, match="has no spelling"):
        Speller().line(value)


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("Twig", ["shade"], "Twig: this software knows no such class"),
        ("Leaf", ["shade", "age_s"], "Leaf.age_s: this software knows no such field"),
        ("Leaf", [], "Leaf.shade: missing"),
        (None, None, "no explanation"),
    ],
)
def test_an_unknown_class_or_field_is_named(name: Any, fields: Any, said: str) -> None:
    with pytest.raises(BlackBoxBroken, match=said):
        Unspeller(Leaf).explain(name, fields)


def odd(**wrong: Any) -> list[Any]:
    good: dict[str, Any] = {
        "by_pair": [],
        "by_grade": None,
        "by_colour": {},
        "few": [],
        "pair": [[], None],
        "word": "yes",
        "either": 1,
    }
    return ["Odd", *(good | wrong).values()]


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        (odd(by_pair=[[["a", "red"], ["Leaf", 0.7]]]), r"Odd.by_pair\[.*Leaf.shade: there is no Shade 0.7"),
        (odd(by_pair=[[["a", "blue"], ["Leaf", 0.5]]]), "Odd.by_pair.*no Colour 'blue'"),
        (odd(word="maybe"), "Odd.word: 'maybe' is none of"),
        (odd(pair=[[], ["Twig", 1]]), r"Odd.pair\[1\]: 'Twig' where Leaf should be"),
        (odd(pair=[[]]), r"Odd.pair: .* is no list of 2"),
        (odd(by_colour=[]), "Odd.by_colour: .* is no mapping"),
        (odd(by_grade=[[1, [[True, "x"]]]]), "Odd.by_grade.*'x' is no float"),
        (odd(few=7), "Odd.few: 7 is no list"),
        (odd()[:2], "Odd: 1 values for 7 fields"),
        (17, "17 where Odd should be"),
    ],
)
def test_a_value_its_type_does_not_allow_is_named_by_field(spelled: Any, said: str) -> None:
    unspeller = Unspeller(Odd)
    unspeller.explain("Leaf", ["shade"])
    unspeller.explain("Odd", list(Odd.__slots__))
    with pytest.raises(BlackBoxBroken, match=said):
        unspeller.read(Odd, spelled)


def test_a_class_used_before_it_is_explained_is_refused() -> None:
    with pytest.raises(BlackBoxBroken, match="Tick is used before it is explained"):
        Unspeller(Tick).read(Tick, ["Tick", 1.0])


def test_an_older_recording_lacks_a_newer_field_and_gets_its_default() -> None:
    @dataclass(frozen=True, slots=True)
    class Grown:
        at_s: float
        added: str = "as before"

    unspeller = Unspeller(Grown)
    unspeller.explain("Grown", ["at_s"])
    assert unspeller.read(Grown, ["Grown", 2.0]) == replace(Grown(2.0), added="as before")


def test_two_classes_of_one_name_cannot_both_be_spelled() -> None:
    other: Any = dataclass(frozen=True)(type("Leaf", (), {"__annotations__": {"at_s": float}}))
    with pytest.raises(ValueError, match="both have a Leaf"):
        records_within(Leaf, other)


def test_a_document_comes_back_with_its_lists() -> None:
    path = PathReading("fiber", 1.0, "t", DiesAt.LAN, None, None, None, None, {"hops": [1, {"at": [2.5]}], "mtu": None})
    assert same(back(Observation, path), path)


@given(st.text())
def test_any_text_comes_back_also_what_is_not_ascii(text: str) -> None:
    assert back(str, text) == text
