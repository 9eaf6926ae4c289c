import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.record.batch import MAX_BYTES, MAX_INFLATED, MAX_MESSAGES, NoBatch, joined, pack, portions, unpack

BODIES = st.lists(
    st.dictionaries(st.text(), st.integers() | st.text(), max_size=3).map(lambda each: json.dumps(each).encode()),
    max_size=5,
)


@given(BODIES)
def test_the_members_are_what_they_would_have_been_alone(bodies: list[bytes]) -> None:
    assert unpack(pack(bodies)) == [json.loads(body) for body in bodies]


@given(st.lists(BODIES.filter(len), min_size=1, max_size=4))
def test_joined_batches_hold_the_same_bytes_in_the_same_order(batches: list[list[bytes]]) -> None:
    together = [body for bodies in batches for body in bodies]
    assert zlib.decompress(joined([pack(bodies) for bodies in batches])) == zlib.decompress(pack(together))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        pack([b"{}"])[:-1],
        zlib.compress(b"{}"),
        zlib.compress(b"[1]"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b"[" + b" " * MAX_INFLATED + b"]"),
    ],
)
def test_what_is_no_batch_is_refused(payload: bytes) -> None:
    with pytest.raises(NoBatch):
        unpack(payload)


def test_what_is_no_batch_is_joined_with_nothing() -> None:
    with pytest.raises(NoBatch):
        joined([pack([b"{}"]), b"torn"])


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ([], 0),
        ([10], 1),
        ([MAX_BYTES + 1], 1),
        ([10, MAX_BYTES], 1),
        ([10, MAX_BYTES - 10, 1], 2),
        ([1] * (MAX_MESSAGES + 1), MAX_MESSAGES),
    ],
)
def test_a_batch_holds_so_many(sizes: list[int], count: int) -> None:
    assert portions([b"x" * size for size in sizes]) == count
