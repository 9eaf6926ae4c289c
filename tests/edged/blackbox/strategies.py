"""Any value of any type the black box can meet, by its type hints: every digit, every key, every enum member."""

from collections.abc import Mapping
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st

from edged.blackbox.shape import hints, is_json, is_mapping, is_record, is_union

FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # those have a test of their own
TEXTS = st.text(max_size=6)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
Plain = Mapping[Any, st.SearchStrategy[Any]]
ANY: Plain = {
    Any: JSON,
    NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(),
    float: FLOATS,
    str: TEXTS,
}
SENSIBLE: Plain = {
    **ANY,
    Any: st.sampled_from(["up", 1, None]),
    int: st.integers(0, 300),
    float: st.floats(0, 300),
    str: st.sampled_from(["", "room", "fiber", "cellular", "wan0", "0", "1", "s-1", "s-2"]),
}
"""Names of the tests' site, and figures that an instrument can give."""


def anything(hint: Any, plain: Plain = ANY) -> st.SearchStrategy[Any]:
    if is_json(hint):
        return plain[Any]
    if hint in plain:
        return plain[hint]
    if is_record(hint):
        fields = {name: _later(of, plain) for name, of in hints(hint).items()}
        return st.builds(hint, **fields)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if is_union(hint):
        return st.one_of([anything(each, plain) for each in get_args(hint)])
    origin, members = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(members)
    return _collection(hint, [anything(each, plain) for each in members if each is not Ellipsis])


def _later(hint: Any, plain: Plain) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: anything(hint, plain))


def _collection(hint: Any, members: list[st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    if is_mapping(hint):
        return st.dictionaries(*members, max_size=2)
    if get_origin(hint) is frozenset:
        return st.frozensets(members[0], max_size=3)
    if get_origin(hint) is tuple and Ellipsis not in get_args(hint):
        return st.tuples(*members)
    return st.lists(members[0], max_size=2).map(tuple)
