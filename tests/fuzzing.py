"""Broken packets in bulk: valid ones with bytes changed, cut, repeated, spliced, their numbers lied about, and noise.

Structure-aware in that it begins with valid samples and, where a packet carries a checksum, signature or length of its
own, half of the broken ones get a right one again and so come past it. Everything follows from the seed.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import FrameType
from typing import Any

_LIES = (b"\0\0", b"\0\1", b"\xff\xff", b"\x7f\xff", b"\x80\0", b"\0\xff", b"\xff\0", b"\0\x10")
_NOISE_MAX = 192


def _unsealed(packet: bytes) -> bytes:
    return packet


@dataclass(frozen=True, slots=True)
class Codec:
    """`read` takes one packet; it may raise `refuses` and nothing else. `seal` puts right what a packet says of
    itself.
    """

    name: str
    samples: tuple[bytes, ...]
    read: Callable[[bytes], object]
    refuses: type[Exception]
    seal: Callable[[bytes], bytes] = _unsealed


@dataclass(frozen=True, slots=True)
class Tally:
    read: int
    refused: int


def fuzz(codec: Codec, count: int, seed: int) -> Tally:
    """Shows `count` packets to `codec`. An exception that is no refusal comes through, with the packet as a note."""
    read, refuses, refused = codec.read, codec.refuses, 0
    packet = b""
    try:
        for packet in broken(codec, count, seed):
            try:
                read(packet)
            except refuses:
                refused += 1
    except Exception as error:
        error.add_note(f"{codec.name} was shown {packet.hex()}")
        raise
    return Tally(count - refused, refused)


def broken(codec: Codec, count: int, seed: int) -> Iterator[bytes]:
    rng = Random(seed)
    noise = rng.randbytes(65_536)
    samples, bits, seal = codec.samples, rng.getrandbits, codec.seal
    for at in range(count):
        dice = bits(64)
        packet = _CHANGES[dice & 15](samples[at % len(samples)], dice >> 8, noise, samples)
        if dice & 0x30 == 0:  # a quarter is changed twice
            packet = _CHANGES[dice >> 6 & 15](packet, dice >> 20, noise, samples)
        yield seal(packet) if dice & 0x400 else packet


def stretched(codec: Codec, times: int, seed: int) -> Iterator[bytes]:
    """Each sample with some piece of it repeated so often: what a parser that looks back or starts anew dreads."""
    rng = Random(seed)
    for sample in codec.samples:
        for width in (1, 2, 4, 6, 12, 16):
            at = rng.randrange(len(sample))
            yield codec.seal(sample[:at] + sample[at : at + width] * times + sample[at + width :])


def lines_run(codec: Codec, packet: bytes) -> int:
    """How many lines of Python it took to read or refuse `packet`: time, but the same on every machine."""
    lines = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        codec.read(packet)
    except codec.refuses:
        pass
    finally:
        sys.settrace(before)
    return lines


# ── changes ────────────────────────────────────────────────────────────────────────────────────────────
# Each takes a packet, dice of some 40 bits, a pool of noise and all samples. In plain arithmetic: a call of randrange
# would take longer than the packet's whole reading.
_Change = Callable[[bytes, int, bytes, tuple[bytes, ...]], bytes]


def _byte(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    at = (dice >> 8) % (len(packet) or 1)
    return packet[:at] + bytes((dice & 0xFF,)) + packet[at + 1 :]


def _bit(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    at = (dice >> 3) % (len(packet) or 1)
    return packet[:at] + bytes((packet[at] ^ 1 << (dice & 7),)) + packet[at + 1 :] if packet else packet


def _lie(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    """In a number of 16 bits, mostly at an even place as formats have them."""
    at = (dice >> 4) % (len(packet) or 1)
    at -= at & 1 if dice & 8 else 0
    return packet[:at] + _LIES[dice & 7] + packet[at + 2 :]


def _near_lie(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    """A number off by a little: the length that is one too long."""
    at = (dice >> 4) % (len(packet) or 1)
    return packet[:at] + bytes(((packet[at] + (dice & 15) - 8) & 0xFF,)) + packet[at + 1 :] if packet else packet


def _cut(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    return packet[: dice % (len(packet) + 1)]


def _removed(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    at = (dice >> 5) % (len(packet) or 1)
    return packet[:at] + packet[at + (dice & 31) :]


def _repeated(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    at, width = (dice >> 8) % (len(packet) or 1), 1 + (dice >> 3 & 31)
    return packet[:at] + packet[at : at + width] * (2 + (dice & 7)) + packet[at + width :]


def _inserted(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    at, start = (dice >> 20) % (len(packet) + 1), dice & 0xFFFF
    return packet[:at] + noise[start : start + 1 + (dice >> 16 & 15)] + packet[at:]


def _appended(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    start = dice & 0xFFFF
    return packet + noise[start : start + (dice >> 16) % _NOISE_MAX]


def _spliced(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    other = samples[(dice & 0xFF) % len(samples)]
    return packet[: (dice >> 8) % (len(packet) + 1)] + other[(dice >> 20) % (len(other) + 1) :]


def _noise(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    start = dice & 0xFFFF
    return noise[start : start + (dice >> 16) % _NOISE_MAX]


def _overwritten(packet: bytes, dice: int, noise: bytes, samples: tuple[bytes, ...]) -> bytes:
    at, start, width = (dice >> 20) % (len(packet) or 1), dice & 0xFFFF, 1 + (dice >> 16 & 7)
    return packet[:at] + noise[start : start + width] + packet[at + width :]


_CHANGES: tuple[_Change, ...] = (
    *(_byte, _byte, _byte, _bit, _bit, _lie, _lie, _near_lie),
    *(_cut, _removed, _repeated, _inserted, _appended, _spliced, _noise, _overwritten),
)
