"""A real file; what is lost of it is lost by writing over it."""

import os
from pathlib import Path
from random import Random

import pytest

from edged.core.events import Channel
from edged.record.journal import FILE_NAME, HALF_BYTES, Journal
from edged.record.numbering import Row
from edged.record.recorded import Recorded

SIZE = 4096 + 2 * HALF_BYTES


def rows(*sequences: int, stream: str = "a", size: int = 300) -> list[Row]:
    return [
        Row(Recorded(n, stream, n, Channel.TIER, 2, b"%d " % n + b"x" * size, durable=True), b"p" * 32)
        for n in sequences
    ]


def opened(directory: Path) -> Journal:
    journal = Journal(directory)
    journal.open()
    return journal


def numbers(journal: Journal) -> list[int]:
    return [kept.sequence for kept in journal.read()]


def test_it_takes_the_room_it_will_ever_need_at_once(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert journal.works
    for n in range(100):
        journal.take(rows(*range(100 * n, 100 * n + 100)), alone=False)
    assert journal.works
    found = (tmp_path / FILE_NAME).stat()
    assert (found.st_size, found.st_blocks * 512 >= SIZE) == (SIZE, True)
    journal.close()


def test_a_next_life_reads_what_nobody_settled(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert journal.take(rows(1, 2, 4, 5, 7), alone=True) == {1, 2, 4, 5, 7}
    journal.settle("a", 1, 3)
    journal.settle("a", 5, 6)
    journal.begin("b")
    journal.close()
    journal = opened(tmp_path)
    assert numbers(journal) == [4, 7]
    assert [kept.body for kept in journal.read([("a", 7)])] == [rows(7)[0].recorded.body]
    assert journal.streams == {"a": 3, "b": 0}
    journal.forget_all_but(["a"])
    journal.close()
    assert opened(tmp_path).streams["b"] > 1 << 40


@pytest.mark.parametrize("lives", [1, 7])
def test_what_is_not_settled_survives_any_number_of_halves(tmp_path: Path, lives: int) -> None:
    wanted = {}
    for life in range(lives):
        journal = opened(tmp_path)
        for n in range(1, 1 + 8 * HALF_BYTES // 2000 // lives, 50):
            new = [life * 100_000 + n + i for i in range(50)]
            assert len(journal.take(rows(*new, stream=f"{life}", size=2000), alone=True)) == 50
            journal.settle(f"{life}", 1, new[-2])
            wanted[f"{life}"] = new[-1]
        journal.close()
    assert {kept.stream: kept.sequence for kept in opened(tmp_path).read()} == wanted


def test_what_nobody_else_has_is_kept_before_what_the_database_has_too(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.take(rows(*range(1, 1001)), alone=True)
    journal.take(rows(*range(1001, 9001)), alone=False)
    kept = numbers(journal)
    assert kept[:1000] == list(range(1, 1001))
    assert kept[-1] == 9000
    journal.vouched(("a", n) for n in range(1, 1001))
    journal.take(rows(*range(9001, 13_001)), alone=False)
    assert numbers(journal)[0] > 1000
    assert journal.works


def test_it_is_full_when_nobody_else_has_what_is_in_it(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    taken = journal.take(rows(*range(1, 5001)), alone=True)
    assert taken == set(range(1, len(taken) + 1))
    assert not journal.works
    journal.close()
    journal = opened(tmp_path)
    assert numbers(journal) == sorted(taken)
    journal.settle("a", 1, 2000)
    assert journal.take(rows(6000), alone=True) == {6000}
    assert journal.works


def test_an_event_too_large_for_it_is_not_taken(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert journal.take(rows(1, size=2 * HALF_BYTES), alone=False) == set()
    assert journal.take(rows(2), alone=False) == {2}


def scribbled(path: Path) -> None:
    chance = Random(1)
    with path.open("r+b") as file:
        for _ in range(40):
            file.seek(chance.randrange(4096 + HALF_BYTES, SIZE))
            file.write(chance.randbytes(20))


def truncated(path: Path) -> None:
    os.truncate(path, SIZE - HALF_BYTES + 200_000)


def beheaded(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)


@pytest.mark.parametrize("harm", [scribbled, truncated, beheaded])
def test_damage_costs_what_it_hit_and_is_repaired(tmp_path: Path, harm: object) -> None:
    assert callable(harm)
    journal = opened(tmp_path)
    journal.take(rows(*range(1, 2001)), alone=True)
    journal.close()
    harm(tmp_path / FILE_NAME)
    journal = opened(tmp_path)
    left = numbers(journal)
    assert len(left) > 400
    assert journal.works
    journal.close()
    assert (tmp_path / FILE_NAME).stat().st_size == SIZE
    assert numbers(opened(tmp_path)) == left


def test_an_empty_or_foreign_file_becomes_a_journal(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"nothing of ours")
    journal = opened(tmp_path)
    assert journal.take(rows(1), alone=True) == {1}


def test_a_next_half_that_was_not_finished_does_not_count(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.take(rows(*range(1, 101)), alone=True)
    journal.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    journal = opened(tmp_path)
    journal.take(rows(101), alone=True)
    assert journal._compact()
    journal.close()
    after = (tmp_path / FILE_NAME).read_bytes()
    half = next(at for at in (4096, 4096 + HALF_BYTES) if before[at : at + 100] != after[at : at + 100])
    torn = bytearray(after)
    torn[half + 3000 : half + HALF_BYTES] = bytes(HALF_BYTES - 3000)
    (tmp_path / FILE_NAME).write_bytes(torn)
    journal = opened(tmp_path)
    assert numbers(journal) == list(range(1, 102))
    journal.take(rows(102), alone=True)
    journal.close()
    assert numbers(opened(tmp_path)) == list(range(1, 103))


def test_a_directory_that_cannot_be_written_is_lived_without(tmp_path: Path) -> None:
    journal = opened(tmp_path / "missing")
    assert not journal.works
    assert journal.take(rows(1), alone=True) == set()
    (tmp_path / "missing").mkdir()
    journal.open()
    assert journal.take(rows(1), alone=True) == {1}
