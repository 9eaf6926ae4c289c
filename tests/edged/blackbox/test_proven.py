"""Nothing damaged is taken for what was recorded: a changed byte is told, and what stands before it is kept."""

import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.proven import unpack
from edged.blackbox.readback import files
from edged.blackbox.segment import sum_line
from tests.edged.blackbox.scene import black_box, judged_day, recorded, whole


def cut_off(directory: Path, steps: int = 120) -> Path:
    """As a kill leaves it: flushed, and never ended."""
    box = black_box(directory)
    for step in judged_day()[:steps]:
        box.step(*step)
    box._writer.close()
    (path,) = files(directory)
    return path


@pytest.mark.parametrize("made", [cut_off, recorded], ids=["cut off by a kill", "ended in order"])
def test_any_single_changed_byte_is_told_and_only_what_stands_before_it_is_read(
    tmp_path: Path, made: Callable[[Path, int], Path]
) -> None:
    """One that changes no text (two bits of the stream's first two bytes mean nothing) need not be."""
    path = made(tmp_path, 120)
    packed, good = path.read_bytes(), unpack(path)
    chance = random.Random(7)
    for at in range(len(packed)):
        for changed in {packed[at] ^ 1 << chance.randrange(8), chance.randrange(256)} - {packed[at]}:
            path.write_bytes(packed[:at] + bytes([changed]) + packed[at + 1 :])
            found = unpack(path)
            assert good.text.startswith(found.text), at
            told = found.damage is not None or found.ended is not good.ended
            assert told or found.text == good.text, at


def test_a_recording_cut_off_by_a_kill_is_proven_to_its_last_flush_and_is_not_damaged(tmp_path: Path) -> None:
    found = unpack(cut_off(tmp_path))
    assert (found.ended, found.damage) == (False, None)
    assert found.text.endswith(b'"}\n')


def test_four_bytes_that_only_look_like_a_flush_spoil_nothing(tmp_path: Path) -> None:
    """Incompressible text in a stored block holds any bytes as they are."""
    pack = zlib.compressobj(level=0)
    text = b'{"x":"\x00\x00\xff\xff"}\n'
    path = tmp_path / "00000001.blackbox"
    packed = pack.compress(text + sum_line(text)) + pack.flush(zlib.Z_SYNC_FLUSH)
    path.write_bytes(packed)
    assert unpack(path).text == text + sum_line(text)
    path.write_bytes(packed[:12] + b"\x01" + packed[13:])
    assert unpack(path).damage is not None


def test_what_a_power_cut_left_as_zeros_is_told(tmp_path: Path) -> None:
    path = cut_off(tmp_path)
    text = unpack(path).text
    path.write_bytes(path.read_bytes() + bytes(4096))
    found = unpack(path)
    assert found.damage is not None
    assert found.text == text


def test_what_stands_behind_the_end_is_told_and_what_stands_before_is_read(tmp_path: Path) -> None:
    path = recorded(tmp_path, 40)
    steps = whole(path)[1]
    path.write_bytes(path.read_bytes() + b"more")
    recording, after = whole(path)
    assert recording.damage is not None
    assert "goes on" in recording.damage
    assert after == steps


def test_a_file_that_is_no_recording_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A tebibyte without a block on the disk."""
    path = tmp_path / "film.mkv"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    began_s = time.monotonic()
    assert unpack(path).damage is not None
    assert time.monotonic() - began_s < 2


def test_a_place_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BlackBoxBroken, match=f"{tmp_path}: Is a directory"):
        unpack(tmp_path)
