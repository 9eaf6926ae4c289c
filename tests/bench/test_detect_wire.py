from ipaddress import IPv4Address

import pytest

from bench.detect_wire import Tally

OURS, FAR, OTHER = (IPv4Address(each) for each in ("10.77.0.11", "198.51.100.40", "10.77.0.20"))


def packet(source: IPv4Address, target: IPv4Address, length: int, *, version: int = 4) -> bytes:
    """The header is whole, of the rest as much as was captured."""
    return bytes([version << 4 | 5, 0]) + length.to_bytes(2) + bytes(8) + source.packed + target.packed + bytes(44)


def test_bytes_are_those_the_header_gives_and_not_those_captured() -> None:
    tally = Tally(OURS)
    for each in (packet(OURS, FAR, 72), packet(OURS, FAR, 1500), packet(FAR, OURS, 72)):
        tally.take(each)
    assert tally.bytes == {"up": 1572, "down": 72}
    assert tally.packets == {"up": 2, "down": 1}


@pytest.mark.parametrize(
    "other", [packet(OTHER, FAR, 72), packet(FAR, OTHER, 72), packet(OURS, FAR, 72, version=6), b"", bytes(19)]
)
def test_what_is_not_ours_is_not_counted(other: bytes) -> None:
    tally = Tally(OURS)
    tally.take(other)
    assert tally.packets == {"up": 0, "down": 0}
