import resource

import pytest

from bench.bounded import BenchFailed
from bench.fleet_room import OTHER_FILES, check_files, files_needed, place_for


def test_files_are_counted_for_all_sites_and_the_process_itself() -> None:
    assert files_needed(2000, 9) == 18_000 + OTHER_FILES


def test_too_many_files_are_refused_with_the_number_of_sites_that_fit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fit = (hard - OTHER_FILES) // 8
    check_files(fit, 8)
    with pytest.raises(BenchFailed, match=f"--sites {fit}$"):
        check_files(fit + 1, 8)


def test_the_place_is_gone_afterwards() -> None:
    with place_for(1) as place:
        assert place.directory.is_dir()
        assert place.kind in ("tmpfs", "disk")
        (place.directory / "ledger").mkdir()
    assert not place.directory.exists()
