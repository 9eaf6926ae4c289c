import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from edge_noc.disk import Disk, DiskRefused
from edge_noc.intake import Arrived, Intake
from edge_noc.report import lines, report

from tests.noc.sites import S, T, event, measurement, state
from tests.noc.test_intake import KEY, arrived


def written(path: Path, *batches: list[Arrived]) -> Intake:
    intake = Intake("a")
    with closing(Disk(path)) as disk:
        disk.recall(intake, 0.0)
        for batch in batches:
            disk.write(intake, intake.take(batch, 0.0))
    return intake


BATCH = [
    *(arrived("state", state("online", (S, 4, 0), epoch=3)), arrived("evt/t2", event(S, 1))),
    *(arrived("evt/t2", event(S, 4)), arrived("tel/links", measurement(T, 5, first=2))),
]


def test_the_books_are_the_same_after_a_restart_and_what_is_known_stays_known(tmp_path: Path) -> None:
    path = tmp_path / "noc.db"
    before = written(path, BATCH)
    after = written(path, BATCH)
    for name in (S, T):
        old, new = (intake.site(KEY).streams[name] for intake in (before, after))
        assert (old.kind, list(old.book.held), old.book.holes()) == (new.kind, list(new.book.held), new.book.holes())
        assert new.book.duplicates == old.book.held.count if name == S else 1
    assert after.site(KEY).presence == before.site(KEY).presence
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("SELECT count(*) FROM message").fetchone() == (3,)
        assert base.execute("SELECT sequence, body FROM event ORDER BY sequence").fetchall() == [
            (number, event(S, number).decode()) for number in (1, 4)
        ]


def test_the_report_says_what_is_held_and_what_is_missing(tmp_path: Path) -> None:
    written(tmp_path / "noc.db", BATCH, BATCH)
    streams = report(tmp_path / "noc.db")["sites"]["clinic/room-1"]["streams"]
    assert streams[S] == {
        **{"kind": "event", "held": 2, "last": 4, "watermark": 1, "duplicates": 2, "gaps": [[2, 3]]},
        **{"tombstones": [], "lost": [], "gone": 0},
    }
    assert (streams[T]["held"], streams[T]["gaps"]) == (4, [[1, 1]])
    assert any("gaps 2-3" in line for line in lines(report(tmp_path / "noc.db")))


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noc.db").write_bytes(b"no database at all, and long enough to be looked at" * 20)
    with pytest.raises(DiskRefused):
        Disk(tmp_path / "noc.db")
    with pytest.raises(DiskRefused):
        report(tmp_path / "none.db")


def test_a_disk_that_refuses_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    path, intake = tmp_path / "noc.db", Intake("a")
    with closing(Disk(path)) as disk, closing(sqlite3.connect(path)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON message WHEN new.sequence = 4 BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
        other.commit()
        with pytest.raises(DiskRefused, match="full"):
            disk.write(intake, intake.take(BATCH, 0.0))
    assert report(path) == {"sites": {}}


def test_old_measurements_are_forgotten_and_stay_known_as_held(tmp_path: Path) -> None:
    path = tmp_path / "noc.db"
    intake = written(path, BATCH)
    with closing(Disk(path)) as disk:
        disk.prune(before_wall_s=BATCH[0].wall_s + 1)
        disk.recall(intake, 0.0)
    with closing(sqlite3.connect(path)) as base:
        assert {kind for (kind,) in base.execute("SELECT type FROM message")} == {"tier.entered"}
    assert intake.site(KEY).streams[T].book.held.count == 4
