import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.record.journal_entry import END, MAGIC, Entry, Kept, Settled, Whole, encode, entries

EVENT = Kept(7, "a", 3, 2, b"p" * 32, b'{"data":1}')


def read(data: bytes) -> list[Entry]:
    return [found.entry for found in entries(data)]


@given(st.integers(0, END), st.text(max_size=60), st.integers(0, END), st.integers(0, 4), st.binary(max_size=500))
def test_what_is_written_is_read(row: int, stream: str, sequence: int, tier: int, body: bytes) -> None:
    written: list[Entry] = [Kept(row, stream, sequence, tier, b"p" * 32, body), Settled(stream, 1, sequence), Whole()]
    assert read(b"".join(encode(entry, 9) for entry in written)) == written


def test_the_bytes_are_these() -> None:
    assert encode(Settled("a", 1, 2), 5) == (
        MAGIC + bytes.fromhex("956d1b3f") + bytes.fromhex("11000000 05000000 02 0100000000000000 0200000000000000 61")
    )


@pytest.mark.parametrize("at", range(len(encode(EVENT, 1))))
def test_a_changed_byte_costs_its_entry_and_no_other(at: int) -> None:
    data = bytearray(encode(EVENT, 1) * 3)
    data[len(data) // 3 + at] ^= 0xFF
    assert read(bytes(data)) == [EVENT, EVENT]


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_nothing_around_an_entry_hides_it(before: bytes, after: bytes) -> None:
    assert EVENT in read(before + encode(EVENT, 1) + after)


def test_an_entry_cut_off_is_none() -> None:
    data = encode(EVENT, 1)
    assert all(read(data[:end]) == [] for end in range(len(data)))
