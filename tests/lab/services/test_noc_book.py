import json
import zlib
from pathlib import Path

import pytest

from lab.services.errors import PeerError
from lab.services.noc_book import Book, Due

TIER = "edge/v1/lab/imaging-1/evt/t2"
LOG = "edge/v1/lab/imaging-1/evt/log"
HIST = "edge/v1/lab/imaging-1/hist"
ACK = "edge/v1/lab/imaging-1/ack"


def body(sequence: int, stream: str = "s") -> bytes:
    return json.dumps({"stream": stream, "sequence": sequence, "data": {"tier": 2}}).encode()


def batch(*members: object) -> bytes:
    return zlib.compress(json.dumps(members).encode())


def member(sequence: int, kind: str = "link.degraded") -> dict[str, object]:
    return {"type": f"edge.{kind}.v1", "stream": "s", "sequence": sequence, "tier": 2}


def tombstone(first: int, last: int | None) -> dict[str, object]:
    told = {"stream": "s", "first": first, "last": last, "why": "evicted"}
    return {"type": "edge.tombstone.v1", "epoch": 1, "data": told}


def opened(directory: Path) -> Book:
    book = Book(directory)
    book.open()
    return book


def lines(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "noc.jsonl").read_text().splitlines()]


def test_a_tier_event_is_written_and_acknowledged(tmp_path: Path) -> None:
    book = opened(tmp_path)
    assert book.take(TIER, body(1), retained=False) == [Due(ACK, "s", 1)]
    [line] = lines(tmp_path)
    assert (line["topic"], line["retained"], line["duplicates"]) == (TIER, False, 0)
    assert line["event"] == json.loads(body(1))


def test_a_log_event_is_written_and_not_acknowledged(tmp_path: Path) -> None:
    book = opened(tmp_path)
    assert book.take(LOG, body(1), retained=False) == []
    assert len(lines(tmp_path)) == 1


def test_an_event_that_comes_again_is_acknowledged_again_and_not_written(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.take(TIER, body(1), retained=False)
    assert book.take(TIER, body(1), retained=False) == [Due(ACK, "s", 1)]
    assert len(lines(tmp_path)) == 1


def test_beyond_a_hole_nothing_is_acknowledged_until_it_is_filled(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.take(TIER, body(1), retained=False)
    assert book.take(TIER, body(3), retained=False) == []
    assert book.take(TIER, body(3), retained=False) == []
    assert book.take(LOG, body(2), retained=False) == [Due(ACK, "s", 3)]


def test_a_noc_that_starts_again_knows_what_it_had(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.take(TIER, body(1), retained=False)
    first.take(LOG, body(2), retained=False)
    first.close()
    second = opened(tmp_path)
    assert second.take(TIER, body(1), retained=False) == [Due(ACK, "s", 1)]
    assert second.streams.duplicates == 1


def test_a_line_after_one_cut_short_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "noc.jsonl").write_text('{"arrived": "2026-')
    book = opened(tmp_path)
    book.take(TIER, body(1), retained=False)
    assert [line["topic"] for line in lines(tmp_path)] == [TIER]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TIER, b"\xff"),
        (LOG, b"{}"),
        ("edge/v1/lab/x/tel/link", b"no"),
        ("edge/v1/lab/x/state", b"[1]"),
        ("edge/v1/lab/x/snap/tier", b"{"),
        (HIST, b"no"),
    ],
)
def test_garbage_is_counted(tmp_path: Path, topic: str, payload: bytes) -> None:
    book = opened(tmp_path)
    with pytest.raises(PeerError):
        book.take(topic, payload, retained=False)
    assert book.counts["garbage"] == 1


def test_members_of_a_batch_are_taken_as_if_they_had_come_alone(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.take(TIER, body(1), retained=False)
    found = batch(member(2), member(3, "tier.entered"), member(2), member(9, "tel.links"))
    assert book.take(HIST, found, retained=False) == [Due(ACK, "s", 3)]
    assert [line["topic"] for line in lines(tmp_path)] == [TIER, LOG, TIER]
    assert lines(tmp_path)[-1]["event"] == member(3, "tier.entered")
    assert book.counts == {"history": 1, "log": 2, "tier": 2, "telemetry": 1}
    assert (book.streams.duplicates, book.streams.gaps) == (1, {})


def test_telemetry_has_numbers_of_its_own_that_are_no_events(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.take("edge/v1/lab/imaging-1/tel/links", json.dumps(member(7, "tel.links")).encode(), retained=False)
    assert book.streams.by_name == {}
    assert lines(tmp_path) == []


def test_a_tombstone_closes_a_hole_and_is_remembered(tmp_path: Path) -> None:
    first = opened(tmp_path)
    for sequence in (1, 5, 9):
        first.take(TIER, body(sequence), retained=False)
    assert first.take(HIST, batch(tombstone(2, 4)), retained=False) == [Due(ACK, "s", 5)]
    assert first.streams.gaps == {"s": [(6, 8)]}
    first.close()
    second = opened(tmp_path)
    assert second.streams.gaps == {"s": [(6, 8)]}
    assert second.take(HIST, batch(tombstone(2, 4), tombstone(6, None)), retained=False) == [Due(ACK, "s", 9)]
    assert second.streams.gaps == {}


def test_a_member_that_is_garbage_costs_only_itself(tmp_path: Path) -> None:
    book = opened(tmp_path)
    wrong = [{}, {"type": "edge.state.v1"}, {"type": "edge.tombstone.v1"}, member(1) | {"stream": 7}]
    assert book.take(HIST, batch(*wrong, member(1, "tier.entered")), retained=False) == [Due(ACK, "s", 1)]
    assert book.counts["garbage"] == 4


def test_the_summary_says_what_came_and_what_is_missing(tmp_path: Path) -> None:
    book = opened(tmp_path)
    for sequence in (1, 4, 4):
        book.take(TIER, body(sequence), retained=False)
    book.take("edge/v1/lab/imaging-1/tel/link", b"{}", retained=False)
    book.take("edge/v1/lab/imaging-1/state", b'{"state": "online"}', retained=True)
    book.take("edge/v1/lab/imaging-1/snap/tier", b"", retained=False)
    book.close()
    summary = json.loads((tmp_path / "noc.json").read_text())
    assert summary["counts"] == {"snapshot": 1, "state": 1, "telemetry": 1, "tier": 3}
    assert summary["duplicates"] == 1
    assert summary["gaps"] == {"s": [[2, 3]]}
    assert summary["watermarks"] == {"s": 1}
    assert summary["states"] == {"lab/imaging-1": {"state": "online"}}
