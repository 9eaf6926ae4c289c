import pytest

from bench.bounded import BenchFailed
from bench.fleet_room import OTHER_FILES, Files, backlogs_that_fit, place_for

FILES = Files(whole=10, bare=7)


@pytest.mark.parametrize(
    ("sites", "limit", "backlogs"),
    [
        (2000, 1_000_000, 2000),
        (2000, 20_000 + OTHER_FILES, 2000),
        (2000, 20_000 + OTHER_FILES - 1, 1999),
        (2000, 20_000, 1933),
        (2000, 14_000 + OTHER_FILES, 0),
    ],
)
def test_where_files_are_short_some_sites_go_without_a_backlog(sites: int, limit: int, backlogs: int) -> None:
    assert backlogs_that_fit(sites, FILES, limit) == backlogs


def test_too_many_sites_are_refused_with_the_number_that_fits() -> None:
    with pytest.raises(BenchFailed, match=r"raise it, or take --sites 1971$"):
        backlogs_that_fit(2000, FILES, 14_000)


def test_the_place_is_gone_afterwards() -> None:
    with place_for(1) as place:
        assert place.directory.is_dir()
        assert place.kind in ("tmpfs", "disk")
        (place.directory / "ledger").mkdir()
    assert not place.directory.exists()
