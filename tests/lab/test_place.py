import os
import stat
from pathlib import Path

import pytest

from lab.errors import LabMisuse
from lab.place import LOCK, claim, is_claimed


def test_a_claimed_directory_is_private_and_holds_a_log_folder(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "site"
    lock = claim(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert sorted(path.name for path in place.iterdir()) == [LOCK, "log"]
    assert os.get_inheritable(lock)
    os.close(lock)


def test_what_an_earlier_lab_left_is_removed(tmp_path: Path) -> None:
    os.close(claim(tmp_path))
    (tmp_path / "world.json").write_text("{}")
    (tmp_path / "log" / "edged.log").write_text("old")
    (tmp_path / "elsewhere").symlink_to("/etc")
    os.close(claim(tmp_path))
    assert sorted(path.name for path in tmp_path.rglob("*")) == [LOCK, "log"]
    assert Path("/etc").is_dir()


def test_a_running_lab_is_neither_disturbed_nor_missed(tmp_path: Path) -> None:
    lock = claim(tmp_path)
    (tmp_path / "world.json").write_text("{}")
    with pytest.raises(LabMisuse, match="already runs"):
        claim(tmp_path)
    assert (tmp_path / "world.json").exists()
    assert is_claimed(tmp_path)
    os.close(lock)
    assert not is_claimed(tmp_path)


def test_a_directory_with_files_of_others_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LabMisuse, match=r"holds thesis\.txt"):
        claim(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_link_in_the_directorys_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "target")
    with pytest.raises(LabMisuse, match="not a directory of yours"):
        claim(tmp_path / "site")


@pytest.mark.parametrize("place", [Path("relative"), Path("/tmp", "x" * 100)])
def test_a_path_that_cannot_hold_sockets_is_refused(place: Path) -> None:
    with pytest.raises(LabMisuse, match="absolute path of at most"):
        claim(place)


def test_nothing_there_is_not_a_running_lab(tmp_path: Path) -> None:
    assert not is_claimed(tmp_path / "nowhere")
    assert not is_claimed(tmp_path)
