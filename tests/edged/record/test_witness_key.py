import os
import stat
from pathlib import Path

import pytest

from edged.record.witness import Statement, check, sign
from edged.record.witness_key import FILE_NAME, load_or_make


def test_the_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    first, again = load_or_make(directory), load_or_make(directory)
    assert (first.made, again.made) == (True, False)
    assert first.fingerprint == again.fingerprint
    assert stat.S_IMODE((directory / FILE_NAME).stat().st_mode) == 0o600
    statement = Statement("s", 1, "00" * 32)
    assert check(again.public_key, statement, sign(first.private, statement))


def test_two_boxes_have_two_keys(tmp_path: Path) -> None:
    assert load_or_make(tmp_path / "one").fingerprint != load_or_make(tmp_path / "other").fingerprint


def test_leave_others_were_given_is_taken_back(tmp_path: Path) -> None:
    load_or_make(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o644)
    load_or_make(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_what_a_crash_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f"{FILE_NAME}.new").write_bytes(b"half a k")
    key = load_or_make(tmp_path)
    assert load_or_make(tmp_path).fingerprint == key.fingerprint
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("damage", [b"", b"short", bytes(33), bytes(32)])
def test_a_damaged_key_is_set_aside_and_a_new_one_made(tmp_path: Path, damage: bytes) -> None:
    old = load_or_make(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(damage)
    new = load_or_make(tmp_path)
    assert new.made
    assert new.fingerprint != old.fingerprint
    assert new.set_aside is not None
    assert new.set_aside.read_bytes() == damage
    assert load_or_make(tmp_path).fingerprint == new.fingerprint


def test_what_cannot_be_opened_is_set_aside_too(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to(FILE_NAME)  # for ever round
    key = load_or_make(tmp_path)
    assert key.made
    assert key.set_aside is not None
    assert load_or_make(tmp_path).fingerprint == key.fingerprint


def test_keys_set_aside_do_not_fill_the_disk(tmp_path: Path) -> None:
    for _ in range(6):
        load_or_make(tmp_path)
        (tmp_path / FILE_NAME).write_bytes(b"torn")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_disk_that_takes_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"a file where a directory should be")
    with pytest.raises(OSError):
        load_or_make(tmp_path / "state")
    assert os.listdir(tmp_path) == ["state"]
