"""The fuzzer itself: it finds what is planted, says where, and does the same again."""

import struct

import pytest

from tests.fuzzing import Codec, broken, fuzz, lines_run, stretched

SAMPLE = b"\x01\0\x04data\x02\0\0"


class Refused(Exception):
    pass


def records(packet: bytes) -> int:
    """Kind, length, value, again and again. Planted: a length that ends inside the next head is not noticed."""
    at, count = 0, 0
    while at < len(packet):
        if packet[at] > 2:
            raise Refused
        at += 3 + struct.unpack_from(">H", packet, at + 1)[0]
        count += 1
    return count


def sound(packet: bytes) -> int:
    try:
        return records(packet)
    except struct.error as error:
        raise Refused from error


def looking_back(packet: bytes) -> int:
    found = 0
    for end in range(len(packet)):
        for at in range(end):
            found += packet[at] == packet[end]
    return found


def test_a_planted_fault_is_found_and_the_packet_named() -> None:
    with pytest.raises(struct.error) as caught:
        fuzz(Codec("records", (SAMPLE,), records, Refused), 10_000, seed=1)
    (note,) = caught.value.__notes__
    packet = bytes.fromhex(note.removeprefix("records was shown "))
    with pytest.raises(struct.error):
        records(packet)


def test_a_sound_codec_is_shown_all_packets_and_refuses_some() -> None:
    tally = fuzz(Codec("records", (SAMPLE,), sound, Refused), 10_000, seed=1)
    assert tally.read + tally.refused == 10_000
    assert min(tally.read, tally.refused) > 1000


def test_the_same_seed_breaks_the_same_way_and_another_seed_otherwise() -> None:
    codec = Codec("records", (SAMPLE, SAMPLE[:7]), sound, Refused)
    first, again, other = (list(broken(codec, 500, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) > 400


def test_a_seal_puts_half_of_the_packets_right() -> None:
    codec = Codec("records", (SAMPLE,), sound, Refused, seal=lambda packet: b"sealed" + packet)
    sealed = sum(packet.startswith(b"sealed") for packet in broken(codec, 1000, seed=1))
    assert 400 < sealed < 600


@pytest.mark.parametrize(("read", "linear"), [(sound, True), (looking_back, False)])
def test_a_parser_that_looks_back_is_seen_to_take_too_long(read: object, linear: bool) -> None:
    assert callable(read)
    codec = Codec("", (SAMPLE,), read, Refused)
    ratios = [
        lines_run(codec, whole) / lines_run(codec, half)
        for half, whole in zip(stretched(codec, 64, seed=5), stretched(codec, 128, seed=5), strict=True)
    ]
    assert (max(ratios) <= 2.1) is linear
